"""Local search: move to a better neighbour; at a local minimum, start again elsewhere.

White, Nolen and Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021 (arXiv:2005.02960):
algorithm 1, its query-until-lower variant, and the restarts of its section 3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.space.variation import neighbours
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History, Trial

Codes = tuple[int, ...]


@dataclass(frozen=True)
class LocalSearch:
    """Each descent starts from the best of `initial` random architectures.

    initial: 10 in the paper's code (naszilla), 1 in its algorithm 1. steepest: score all neighbours and move to the
    best, as algorithm 1 does; the default is to move to the first that is better, its query-until-lower variant, which
    takes half as many trials on NAS-Bench-201. With several objectives, "better" is dominance.

    Where the search stands is found by running it again on what is known: a neighbour that was scored before, by
    whomever, is looked up instead of proposed, and the first that is unknown is the proposal. Neighbours are looked at
    in an order drawn for each visit from the seed of the trial that they surround. The starts of a descent are the
    earliest trials that no descent before it has looked at. Neighbours that are running or have failed are passed by.
    """

    initial: int = 10
    steepest: bool = False
    name: str = "local-search"

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise RunError(f"initial is {self.initial}: a descent needs at least 1 start.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        around = _Walk(self, history, candidates).unknown
        # Every neighbour may be tried: `around` ends by itself, and then a random start follows.
        return novel(history, count, candidates, generator(seed, history), lambda made: next(around, None), 2**31)

    def centre(self, history: History, candidates: Candidates) -> Trial | None:
        """Where the present descent stands; None while its random starts are being gathered."""
        return _Walk(self, history, candidates).centre


class _Walk:
    """The search as far as the history knows the scores.

    centre: where it ends. unknown: neighbours of it that could be proposed next, in this order.
    """

    def __init__(self, rule: LocalSearch, history: History, candidates: Candidates) -> None:
        self._candidates, self._ids = candidates, history.ids
        self._trials = seasoned(history)
        self._array = history.losses(tuple(self._trials))
        self._losses = self._array.tolist()  # thousands of comparisons an ask: lists are quicker than small arrays
        self._rows = {trial.architecture.arch_id: row for row, trial in enumerate(self._trials)}
        self._seen: set[int] = set()
        self.centre: Trial | None = None
        self.unknown: Iterator[Architecture] = iter(())
        self._stopped = False
        descent = 0
        while (row := self._start(rule.initial)) is not None:
            while row is not None:
                self.centre = self._trials[row]
                around = self._around(row, descent)
                row = self._best(row, around) if rule.steepest else self._first(row, around)
                if self._stopped:
                    return
            self.centre, descent = None, descent + 1

    def _start(self, initial: int) -> int | None:
        """The best of the next starts; None where there are too few."""
        unseen = (row for row in range(len(self._trials)) if row not in self._seen)
        starts = [row for row, _ in zip(unseen, range(initial), strict=False)]
        if len(starts) < initial:
            return None
        self._seen.update(starts)
        return starts[pareto.order(self._array[starts])[0]]

    def _around(self, row: int, descent: int) -> tuple[Architecture, ...]:
        space = self._candidates.space
        trial = self._trials[row]
        return _shuffled(space, space.codes(trial.architecture), trial.seed, descent)

    def _first(self, centre: int, around: tuple[Architecture, ...]) -> int | None:
        """Query until lower: the first neighbour that is better; None at a local minimum, or at the unknown."""
        for place, other in enumerate(around):
            row = self._rows.get(other.arch_id)
            if row is not None:
                self._seen.add(row)
                if self._better(row, centre):
                    return row
            elif self._open(other):
                # The rest is looked at only if a batch asks for it: identities are costly.
                self.unknown = chain([other], self._openings(around[place + 1 :]))
                self._stopped = True
                return None
        return None

    def _best(self, centre: int, around: tuple[Architecture, ...]) -> int | None:
        """Algorithm 1: the best of all neighbours, if it is better; None at a local minimum, or at the unknown."""
        unknown = list(self._openings(around))
        self.unknown, self._stopped = iter(unknown), bool(unknown)
        rows = [row for other in around if (row := self._rows.get(other.arch_id)) is not None]
        self._seen.update(rows)
        better = [] if unknown else [row for row in dict.fromkeys(rows) if self._better(row, centre)]
        return better[pareto.order(self._array[better])[0]] if better else None

    def _openings(self, around: tuple[Architecture, ...]) -> Iterator[Architecture]:
        return (other for other in around if self._open(other))

    def _open(self, other: Architecture) -> bool:
        return other.arch_id not in self._ids and self._candidates.feasible(other)

    def _better(self, row: int, than: int) -> bool:
        mine, yours = self._losses[row], self._losses[than]
        if len(mine) == 1:
            return mine < yours
        return mine != yours and all(left <= right for left, right in zip(mine, yours, strict=True))


@lru_cache(maxsize=4096)
def _neighbours(space: Space, codes: Codes) -> tuple[Architecture, ...]:
    """Kept, so that their `arch_id`s are worked out once."""
    return tuple(neighbours(space.from_codes(codes)))


@lru_cache(maxsize=4096)
def _shuffled(space: Space, codes: Codes, seed: int, descent: int) -> tuple[Architecture, ...]:
    """An order for each visit: with one for all, a descent that meets an earlier one would follow it to its end."""
    found = _neighbours(space, codes)
    return tuple(found[row] for row in np.random.default_rng([seed, descent]).permutation(len(found)))
