"""One search on a problem: the study loop that users get, over a table."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from nasturtium.bench.hypervolume import hypervolume
from nasturtium.bench.memory import QuickStore
from nasturtium.bench.metrics import Course, Point
from nasturtium.bench.problem import Problem
from nasturtium.errors import RunError
from nasturtium.evaluators.lookup import TOO_LONG, Lookup
from nasturtium.roles import Candidates, Scheduler, Strategy
from nasturtium.space import Architecture
from nasturtium.study import Ended, Event, Finished, InlineExecutor, Study, run_study
from nasturtium.trial import History, Trial


@dataclass(frozen=True)
class Searched:
    """What came of one search. ask_ms: time of each proposal, mean and 95th percentile, in ms. end: why it ended."""

    course: Course
    ask_ms: tuple[float, float]
    end: str


def search(problem: Problem, strategy: Strategy, scheduler: Scheduler, control: Strategy, seed: int) -> Searched:
    """Run a strategy on a problem.

    control: proposes where the strategy has nothing new, and only there. Raises `RunError` if no trial gave a score,
    and what the strategy raises where it cannot handle the problem.
    """
    timed = Timed(strategy)
    log = Log(problem, seed)
    study = Study(
        strategy=timed,
        control=control,
        scheduler=scheduler,
        candidates=problem.candidates(seed),
        objectives=problem.objectives,
        seed=seed,
        seconds_left=log.seconds_left,
        control_share=0.0,
    )
    history = run_study(study, InlineExecutor(Lookup(problem.query)), QuickStore(problem.objectives), log.event)
    if not history.scored:
        failures = [trial.failure for trial in history.trials if trial.failure]
        reason = failures[0] if failures else "there was nothing to propose"
        raise RunError(f"No trial gave a score on {problem.name}: {reason}.")
    return Searched(log.course(), timed.ask_ms(), log.end)


class Log:
    """Listens to a study, keeps its simulated clock, and writes its course."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.seed, self.end = problem, seed, ""
        self.points: list[Point] = []
        self.queries, self.seconds, self.epochs, self.loss = 0, 0.0, 0, inf
        self.epochs_of: dict[int, int] = {}
        self.losses: list[list[float]] = []
        self.volume = 0.0

    def seconds_left(self) -> float:
        """0 ends the study: the budget is used up, or there is nothing left to find."""
        left = inf if self.problem.seconds is None else self.problem.seconds - self.seconds
        if self._at_goal():
            self.end = "The best was found."
        elif self.queries >= self.problem.trials:
            self.end = f"All {self.problem.trials} queries were made."
        elif left <= 1e-6:
            self.end = "The simulated time is over."
        else:
            return left
        return 0.0

    def event(self, event: Event) -> None:
        if isinstance(event, Ended) and not self.end:
            self.end = event.sentence
        if isinstance(event, Finished):
            self._finished(event.trial)

    def _finished(self, trial: Trial) -> None:
        if self.problem.seconds is not None or self.problem.clock == "seconds":
            self.seconds += trial.seconds
        if trial.failure == TOO_LONG:
            return
        self.queries += 1
        reached = int(trial.checkpoint or trial.fidelity.epochs)
        self.epochs += reached - (0 if trial.parent is None else self.epochs_of.get(trial.parent, 0))
        self.epochs_of[trial.number] = reached
        if trial.scored:
            shown = self._improved(trial)
            if shown is not None:
                self.points.append(Point(self.queries, round(self.seconds, 3), self.epochs, shown))

    def course(self) -> Course:
        return Course(tuple(self.points), self.queries, round(self.seconds, 3), self.epochs)

    def _at_goal(self) -> bool:
        goal = self.problem.goal
        return goal is not None and self.loss <= self.problem.objectives[0].sign * goal

    def _improved(self, trial: Trial) -> dict[str, float] | None:
        """What is shown from now on, if this trial changed it."""
        goals = self.problem.objectives
        losses = [goal.sign * trial.measures[goal.name] for goal in goals]
        if len(goals) > 1:
            return self._larger(losses)
        if losses[0] >= self.loss:
            return None
        self.loss = losses[0]
        return {goals[0].name: trial.measures[goals[0].name], **self.problem.reported(trial.architecture, self.seed)}

    def _larger(self, losses: list[float]) -> dict[str, float] | None:
        self.losses.append(losses)
        volume = hypervolume(np.array(self.losses), np.array(self.problem.reference)) / self.problem.whole
        if volume <= self.volume and self.points:
            return None
        self.volume = volume
        return {"hypervolume": volume}


@dataclass(frozen=True)
class Timed:
    """A strategy whose asks are timed.

    Random search goes by another name here: trials named "random" are the control of a study, from which the loop works
    out again and again what twice as many would gain, and a bench has no control.
    """

    inner: Strategy
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "uniform" if self.inner.name == "random" else self.inner.name

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> Sequence[Architecture]:
        began = time.perf_counter()
        found = self.inner.ask(history, count, seed, candidates)
        self.seconds.append(time.perf_counter() - began)
        return found

    def ask_ms(self) -> tuple[float, float]:
        if not self.seconds:
            return 0.0, 0.0
        ordered = sorted(self.seconds)
        return 1e3 * sum(ordered) / len(ordered), 1e3 * ordered[int(0.95 * (len(ordered) - 1))]
