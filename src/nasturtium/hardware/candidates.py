"""Architectures within the limits: what a strategy may propose."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np
from jaxtyping import Float

from nasturtium.blocks.labelled import cells, path_features, wl_features
from nasturtium.blocks.paths import graph_features
from nasturtium.errors import LimitError
from nasturtium.hardware.costs import COUNTED, CostModel, unbuildable
from nasturtium.hardware.limits import Limits, shown
from nasturtium.hardware.walk import descend, minimiser, wander
from nasturtium.roles import Features
from nasturtium.space import Architecture, Space, encode, listed

TRIES = 16_384
"""Uniform samples that are looked at before the directed search begins: well under a second."""
CELL_SAMPLES = 8
PATIENCE = 64
"""Times `TRIES`: uniform samples for one that is feasible, where such are known to exist."""


class Lazy(Mapping[str, Float[np.ndarray, " features"]]):
    """Groups of features that are worked out when they are asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Float[np.ndarray, " features"]]]) -> None:
        self._makers = makers

    def __getitem__(self, group: str) -> Float[np.ndarray, " features"]:
        return self._makers[group]()

    def __contains__(self, group: object) -> bool:
        return group in self._makers  # a mapping of its own accord would work it out to see

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class LimitedCandidates:
    """The architectures of a space that meet the limits that are counted; fulfils `roles.Candidates`.

    costs: None for a space whose costs cannot be counted (its root is not a block); then only a latency, which is
    measured later, may be limited. Raises `LimitError` if nothing in the space can meet the limits, saying which limit,
    the least value that can be reached and what to change.
    """

    def __init__(self, space: Space, costs: CostModel | None, limits: Limits) -> None:
        self._space, self._costs, self.limits = space, costs, limits
        self._counted = tuple((name, limit) for name, limit in limits.items() if name in COUNTED)
        if self._counted:
            self._refuse_impossible()

    @property
    def space(self) -> Space:
        return self._space

    def feasible(self, architecture: Architecture) -> bool:
        """Does it meet every limit that is counted, and can it be built?"""
        return self._costs is None or self._costs.meets(self._space.codes(architecture), self.limits)

    def sample(self, rng: np.random.Generator) -> Architecture:
        """A feasible architecture, uniform over the live decisions (by rejection).

        Where not one of `TRIES` samples is feasible: the end of a random walk through feasible ones, begun at the least
        costs. Raises `LimitError` if none is found. The answer follows from `rng` alone, whatever was asked before.
        """
        if self._is_common:
            found = self._uniform(rng, PATIENCE * TRIES)
            if found is not None:
                return found
        return wander(self._starts, self.feasible, rng)

    @cached_property
    def listed(self) -> tuple[Architecture, ...] | None:
        """The feasible architectures, one for each `arch_id`, where the space is small enough to list."""
        return listed(self._space, self.feasible)

    def features(self, architecture: Architecture) -> Features:
        """The encoding; of networks also log(1 + cost) of params, MACs and activations, and the features of the graph;
        where there are cells, path encodings and Weisfeiler-Lehman counts. Worked out when they are asked for."""
        attached = self._space.attach(architecture)
        makers: dict[str, Callable[[], Float[np.ndarray, " features"]]] = {
            "encoding": lambda: np.asarray(encode(attached), dtype=float)
        }
        costs = self._costs
        if costs is not None:
            # Those that add up: peak memory and file size follow them, and take five times as long to count.
            makers["costs"] = lambda: np.log1p(list(costs.sums(self._space.codes(attached)).values()))
            makers["graph"] = lambda: graph_features(attached.tree, costs.input)
            if self._has_cells:
                makers["paths"] = lambda: path_features(attached.tree.lower(costs.input))
                makers["wl"] = lambda: wl_features(attached.tree.lower(costs.input))
        return Lazy(makers)

    @cached_property
    def _has_cells(self) -> bool:
        """Judged by a few samples: a cell of which nothing is live is none."""
        assert self._costs is not None
        rng = np.random.default_rng(0)
        drawn = [self.sample(rng) for _ in range(CELL_SAMPLES)]
        return any(cells(one.tree.lower(self._costs.input)) for one in drawn)

    def _uniform(self, rng: np.random.Generator, tries: int) -> Architecture | None:
        """The first feasible one of so many uniform samples."""
        looked, count = 0, 16
        while looked < tries:
            for codes in self._space.sample_codes(rng, count):
                if self._costs is None or self._costs.meets(codes, self.limits):
                    return self._space.from_codes(codes)
            looked, count = looked + count, min(4096, count * 4)
        return None

    @cached_property
    def _is_common(self) -> bool:
        """Do uniform samples find feasible ones? Judged on samples of its own, so that a resumed search agrees."""
        return not self._counted or self._uniform(np.random.default_rng(0), TRIES) is not None

    @cached_property
    def _starts(self) -> list[Architecture]:
        """Feasible architectures near the least costs; looked for only where uniform samples find none."""
        assert self._costs is not None
        least = [minimiser(self._costs, name) for name, _ in self._counted]
        found = [architecture for architecture in least if self.feasible(architecture)]
        if not found:
            found = self._descend(least)
        if found:
            return found
        names = " and ".join(f"{name} {shown(name, limit)}" for name, limit in self._counted)
        reached = "; ".join(self._described(architecture) for architecture in least)
        raise LimitError(
            f"No architecture of the space {self._space.name!r} was found that meets {names} together. "
            f"Nearest: {reached}. Raise one of the limits, or give a space with narrower or fewer blocks."
        )

    def _descend(self, starts: list[Architecture]) -> list[Architecture]:
        """Hill climbing on the sum of relative excesses, from each start."""
        assert self._costs is not None
        return [end for start in starts if (end := descend(start, self._costs, self._counted)) is not None]

    def _described(self, architecture: Architecture) -> str:
        assert self._costs is not None
        costs = self._costs(architecture)
        return ", ".join(f"{name} {shown(name, costs[name])}" for name, _ in self._counted)

    def _refuse_impossible(self) -> None:
        names = tuple(name for name, _ in self._counted)
        if self._costs is None:
            raise LimitError(
                f"The limit on {names[0]} cannot be checked: the root of the space {self._space.name!r} is not a block."
            )
        bounds = self._costs.bounds(names=names)
        if bounds is None:
            raise LimitError(unbuildable(self._space, self._costs))
        for name, limit in self._counted:
            low = bounds.low[name]
            if low > limit:
                least = "the least possible is" if bounds.exact else "no less was found than"
                raise LimitError(
                    f"No architecture of the space {self._space.name!r} meets the limit of {shown(name, limit)} "
                    f"{name}: {least} {low:,}. Raise the limit to {shown_up(name, low)} or more, or give a space with "
                    "narrower or fewer blocks."
                )


def shown_up(name: str, value: float) -> str:
    """A cost rounded up to three digits, so that it can be given as a limit: 12,341 becomes "12.4k"."""
    step = 10 ** max(0, len(str(int(value))) - 3)
    return shown(name, -(-value // step) * step).replace(" ", "")
