"""A space as a policy sees it: live decisions in the order of the tree, each with a handful of actions."""

from functools import lru_cache
from itertools import accumulate
from math import log

import numpy as np

from nasturtium.space import Choice, Space
from nasturtium.space.variation import LISTED

INTERVALS = 16
"""A number with more than `LISTED` values is a choice among so many equal intervals of its range (of the logarithm, if
it is drawn so); within one, values are uniform. An `integer` of fewer values has one action for each."""

READS = ("source", "inputs")
"""Fields of a cell's nodes (`blocks.cell_stack`) that say which earlier values are read."""

Walk = tuple[tuple[int, int], ...]
"""(decision, action) of the live decisions, in the order in which a policy makes them."""


class Actions:
    """counts: number of actions of each decision. starts: the first row of each in a table of all `total` actions.
    reads: decisions that choose what a node of a cell reads."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.sizes = space.program.sizes
        self.counts = tuple(
            named.decision.size
            if isinstance(named.decision, Choice) or named.decision.size <= LISTED
            else min(INTERVALS, named.decision.size)
            for named in space.decisions
        )
        self.starts = (0, *accumulate(self.counts))[:-1]
        self.total = sum(self.counts)
        self.reads = frozenset(named.index for named in space.decisions if named.path.rpartition(".")[2] in READS)
        self.walk = lru_cache(maxsize=4096)(self._walk)

    def action(self, decision: int, code: int) -> int:
        """The action under which a code falls."""
        return code * self.counts[decision] // self.sizes[decision]

    def code(self, decision: int, action: int, rng: np.random.Generator) -> int:
        """A code of an action; `rng` is drawn from only where it stands for several."""
        size, count = self.sizes[decision], self.counts[decision]
        first, after = -(-action * size // count), -(-(action + 1) * size // count)
        return first if after == first + 1 else int(rng.integers(first, after))

    def undecided(self, codes: list[int]) -> int | None:
        """The next live decision, as `Program.undecided`."""
        return self.space.program.undecided(codes)

    def uniform(self, codes: tuple[int, ...]) -> float:
        """Log-probability of a row of codes where each live decision is uniform: how the random control draws."""
        return -sum(log(self.counts[decision]) for decision, _ in self.walk(codes))

    def _walk(self, codes: tuple[int, ...]) -> Walk:
        made, found = [-1] * len(codes), list[tuple[int, int]]()
        while (decision := self.undecided(made)) is not None:
            made[decision] = codes[decision]
            found.append((decision, self.action(decision, codes[decision])))
        return tuple(found)


@lru_cache(maxsize=8)
def actions(space: Space) -> Actions:
    """The actions of a space, made once."""
    return Actions(space)
