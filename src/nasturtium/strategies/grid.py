"""Grid search: every combination, in an order that is spread over the space from the first trial on.

The order is a Kronecker sequence (Niederreiter, "Random Number Generation and Quasi-Monte Carlo Methods", SIAM 1992):
combinations are numbered, and each step adds the golden section of their number, modulo that number. Every decision
thereby turns by an irrational part of its range, and no combination comes twice.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd, prod

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Choice, Decision, Space
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import History

GOLDEN = (618_033_988_749_894_848, 10**18)
PASSED = 10_000
"""Combinations in a row that are known or not within the limits, before a random architecture takes the place."""


@dataclass(frozen=True)
class Grid:
    """All options of each choice, and each number at `levels` evenly spaced values, both ends included.

    The seed plays no part until the grid is used up; then random architectures between its levels follow, if there
    are any. Where it stands is read from the history: the next is the first of the order that was not proposed.
    """

    levels: int = 4
    name: str = "grid"

    def __post_init__(self) -> None:
        if self.levels < 2:
            raise RunError(f"levels is {self.levels}: a grid needs at least 2, the ends of a range.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        space = candidates.space
        size = prod(len(values) for values in _values(space, self.levels))
        places = iter(range(size))

        def attempt(made: int) -> Architecture | None:
            place = next(places, None)
            return None if place is None else _at(space, self.levels, place)

        return novel(history, count, candidates, generator(seed, history), attempt, len(history.trials) + PASSED)


def levels_of(decision: Decision, levels: int) -> tuple[int, ...]:
    """Codes of the values on the grid: all options of a choice, and `levels` numbers at most."""
    if isinstance(decision, Choice) or decision.size <= levels:
        return tuple(range(decision.size))
    return tuple(round(level * (decision.size - 1) / (levels - 1)) for level in range(levels))


@lru_cache(maxsize=8)
def _values(space: Space, levels: int) -> tuple[tuple[int, ...], ...]:
    return tuple(levels_of(named.decision, levels) for named in space.decisions)


@lru_cache(maxsize=20_000)
def _at(space: Space, levels: int, place: int) -> Architecture:
    """The combination at this place of the order. Kept, so that its `arch_id` is worked out once."""
    values = _values(space, levels)
    size = prod(len(codes) for codes in values)
    # From the middle, since the first combination of all has each number at its lowest.
    left = (size // 2 + place * _step(size)) % size
    raw = list[int]()
    for codes in values:
        left, digit = divmod(left, len(codes))
        raw.append(codes[digit])
    return space.from_codes(space.program.mask(raw))


@lru_cache(maxsize=8)
def _step(size: int) -> int:
    """The number nearest to the golden section of `size` that has no factor in common with it, from there upwards."""
    step = max(1, size * GOLDEN[0] // GOLDEN[1])
    while gcd(step, size) != 1:
        step += 1
    return step
