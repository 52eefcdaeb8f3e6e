"""Conformance suite for evaluators, and a scripted evaluator that trains nothing and misbehaves on demand.

class TestMine(EvaluatorSuite):
    def evaluator(self): return Mine(...)
    def jobs(self): return [Job("0", architecture, Fidelity(2), seed=0), ...]
"""

import math
import os
import pickle
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nasturtium.roles import Evaluator, Job, OpenEvaluator, Outcome, Report
from nasturtium.space import Architecture


@dataclass(frozen=True)
class Scripted:
    """Scores an architecture by a formula of its codes, over as many "epochs" as the job asks for.

    score: mean over the decisions of code / (size - 1) in [0, 1], dead ones 0, higher is better; it is approached as
        1 - 2 ** -epochs. `price` is the part of the first half of the decisions: a second objective.
    script: what to do instead for jobs by key: "raise", "exit", "segfault", "hang", "nan", "missing".
    pause_s: of each epoch. opened: a file that gets one line with the process id for each `open`.
    """

    script: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    opened: str | None = None

    def open(self) -> OpenEvaluator:
        if self.opened is not None:
            with open(self.opened, "a", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
        return self._score

    def _score(self, job: Job, report: Report) -> Outcome:
        _misbehave(self.script.get(job.key, ""))
        assert isinstance(job.subject, Architecture)
        levels = _levels(job.subject)
        full, price = float(levels.mean()), float(levels[: (len(levels) + 1) // 2].mean())
        curve: tuple[float, ...] = ()
        for epoch in range(1, job.fidelity.epochs + 1):
            time.sleep(self.pause_s)
            curve = (*curve, full * (1 - 2.0**-epoch))
            if report(curve):
                break
        measures = {"score": math.nan if self.script.get(job.key) == "nan" else curve[-1], "price": price}
        if self.script.get(job.key) == "missing":
            del measures["score"]
        return Outcome(measures, curve, stopped=len(curve) < job.fidelity.epochs, checkpoint=job.checkpoint)


def _levels(architecture: Architecture) -> np.ndarray:
    """Values in [0, 1]: an option's key hashed by its characters, a number squashed; needs no space in the worker."""
    values = [
        (sum(map(ord, value)) % 7) / 6 if isinstance(value, str) else abs(float(value)) / (1 + abs(float(value)))
        for value in architecture.values.values()
    ]
    return np.array(values or [0.0])


def _misbehave(act: str) -> None:
    if act == "raise":
        raise ValueError("scripted to raise\nand to say more on a second line")
    if act == "exit":
        os._exit(3)
    if act == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if act == "hang":
        time.sleep(3600)


class EvaluatorSuite:
    """What every evaluator owes to executors and studies. Subclass it in a test; pytest runs what it inherits."""

    def evaluator(self) -> Evaluator:
        raise NotImplementedError

    def jobs(self) -> Sequence[Job]:
        """At least two cheap jobs with different subjects, of two epochs or more if the evaluator trains."""
        raise NotImplementedError

    def test_the_spec_and_its_outcomes_travel_to_other_processes(self) -> None:
        evaluator = pickle.loads(pickle.dumps(self.evaluator()))
        outcome = evaluator.open()(self.jobs()[0], _never)
        assert pickle.loads(pickle.dumps(outcome)) == outcome

    def test_measures_are_finite_and_the_job_did_not_fail(self) -> None:
        opened = self.evaluator().open()
        for job in self.jobs():
            outcome = opened(job, _never)
            assert outcome.failure is None
            assert outcome.measures
            assert all(math.isfinite(value) for value in outcome.measures.values())

    def test_the_same_job_gives_the_same_measures_in_another_worker_and_another_order(self) -> None:
        first, second = self.evaluator().open(), self.evaluator().open()
        there = [first(job, _never) for job in self.jobs()]
        back = [second(job, _never) for job in reversed(self.jobs())][::-1]
        for one, other in zip(there, back, strict=True):
            assert _replayable(one) == _replayable(other)
            assert one.curve == other.curve

    def test_the_curve_is_reported_as_it_grows_and_stop_is_obeyed(self) -> None:
        job = self.jobs()[0]
        seen: list[tuple[float, ...]] = []

        def record(curve: tuple[float, ...]) -> bool:
            seen.append(curve)
            return False

        whole = self.evaluator().open()(job, record)
        assert [len(curve) for curve in seen] == list(range(1, len(whole.curve) + 1))
        if len(whole.curve) > 1:
            stopped = self.evaluator().open()(job, lambda curve: True)
            assert stopped.stopped
            assert stopped.curve == whole.curve[: len(stopped.curve)]
            assert len(stopped.curve) < len(whole.curve)


def _replayable(outcome: Outcome) -> dict[str, float]:
    """Measures without those of the clock."""
    return {
        name: value for name, value in outcome.measures.items() if not name.startswith(("latency", "energy", "seconds"))
    }


def _never(curve: tuple[float, ...]) -> bool:
    return False
