"""How long a run of `search` will take, from what a pilot measured."""

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import mean

import numpy as np
from scipy.optimize import nnls

from nasturtium.advisor import Estimate
from nasturtium.blocks import counted
from nasturtium.evaluators import lowered
from nasturtium.hardware import Limits
from nasturtium.predictors.correlation import LEAST_TRIALS
from nasturtium.protocol import RESPLITS, SEEDS, SHIPPED, Plan
from nasturtium.protocol.plan import MORE_ROWS, SHORTLIST, SHORTLIST_RESPLITS, makespan
from nasturtium.task import Task
from nasturtium.workflows.length import LEAST_EPOCHS, MOST_KEPT, WANTED_TRIALS
from nasturtium.workflows.piloting import Pilot
from nasturtium.zoo import known_networks, within

WORKER_S = 3.0
"""That a worker takes to start where nothing else runs."""
FILES_S = 5.0
"""Of files, checks, test and report, likewise; `protocol.plan` keeps more, to be sure."""
ASK_S = 0.08
"""That a worker waits for its next proposal."""
AUDIT_S = 4.0
AUDIT_SHARE = 0.5
"""The audit of proxies takes so long, and so many times a training in the mean on top."""
FOUND = 1.15
"""What a search likes takes so many times as long as a random network."""
STARTS = 1.5
"""Starting takes this process so many times as long as a worker: it loads more."""
UNSURE = 1.5
"""Factor to each side that should hold nine of ten runs."""
CLOCKED_LEAST, CLOCKED_MOST = 0.85, 1.1
"""The same of a budget: runs end a little early, for trainings are not cut in the middle."""
ROUNDING = 1e-9
"""A part of the seconds smaller than that is what a fit leaves of nothing, and differs between machines."""


@dataclass(frozen=True)
class Run:
    """A run that is foreseen. trials, epochs: of each. parts: seconds by phase. clocked: a clock says when it ends."""

    trials: int
    epochs: int
    parts: dict[str, float]
    clocked: bool = False

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())

    def estimate(self, how: str) -> Estimate:
        least, most = (CLOCKED_LEAST, CLOCKED_MOST) if self.clocked else (1 / UNSURE, UNSURE)
        low, high = round(least * self.seconds, 1), round(most * self.seconds, 1)
        return Estimate(round(self.seconds, 1), low, high, "predicted", how)


def foresee(pilot: Pilot, task: Task, limits: Limits, trials: int | None, budget_s: float | None) -> Run:
    """What `search` would do with so many trials, or within a budget, or both."""
    each = mean([one.full_s for one in pilot.tried])
    known = [_predicted(pilot, macs) for macs in _known(task, limits)]
    simple = sum(seconds for _, seconds in pilot.simple.values())
    started = STARTS * pilot.start_s
    opening = {"start": started, "baselines": pilot.start_s + makespan([*known, simple], pilot.workers)}
    if budget_s is None:
        count = trials or WANTED_TRIALS
        return Run(count, pilot.epochs, {**opening, **_search(pilot, each, count), **_ending(pilot, each, known)})
    return _within(pilot, each, known, opening, trials, budget_s)


def _within(
    pilot: Pilot, each: float, known: list[float], opening: dict[str, float], trials: int | None, budget_s: float
) -> Run:
    """Under a clock: as `workflows.length` shares it out. What is left is searched, so the clock is used up."""
    plan = Plan(budget_s, pilot.workers)
    left = max(1.0, budget_s - sum(opening.values()))
    typical = float(np.median(known)) if known else each
    kept = min(plan.reserve_s(typical), MOST_KEPT * left)
    room = (left - kept) * pilot.workers
    seconds = min(typical, room / (trials or WANTED_TRIALS))
    epochs = max(min(pilot.epochs, LEAST_EPOCHS), min(pilot.epochs, round(pilot.epochs * seconds / typical)))
    cut = epochs / pilot.epochs
    count = trials or max(1, round(room / (each * cut + ASK_S)))
    parts = {**opening, **_search(pilot, each * cut, count), **_ending(pilot, each, known)}
    whole = Run(count, epochs, parts)
    if whole.seconds <= budget_s and trials is not None:
        return whole
    searched = parts["search"] + max(0.0, budget_s - whole.seconds)
    if whole.seconds <= budget_s:
        return Run(count, epochs, {**parts, "search": searched}, clocked=True)
    return Run(count, epochs, {"all, by the clock": budget_s}, clocked=True)


def _search(pilot: Pilot, each: float, trials: int) -> dict[str, float]:
    audited = AUDIT_S * _busy(pilot) + AUDIT_SHARE * each if trials >= LEAST_TRIALS else 0.0
    return {"search": trials * (each + ASK_S) / pilot.workers, "audit": audited}


def _ending(pilot: Pilot, each: float, known: list[float]) -> dict[str, float]:
    """Shortlist, finalists on resplits, final trainings of two sides, files. As in `protocol.plan`."""
    liked = FOUND * each
    listed = ceil(SHORTLIST * SHORTLIST_RESPLITS / pilot.workers) * liked
    rival = max(known, default=0.0)
    compared = RESPLITS * (2 * liked + rival) / pilot.workers
    finals = MORE_ROWS * SEEDS * (liked + (SHIPPED - 1) * rival) / pilot.workers
    return {"shortlist": listed, "finalists": compared, "final trainings": finals, "files": FILES_S * _busy(pilot)}


def _busy(pilot: Pilot) -> float:
    """How much slower than usual this machine is at work that is no training, judged by the start of a worker: by its
    root, for starting suffers most where others use the disk and the cores."""
    return max(0.5, sqrt(pilot.start_s / WORKER_S))


def _known(task: Task, limits: Limits) -> list[float]:
    """MACs of the known networks that a search trains as baselines."""
    return [
        float(counted(lowered(one.tree, task), task.input).macs) for one in within(known_networks(task), limits, task)
    ]


def affordable_macs(pilot: Pilot, seconds: float) -> float | None:
    """MACs of a network whose full training takes so many seconds; None where the pilot does not say."""
    if not pilot.tried:
        return None
    constant, rate = _line(pilot)
    return (seconds - constant) / rate if rate > 0 and seconds > constant else None


def _predicted(pilot: Pilot, macs: float) -> float:
    """Seconds of a full training."""
    constant, rate = _line(pilot)
    return constant + rate * macs


def _line(pilot: Pilot) -> tuple[float, float]:
    """Seconds of a full training as a constant and a rate for each MAC, fitted to the pilot's networks (least squares,
    neither below zero)."""
    seen = np.array([[1.0, one.macs] for one in pilot.tried])
    scale = seen.max(axis=0)
    found, _ = nnls(seen / scale, np.array([one.full_s for one in pilot.tried]))
    constant, rate = np.where(found > ROUNDING * found.sum(), found, 0.0) / scale
    return float(constant), float(rate)
