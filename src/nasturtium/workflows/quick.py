"""Architectures that are predicted to be quick enough: what a search on inherited scores may look at.

It looks at thousands, and a measurement of one takes a second or two. What it finds is measured on its exported file.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from nasturtium.errors import LimitError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits, shown
from nasturtium.hardware.walk import minimiser, wander
from nasturtium.roles import Features
from nasturtium.space import Architecture, Space

TRIES = 64
"""Architectures within the other limits that are looked at for one that is quick, before a walk leads to one."""


class QuickCandidates:
    """The architectures within counted limits whose predicted latency is within its limit; fulfils `roles.Candidates`.

    within: its `limits` have a latency. predict: median milliseconds of one row. Raises `LimitError` where none is
    found, saying how quick the quickest of those that were looked at is.
    """

    def __init__(self, within: LimitedCandidates, costs: CostModel, predict: Callable[[Architecture], float]) -> None:
        assert within.limits.latency_ms is not None, "without a limit on latency LimitedCandidates will do"
        self._within, self._costs, self._predict = within, costs, predict
        self._most_ms = within.limits.latency_ms
        if not self._starts:
            raise LimitError(self._too_slow())

    @property
    def space(self) -> Space:
        return self._within.space

    @property
    def limits(self) -> Limits:
        return self._within.limits

    def feasible(self, architecture: Architecture) -> bool:
        return self._within.feasible(architecture) and self._predict(architecture) <= self._most_ms

    def sample(self, rng: np.random.Generator) -> Architecture:
        """One of the first `TRIES` samples within the other limits; the end of a random walk where none is quick."""
        for _ in range(TRIES):
            drawn = self._within.sample(rng)
            if self._predict(drawn) <= self._most_ms:
                return drawn
        return wander(self._starts, self.feasible, rng)

    @property
    def listed(self) -> tuple[Architecture, ...] | None:
        listed = self._within.listed
        return None if listed is None else tuple(one for one in listed if self._predict(one) <= self._most_ms)

    def features(self, architecture: Architecture) -> Features:
        return self._within.features(architecture)

    @cached_property
    def _looked_at(self) -> list[Architecture]:
        """Within the other limits: those of least costs, and a few drawn by a seed of their own."""
        rng = np.random.default_rng(0)
        least = [minimiser(self._costs, name) for name in ("macs", "activations", "params")]
        return [one for one in least if self._within.feasible(one)] + [self._within.sample(rng) for _ in range(TRIES)]

    @cached_property
    def _starts(self) -> list[Architecture]:
        return [one for one in self._looked_at if self._predict(one) <= self._most_ms]

    def _too_slow(self) -> str:
        quickest_ms = min(map(self._predict, self._looked_at))
        return (
            f"No network of the space {self.space.name!r} was found within {shown('latency_ms', self._most_ms)} of "
            f"latency and the other limits: the quickest takes about {shown('latency_ms', quickest_ms)} on this "
            "machine. Raise the limit on latency, or leave it out."
        )
