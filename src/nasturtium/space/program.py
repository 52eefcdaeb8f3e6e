"""The flat program of a space: which decisions are live, for one row of codes or for thousands at once.

A guard is a stretch of tree that is live while one decision has a code in a range (an option taken, or a repeat that
is long enough). Guards lie in depth-first order, so a dead one is jumped over with all that it holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from nasturtium.space.places import Codes, Fork, Group, Place, Span

CHUNK = 4096


@dataclass
class Guard:
    """Live where the parent guard is and `low <= codes[decision] <= high`.

    parent: number of a guard, -1 for the root. mine: decisions that are live with it. end: first guard not inside it.
    """

    decision: int
    low: int
    high: int
    parent: int
    mine: list[int]
    end: int = 0


class Program:
    """The guards of a space and what is computed with them.

    sizes: number of values of each decision. always: decisions that are never dead.
    """

    def __init__(self, root: Place, sizes: Sequence[int]) -> None:
        self.sizes = tuple(sizes)
        self._always: list[int] = []
        self._guards: list[Guard] = []
        self._seen: dict[Place, list[int]] = {}
        self._emit(root, -1)
        del self._seen
        self.always = frozenset(self._always)
        self._steps = [(guard.decision, guard.low, guard.high, guard.end, tuple(guard.mine)) for guard in self._guards]

    def mask(self, raw: Codes) -> tuple[int, ...]:
        """The codes with those of dead decisions set to -1. raw: a valid code for every decision that may be live."""
        codes = [-1] * len(self.sizes)
        for index in self._always:
            codes[index] = raw[index]
        steps, at = self._steps, 0
        while at < len(steps):
            decision, low, high, end, mine = steps[at]
            if low <= raw[decision] <= high:
                for index in mine:
                    codes[index] = raw[index]
                at += 1
            else:
                at = end
        return tuple(codes)

    def undecided(self, raw: Codes) -> int | None:
        """A decision that is live given the others and has the code -1, the first in the order of the tree."""
        for index in self._always:
            if raw[index] < 0:
                return index
        steps, at = self._steps, 0
        while at < len(steps):
            decision, low, high, end, mine = steps[at]
            if low <= raw[decision] <= high:
                for index in mine:
                    if raw[index] < 0:
                        return index
                at += 1
            else:
                at = end
        return None

    def live(self, raw: Int[np.ndarray, "decisions rows"]) -> Bool[np.ndarray, "decisions rows"]:
        """Which decisions are live, for many rows at once (one row a decision, so that each stays contiguous)."""
        alive = np.zeros(raw.shape, dtype=bool)
        alive[self._always] = True
        states: list[Bool[np.ndarray, " rows"]] = []
        for guard in self._guards:
            column = raw[guard.decision]
            state = column == guard.low if guard.low == guard.high else column >= guard.low
            if guard.parent >= 0:
                state &= states[guard.parent]
            states.append(state)
            for index in guard.mine:
                alive[index] |= state
        return alive

    def draw(self, rng: np.random.Generator, count: int) -> Iterator[Int[np.ndarray, "decisions rows"]]:
        """Masked codes of `count` samples in chunks. One number of `rng` per decision and sample, so that n draws of 1
        and 1 draw of n are the same samples."""
        sizes = np.asarray(self.sizes, dtype=float)
        for start in range(0, count, CHUNK):
            rows = min(CHUNK, count - start)
            raw = np.ascontiguousarray((rng.random((rows, len(sizes))) * sizes).astype(np.int64).T)
            raw[~self.live(raw)] = -1
            yield raw

    def draw_raw(self, rng: np.random.Generator) -> list[int]:
        """A code for every decision, uniform and independent, dead ones included."""
        return [int(share * size) for share, size in zip(rng.random(len(self.sizes)).tolist(), self.sizes, strict=True)]

    def enumerate(self) -> Iterator[tuple[int, ...]]:
        """All rows of codes, in lexicographic order of the live decisions as the tree lists them."""
        raw = [-1] * len(self.sizes)
        trail: list[int] = []
        while True:
            index = self.undecided(raw)
            if index is not None:
                raw[index] = 0
                trail.append(index)
                continue
            yield tuple(raw)
            while trail and raw[trail[-1]] == self.sizes[trail[-1]] - 1:
                raw[trail.pop()] = -1
            if not trail:
                return
            raw[trail[-1]] += 1

    def _emit(self, place: Place, guard: int) -> None:
        if not place.decisions or self._covered(place, guard):
            return
        if isinstance(place, Group):
            for part in place.parts:
                self._emit(part, guard)
        elif isinstance(place, Fork):
            self._own(place.index, guard)
            for code, option in enumerate(place.options):
                if option.decisions:
                    self._guard(place.index, code, code, guard, option)
        elif isinstance(place, Span):
            if place.index is not None:
                self._own(place.index, guard)
            self._emit_items(place, guard)
        else:
            self._own(place.decisions[0], guard)

    def _emit_items(self, place: Span, guard: int) -> None:
        opened: list[int] = []
        for at, item in enumerate(place.items):
            needed = next(code for code, count in enumerate(place.counts) if count > at)
            if not item.decisions:
                continue
            if needed == 0:
                self._emit(item, guard)
                continue
            # Item 5 is live only where item 4 is: nesting them lets a short repeat jump over the rest.
            guard = self._open(place.index or 0, needed, len(place.counts), guard)
            opened.append(guard)
            self._emit(item, guard)
        for number in opened:
            self._guards[number].end = len(self._guards)

    def _guard(self, decision: int, low: int, high: int, parent: int, place: Place) -> None:
        number = self._open(decision, low, high, parent)
        self._emit(place, number)
        self._guards[number].end = len(self._guards)

    def _open(self, decision: int, low: int, high: int, parent: int) -> int:
        self._guards.append(Guard(decision, low, high, parent, []))
        return len(self._guards) - 1

    def _own(self, index: int, guard: int) -> None:
        mine = self._always if guard < 0 else self._guards[guard].mine
        if index not in mine:
            mine.append(index)

    def _covered(self, place: Place, guard: int) -> bool:
        """Was the place emitted under this guard or one around it already? (Tied parts appear many times.)"""
        under = self._seen.setdefault(place, [])
        around = guard
        while around >= 0:
            if around in under:
                return True
            around = self._guards[around].parent
        if -1 in under:
            return True
        under.append(guard)
        return False
