"""The comparison of the finalists: fresh resplits of the development rows, one seed each, the same for all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np

from nasturtium.classical import Classical
from nasturtium.protocol.contenders import Contender
from nasturtium.protocol.plan import RESPLITS, SHORTLIST_RESPLITS
from nasturtium.protocol.verdict import Finalist
from nasturtium.roles import Job, Outcome
from nasturtium.training import METRICS
from nasturtium.trial import Fidelity

SeedOf = Callable[[str, int], int]

COMPARED = range(RESPLITS)
LISTED = range(RESPLITS, RESPLITS + SHORTLIST_RESPLITS)
"""Resplits of the shortlist: others than those of the comparison, which therefore tests one network only."""


def resplit_jobs(
    contenders: Sequence[Contender],
    numbers: range,
    seed_of: SeedOf,
    deadline_s: float | None,
    folder: Path | None = None,
) -> list[Job]:
    """Every contender on every resplit. A resplit's seed is one for all: what differs is the contender alone.

    folder: where networks leave their weights, for final trainings that go on from them; None keeps none.
    """
    return [
        Job(
            key=_key(number, contender),
            subject=contender.subject,
            fidelity=Fidelity(contender.epochs),
            seed=seed_of("resplit", number),
            fold=f"resplit-{number}",
            checkpoint=_left(contender, number, folder),
            deadline_s=deadline_s,
        )
        for number in numbers
        for contender in contenders
    ]


def _left(contender: Contender, number: int, folder: Path | None) -> str | None:
    if folder is None or isinstance(contender.subject, Classical):
        return None
    return str(folder / f"resplit-{number}-{contender.name}.safetensors")


def begun(contender: Contender, outcomes: Mapping[str, Outcome]) -> Contender:
    """The contender with the checkpoints of its comparison, if the clock cut every training of it."""
    mine = [outcomes[_key(number, contender)] for number in COMPARED]
    epochs = [one.measures.get("epochs", 0.0) for one in mine]
    checkpoints = tuple(one.checkpoint for one in mine if one.checkpoint is not None)
    whole = max(epochs) >= contender.epochs - 0.5 or any("kept_epochs" not in one.measures for one in mine)
    if whole or len(checkpoints) < len(mine):
        return contender
    return replace(contender, begun=checkpoints, begun_epochs=float(np.mean(epochs)))


def _key(number: int, contender: Contender) -> str:
    return f"resplit/{number}/{contender.name}"


def resplit_scores(
    contender: Contender, numbers: range, outcomes: Mapping[str, Outcome], metric: str
) -> tuple[float, ...]:
    """Score on each resplit; NaN where the training failed."""
    mine = (outcomes[_key(number, contender)] for number in numbers)
    return tuple(nan if outcome.failure else outcome.measures.get(metric, nan) for outcome in mine)


def final_epochs(contender: Contender, outcomes: Mapping[str, Outcome]) -> int:
    """Epochs of the final training, which has no rows to stop early by: the mean of those kept on the resplits.

    Where nothing stopped early that is the full length; where the clock cut a resplit short, too.
    """
    mine = [outcomes[_key(number, contender)].measures for number in COMPARED]
    kept = [one["kept_epochs"] for one in mine if one.get("kept_epochs", 0) < one.get("epochs", 0)]
    return max(1, round(float(np.mean(kept)))) if kept else contender.epochs


def best_listed(listed: Sequence[Contender], outcomes: Mapping[str, Outcome], metric: str) -> Contender | None:
    """The best of the shortlist by its search score and its resplits together; None if all failed.

    The first by search score alone is often the luckiest, not the best.
    """
    sign = 1.0 if METRICS[metric].direction == "maximize" else -1.0
    means = {
        one.name: sign * float(np.mean([one.measures[metric], *resplit_scores(one, LISTED, outcomes, metric)]))
        for one in listed
    }
    sound = [one for one in listed if np.isfinite(means[one.name])]
    return max(sound, key=lambda one: means[one.name], default=None)


def named_found(contender: Contender) -> Contender:
    """The contender that stands for the search."""
    return replace(contender, name="found")


def finalist(contender: Contender, outcomes: Mapping[str, Outcome], metric: str, why_not: tuple[str, ...]) -> Finalist:
    """The contender as the verdict sees it. why_not: limits that it breaks, in words."""
    scores = resplit_scores(contender, COMPARED, outcomes, metric)
    linear = isinstance(contender.subject, Classical) and contender.subject.family == "linear"
    return Finalist(contender.name, contender.role, scores, contender.measures, why_not, linear)
