"""Feasible architectures where uniform sampling finds none: from the least costs on, by single changes."""

from collections.abc import Callable, Sequence

import numpy as np

from nasturtium.hardware.costs import CostModel
from nasturtium.space import Architecture, mutate, neighbours

STEPS = 64
"""Changes tried on a random walk, so that its end is not tied to its start."""


def minimiser(costs: CostModel, name: str) -> Architecture:
    """An architecture with the least possible value of one cost.

    Decisions are made one after the other, each so that the conditional bound stays at the least.
    """
    bounds = costs.bounds(names=(name,))
    assert bounds is not None, "a space in which nothing can be built has no least cost"
    given: dict[int, int] = {}
    for named in costs.space.decisions:
        for code in range(named.decision.size):
            attempt = costs.bounds(given | {named.index: code}, names=(name,))
            if attempt is not None and attempt.low[name] == bounds.low[name]:
                given[named.index] = code
                break
        else:  # bounds that are not exact: the first value will do
            given[named.index] = 0
    raw = [given[index] for index in range(len(costs.space.decisions))]
    return costs.space.from_codes(costs.space.program.mask(raw))


def descend(
    start: Architecture, costs: CostModel, limits: Sequence[tuple[str, float]], most_steps: int = 200
) -> Architecture | None:
    """Steepest descent of the sum of relative excesses over the limits; None where it ends above zero."""

    def excess(architecture: Architecture) -> float:
        found = costs(architecture)
        return sum(max(0.0, found[name] / limit - 1) for name, limit in limits)

    best, least = start, excess(start)
    for _ in range(most_steps):
        if least == 0:
            return best
        scored = [(excess(near), at, near) for at, near in enumerate(neighbours(best))]
        value, _, near = min(scored)
        if value >= least:
            return None
        best, least = near, value
    return None


def wander(
    starts: Sequence[Architecture], feasible: Callable[[Architecture], bool], rng: np.random.Generator
) -> Architecture:
    """The end of a random walk through feasible architectures, from one of the starts."""
    here = starts[int(rng.integers(len(starts)))]
    for _ in range(STEPS):
        there = mutate(here, rng)
        if feasible(there):
            here = there
    return here
