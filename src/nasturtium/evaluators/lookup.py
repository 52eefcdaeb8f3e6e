"""Scores that are looked up: an evaluator over a table."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from nasturtium.errors import SpaceError
from nasturtium.roles import Job, OpenEvaluator, Outcome, Report
from nasturtium.space import Architecture
from nasturtium.trial import Fidelity

TOO_LONG = "it does not fit in what is left of the budget"


@dataclass(frozen=True)
class Lookup:
    """Asks `query(architecture, fidelity, seed)`, which gives measures, curve and seconds of a training from scratch.

    Where there is a curve, a continuation pays for its new epochs alone, each epoch is reported, and a training that is
    stopped early scores what it had reached and costs what it had spent. Without one, every answer has its full price.
    A training that would end after the job's deadline gives no score.
    """

    query: Callable[[Architecture, Fidelity, int], Outcome]

    def open(self) -> OpenEvaluator:
        return self._score

    def _score(self, job: Job, report: Report) -> Outcome:
        if not isinstance(job.subject, Architecture):
            raise SpaceError(f"a table holds architectures, not {type(job.subject).__name__}")
        outcome = self.query(job.subject, job.fidelity, job.seed)
        before = int(job.parent) if job.parent is not None and outcome.curve else 0
        epochs = job.fidelity.epochs
        for reached in range(before + 1, len(outcome.curve)):
            if report(outcome.curve[:reached]):
                outcome, epochs = self.query(job.subject, replace(job.fidelity, epochs=reached), job.seed), reached
                outcome = replace(outcome, stopped=True)
                break
        seconds = outcome.seconds * (epochs - before) / epochs
        if job.deadline_s is not None and seconds > job.deadline_s:
            return Outcome(failure=TOO_LONG, seconds=job.deadline_s)
        # The "checkpoint" of a table is how far the training had come.
        return replace(outcome, seconds=seconds, checkpoint=str(epochs))
