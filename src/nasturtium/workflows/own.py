"""A search with the user's own evaluation: a space, a function, a budget."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from nasturtium.errors import RunError
from nasturtium.hardware import LimitedCandidates, Limits
from nasturtium.roles import Job, OpenEvaluator, Outcome, Report
from nasturtium.schedulers import scheduler
from nasturtium.space import Architecture, Space
from nasturtium.strategies import strategy
from nasturtium.study import InlineExecutor, JournalStore, LocalExecutor, MemoryStore, Study, run_study
from nasturtium.trial import Direction, History, Objective
from nasturtium.workflows.alone import strategy_alone

Evaluate = Callable[[Architecture], float | Mapping[str, float]]
DEFAULT_TRIALS = 100
SCORE = "score"


@dataclass(frozen=True)
class Own:
    """The user's function as an evaluator: a number, or measures by name."""

    evaluate: Evaluate

    def open(self) -> OpenEvaluator:
        return self._score

    def _score(self, job: Job, report: Report) -> Outcome:
        if not isinstance(job.subject, Architecture):
            raise TypeError("an own evaluation scores architectures only")
        found = self.evaluate(job.subject)
        return Outcome(dict(found) if isinstance(found, Mapping) else {SCORE: float(found)})


@dataclass(frozen=True)
class OwnResult:
    """best: the best architecture by the first objective. score: its value. history: every trial."""

    best: Architecture
    score: float
    history: History

    def __repr__(self) -> str:
        failed = sum(trial.failure is not None for trial in self.history.trials)
        counts = f"trials={len(self.history.trials)}" + (f", failed={failed}" if failed else "")
        return f"OwnResult(score={self.score:.6g}, {counts}, best={dict(self.best.values)})"


def search_own(
    space: Space,
    evaluate: Evaluate,
    *,
    objectives: Mapping[str, Direction] | Direction = "maximize",
    trials: int | None = None,
    budget_s: float | None = None,
    strategy_name: str = "auto",
    seed: int = 0,
    workers: int = 1,
    output: str | None = None,
) -> OwnResult:
    """Search `space` for what `evaluate` likes.

    evaluate: architecture -> score, or -> measures by name (then `objectives` says which count, and their directions).
    workers: 1 runs the function here; more run it in processes, for which it must be importable.
    output: file of the study's journal (Optuna's format); a killed search goes on from it. None keeps nothing.
    """
    count = trials if trials is not None or budget_s is not None else DEFAULT_TRIALS
    goals = (
        (Objective(SCORE, objectives),)
        if isinstance(objectives, str)
        else tuple(Objective(name, direction) for name, direction in objectives.items())
    )
    for goal in goals:
        if goal.direction not in get_args(Direction):
            raise RunError(f"The direction of {goal.name!r} is {goal.direction!r}. Write 'maximize' or 'minimize'.")
    started = time.monotonic()
    study = Study(
        strategy=strategy_alone(strategy_name, count or DEFAULT_TRIALS, "an evaluation of your own"),
        control=strategy("random"),
        scheduler=scheduler("full", max_epochs=1),
        candidates=LimitedCandidates(space, None, Limits()),
        objectives=goals,
        seed=seed,
        trials=count,
        seconds_left=None if budget_s is None else lambda: budget_s - (time.monotonic() - started),
    )
    executor: Any = InlineExecutor(Own(evaluate)) if workers == 1 else LocalExecutor(Own(evaluate), workers)
    store: Any = MemoryStore(goals) if output is None else JournalStore(Path(output), study.identity, space)
    try:
        history = run_study(study, executor, store)
    finally:
        executor.close()
        if isinstance(store, JournalStore):
            store.close()
    return _best(history, goals[0])


def _best(history: History, goal: Objective) -> OwnResult:
    if not history.scored:
        if not history.trials:
            raise RunError("The budget ended before the first trial. Give more time, or a number of trials.")
        reasons = sorted({str(trial.failure) for trial in history.trials})
        raise RunError(f"Every trial failed: {'; '.join(reasons)[:300]}")
    best = min(history.scored, key=lambda trial: goal.sign * trial.measures[goal.name])
    return OwnResult(best.architecture, best.measures[goal.name], history)
