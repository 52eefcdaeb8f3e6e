"""A pilot: simple models and random networks of the space, trained for some seconds on the user's data.

It says how long trainings take here, how far the networks of the space lie apart, and so what a search would cost and
could gain. Trainings that do not fit get a shorter schedule, as in a search under a clock.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from nasturtium.classical import Classical, applicable
from nasturtium.evaluators import Standalone
from nasturtium.hardware import CostModel, LimitedCandidates
from nasturtium.roles import Job, Outcome
from nasturtium.space import Architecture
from nasturtium.study import LocalExecutor
from nasturtium.training import Recipe
from nasturtium.trial import Fidelity
from nasturtium.workflows.length import LEAST_EPOCHS
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.preparation import Prepared, keep
from nasturtium.workflows.progress import Progress

PILOT_S = 14.0
"""Seconds that the trainings of a pilot may take; starting the workers comes on top."""
MOST, LEAST = 16, 6
"""Networks: more tell little more of the spread; trainings are cut short so that so many fit at least."""
QUICK = 4e6
"""Rows x numbers in a row x outputs below which a simple model is fitted in a second or two."""
CUT = 0.9
"""A training that took so much of its deadline was cut short by it."""
WAIT_S = 0.5


@dataclass(frozen=True)
class Tried:
    """One network of the pilot. full_s: of a training in full, projected where this one was `cut` short."""

    architecture: Architecture
    macs: float
    score: float
    epochs: float
    full_s: float
    cut: bool


@dataclass(frozen=True)
class Pilot:
    """simple: score and seconds of each simple model, by name. epochs: of a full training. start_s: until a worker had
    begun. cut: were trainings shortened?"""

    metric: str
    simple: dict[str, tuple[float, float]]
    tried: tuple[Tried, ...]
    epochs: int
    workers: int
    seconds: float
    start_s: float

    @property
    def cut(self) -> bool:
        return any(one.cut for one in self.tried)

    @property
    def tells_scores(self) -> bool:
        """Were the trainings long enough that their scores say anything?"""
        return median(one.epochs for one in self.tried) >= min(self.epochs, LEAST_EPOCHS)

    @property
    def scores(self) -> list[float]:
        return [one.score for one in self.tried]


def run_pilot(
    options: SearchOptions,
    prepared: Prepared,
    recipe: Recipe,
    candidates: LimitedCandidates,
    costs: CostModel,
    workers: int,
    progress: Progress,
) -> Pilot:
    """Simple models that are quick, then random networks until the time is up. Nothing of it is kept on disk."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nasturtium-pilot-") as folder:
        data = keep(prepared, Path(folder))
        evaluator = Standalone(str(data.development.folder), recipe, options.accelerator)
        executor = LocalExecutor(evaluator, workers)
        try:
            run = _Run(executor, options.seed, recipe.epochs, workers, progress)
            run.submit_simple(_simple(prepared))
            run.submit_networks(candidates, began)
        finally:
            executor.close()
    metric = prepared.task.metric
    return Pilot(
        metric=metric,
        simple={
            job.key: (outcome.measures[metric], outcome.seconds)
            for job, outcome in run.ended
            if isinstance(job.subject, Classical) and metric in outcome.measures
        },
        tried=tuple(
            _tried(job, outcome, metric, costs, recipe.epochs)
            for job, outcome in run.ended
            if isinstance(job.subject, Architecture) and metric in outcome.measures and outcome.failure is None
        ),
        epochs=recipe.epochs,
        workers=workers,
        seconds=time.monotonic() - began,
        start_s=run.start_s,
    )


def _simple(prepared: Prepared) -> Sequence[Classical]:
    """The simple models that take next to no time."""
    task, rows = prepared.task, len(prepared.development)
    work = rows * task.input.size * max(1, task.outputs)
    return [one for one in applicable(task, rows) if one.family in ("trivial", "linear") or work <= QUICK]


def _tried(job: Job, outcome: Outcome, metric: str, costs: CostModel, epochs: int) -> Tried:
    architecture = job.subject
    assert isinstance(architecture, Architecture)
    done = max(outcome.measures.get("epochs", epochs), 1e-9)
    cut = job.deadline_s is not None and outcome.seconds >= CUT * job.deadline_s
    full_s = outcome.seconds * epochs / done if cut else outcome.seconds
    return Tried(architecture, float(costs(architecture)["macs"]), outcome.measures[metric], done, full_s, cut)


class _Run:
    """Jobs on their way."""

    def __init__(self, executor: LocalExecutor, seed: int, epochs: int, workers: int, progress: Progress) -> None:
        self._executor, self._seed, self._epochs, self._workers = executor, seed, epochs, workers
        self._progress = progress
        self._waiting = 0
        self.ended: list[tuple[Job, Outcome]] = []
        self.start_s = 0.0

    def submit_simple(self, models: Sequence[Classical]) -> None:
        for model in models:
            self._executor.submit(Job(model.name, model, Fidelity(1), self._seed))
            self._waiting += 1
        began = time.monotonic()
        while self._waiting:
            self._collect()
            if not self.start_s and self.ended:
                self.start_s = max(0.0, time.monotonic() - began - self.ended[0][1].seconds)

    def submit_networks(self, candidates: LimitedCandidates, began: float) -> None:
        """Random ones, each once, with a deadline that leaves room for `LEAST` of them at least."""
        rng, taken = np.random.default_rng([self._seed, 7]), set[str]()
        begun = time.monotonic()
        deadline = PILOT_S * self._workers / max(LEAST, self._workers)
        while True:
            while self._waiting < self._workers and self._room(begun, taken, deadline):
                one = candidates.sample(rng)
                if one.arch_id in taken:
                    taken.add(f"again {len(taken)}")  # a small space: its end must come
                    continue
                taken.add(one.arch_id)
                key = f"network-{len(taken)}"
                self._executor.submit(Job(key, one, Fidelity(self._epochs), self._seed, deadline_s=deadline))
                self._waiting += 1
            if not self._waiting:
                return
            self._collect()

    def _room(self, begun: float, taken: set[str], deadline: float) -> bool:
        """May another network begin? Judged by what the others took."""
        took = [outcome.seconds for job, outcome in self.ended if isinstance(job.subject, Architecture)]
        if len(taken) >= MOST:
            return False
        typical = max(took[-4:], default=0.0)
        return len(taken) < self._workers or time.monotonic() - begun + 0.8 * typical < PILOT_S

    def _collect(self) -> None:
        for job, outcome in self._executor.wait(WAIT_S):
            self._waiting -= 1
            self.ended.append((job, outcome))
            self._progress.jobs(len(self.ended), len(self.ended) + self._waiting, job.key)
