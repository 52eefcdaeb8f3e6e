"""The architectures of a supernet that may be derived from it."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from nasturtium.errors import LimitError, SpaceError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits, shown
from nasturtium.hardware.walk import wander
from nasturtium.roles import Candidates, Features, Wanted
from nasturtium.space import Architecture, Space, encode, listed
from nasturtium.supernet.sizes import extremes

TRIES = 4096
"""Uniform samples for one that is allowed, before a walk from the smallest network."""
BOUNDED = ("params", "macs", "memory", "size")
"""Costs that are counted and can be limited."""
Feasible = Callable[[Architecture], bool]


def allowed(space: Space, wanted: Wanted | None) -> Candidates:
    """What `wanted` allows, as candidates. Raises `LimitError` where a limit is below the least possible cost.

    Limits on other than counted costs are checked by `wanted.costs`, where it has the cost.
    """
    wanted = wanted or Wanted()
    counted = Limits(**{name: limit for name, limit in wanted.limits.items() if name in BOUNDED})
    inside = LimitedCandidates(space, CostModel(space) if counted.items() else None, counted)
    worked_out = [(wanted.costs[name], limit) for name, limit in wanted.limits.items() if name in wanted.costs]
    if wanted.feasible is None and not worked_out:
        return inside

    def feasible(architecture: Architecture) -> bool:
        if wanted.feasible is not None and not wanted.feasible(architecture):
            return False
        return all(cost(architecture) <= limit for cost, limit in worked_out)

    return _Both(inside, feasible)


class _Both:
    """Candidates of which a function says which are feasible."""

    def __init__(self, inside: LimitedCandidates, feasible: Feasible) -> None:
        self._inside, self._feasible = inside, feasible

    @property
    def space(self) -> Space:
        return self._inside.space

    def feasible(self, architecture: Architecture) -> bool:
        return self._inside.feasible(architecture) and self._feasible(architecture)

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Uniform by rejection; where not one of `TRIES` is feasible, the end of a walk from the smallest network."""
        if self._is_common:
            for _ in range(64 * TRIES):
                drawn = self._inside.sample(rng)
                if self._feasible(drawn):
                    return drawn
        return wander([self._smallest], self.feasible, rng)

    @cached_property
    def listed(self) -> tuple[Architecture, ...] | None:
        return listed(self.space, self.feasible)

    def features(self, architecture: Architecture) -> Features:
        attached = self.space.attach(architecture)
        return {"encoding": np.asarray(encode(attached), dtype=float)}

    @cached_property
    def _is_common(self) -> bool:
        """Judged on samples of its own, so that a resumed search agrees."""
        rng = np.random.default_rng(0)
        return any(self._feasible(self._inside.sample(rng)) for _ in range(TRIES))

    @cached_property
    def _smallest(self) -> Architecture:
        """Raises `LimitError`, with what it costs, if not even this is feasible."""
        try:
            smallest = extremes(self.space).smallest
            costs = CostModel(self.space)(smallest)
        except SpaceError as error:
            raise LimitError(
                f"None of {TRIES:,} architectures of the space {self.space.name!r} is within the limits. Raise them."
            ) from error
        if self.feasible(smallest):
            return smallest
        least = ", ".join(f"{shown(name, costs[name])} {name}" for name in ("params", "macs"))
        raise LimitError(
            f"None of {TRIES:,} architectures of the space {self.space.name!r} is within the limits, nor is its "
            f"smallest path ({least}). Raise a limit, or give a space with narrower or fewer blocks."
        )
