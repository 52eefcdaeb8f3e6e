"""From the weights of the mixtures to architectures that may be used: the most probable ones that meet the limits."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from nasturtium.errors import LimitError
from nasturtium.roles import Wanted
from nasturtium.space import Architecture
from nasturtium.supernet.penalty import Lagrangian

if TYPE_CHECKING:
    from nasturtium.supernet.supernet import Supernet

Weights = Sequence[Float[np.ndarray, " options"]]

TRIES = 2000
"""Architectures that are looked at around a starting point."""
HALVINGS = 20
"""Steps of the bisection for the least tilt towards cheap options."""


def derive(
    supernet: "Supernet", weights: Weights, wanted: Wanted, costs: Lagrangian
) -> tuple[tuple[Architecture, ...], list[str]]:
    """Up to `wanted.count` feasible architectures, the most probable first, and remarks on what had to give.

    First the discretisation that the paper of the space prescribes; if it misses a limit, the architectures around it
    in order of probability; if none of `TRIES` meets the limits, those around the least tilt of the weights towards
    cheap options that does. Raises `LimitError` if there is none either.
    """
    feasible = wanted.feasible or (
        lambda architecture: all(cost <= costs.limits[name] for name, cost in costs.costs(architecture).items())
    )
    found: dict[Architecture, None] = {}
    looked: dict[Architecture, bool] = {}

    def collect(start: Weights) -> None:
        for settled in islice(nearby(start), TRIES):
            architecture = supernet.derive(settled)
            if architecture not in looked:
                looked[architecture] = feasible(architecture)
                if looked[architecture]:
                    found[architecture] = None
            if len(found) >= wanted.count:
                return

    collect(weights)
    first = next(iter(looked))
    if not found:
        tilted = _least_tilt(supernet, weights, costs, feasible)
        if tilted is not None:
            collect(tilted)
    if not found:
        raise LimitError(_hopeless(looked, costs))
    remarks = (
        [] if looked[first] else [f"Limits: {_missed(first, costs)}, so the most probable one that does is taken."]
    )
    return tuple(found), remarks


def nearby(weights: Weights) -> Iterator[list[Float[np.ndarray, " options"]]]:
    """Weights that are derived from to get other architectures: the given ones, then in order of probability.

    In some mixtures the strongest option has changed places with another one, and everything else is as it was, so
    that what is settled by comparing mixtures stays comparable. The probability is that of independent mixtures.
    Options of weight 0 are never the strongest.
    """
    ranked = [np.argsort(-mixture, kind="stable") for mixture in weights]
    with np.errstate(divide="ignore"):
        losses = [
            np.log(mixture[order[0]]) - np.log(mixture[order]) for mixture, order in zip(weights, ranked, strict=True)
        ]
    start = (0,) * len(weights)
    queue: list[tuple[float, tuple[int, ...], int]] = [(0.0, start, 0)]
    while queue:
        lost, ranks, place = heapq.heappop(queue)
        yield [_swapped(mixture, order, rank) for mixture, order, rank in zip(weights, ranked, ranks, strict=True)]
        # Every combination has one parent, the one with its last changed mixture a rank lower: none comes twice.
        for changed in range(place, len(weights)):
            rank = ranks[changed] + 1
            if rank < len(ranked[changed]) and losses[changed][rank] < inf:
                more = lost - losses[changed][rank - 1] + losses[changed][rank]
                heapq.heappush(queue, (more, (*ranks[:changed], rank, *ranks[changed + 1 :]), changed))


def cheapest(supernet: "Supernet", weights: Weights, costs: Lagrangian) -> dict[str, float]:
    """The least of each limited cost that is found by taking the cheapest options."""
    return costs.costs(supernet.derive(_tilted(weights, costs.excess(weights), 1e6)))


def _least_tilt(supernet: "Supernet", weights: Weights, costs: Lagrangian, feasible: object) -> Weights | None:
    excess = costs.excess(weights)
    low, high = 0.0, 1.0

    def meets(tilt: float) -> bool:
        return bool(feasible(supernet.derive(_tilted(weights, excess, tilt))))  # type: ignore[operator]

    while not meets(high):
        low, high = high, 4 * high
        if high > 1e7:
            return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return _tilted(weights, excess, high)


def _tilted(weights: Weights, excess: Weights, tilt: float) -> list[Float[np.ndarray, " options"]]:
    """Weights times exp(-tilt * excess), each mixture with the sum that it had."""
    tilted = []
    for mixture, cost in zip(weights, excess, strict=True):
        scaled = mixture * np.exp(-tilt * (cost - cost[mixture > 0].min()))
        scaled = np.maximum(scaled, np.where(mixture > 0, 1e-300, 0.0))
        tilted.append(scaled * (mixture.sum() / scaled.sum()))
    return tilted


def _swapped(mixture: np.ndarray, order: np.ndarray, rank: int) -> Float[np.ndarray, " options"]:
    if rank == 0:
        return mixture
    changed = mixture.copy()
    changed[order[0]], changed[order[rank]] = mixture[order[rank]], mixture[order[0]]
    return changed


def _missed(architecture: Architecture, costs: Lagrangian) -> str:
    above = [
        f"{name} {value:,.6g} is above the limit {costs.limits[name]:,.6g}"
        for name, value in costs.costs(architecture).items()
        if value > costs.limits[name]
    ]
    return f"the architecture that was learnt does not meet the limits ({'; '.join(above) or 'it is not feasible'})"


def _hopeless(looked: dict[Architecture, bool], costs: Lagrangian) -> str:
    known = [costs.costs(architecture) for architecture in looked]
    least = "; ".join(
        f"the least {name} is {min(found[name] for found in known):,.6g}, the limit {limit:,.6g}"
        for name, limit in costs.limits.items()
    )
    return (
        f"None of {len(looked)} architectures around what was learnt meets the limits{': ' + least if least else ''}. "
        "Loosen a limit, or give the space smaller options."
    )
