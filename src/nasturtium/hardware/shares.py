"""Costs of blocks with too many architectures to look at each (`blocks.wide`): a fixed rest, and shares of terms."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from nasturtium.blocks import Block, Part, Wide
from nasturtium.blocks.wide import Lowered
from nasturtium.hardware.links import Leaf, State, key
from nasturtium.space.places import Codes, Fork, Group, Place, Span
from nasturtium.task import Signal

Numbers = tuple[int, ...]
Measure = Callable[[Block, Signal], tuple[Numbers, Signal]]
"""Costs of one block for an input of this type, and the type of its result."""


@dataclass(frozen=True)
class Rest:
    """Of a block with the first choices for every part: itself, the costs of its ceiling without the terms, and the
    type of the ceiling's result."""

    block: Wide
    numbers: Numbers
    out: Signal


class Shares:
    """Of one leaf. What is remembered grows with the number of terms, not with the combinations of parts."""

    def __init__(self, leaf: Leaf, measure: Measure, names: int) -> None:
        """names: number of costs that are measured."""
        self.leaf, self._measure, self._zero = leaf, measure, (0,) * names
        self.parts = tuple(part for part, is_part in _pieces(leaf.place) if is_part and part.decisions)
        self.others = tuple(piece for piece, is_part in _pieces(leaf.place) if not is_part and piece.decisions)
        self._within = frozenset(index for part in self.parts for index in part.decisions)
        self._key = key(tuple(index for index in leaf.place.decisions if index not in self._within))
        self._rests: dict[tuple[State, object], Rest] = {}
        self._shares: dict[tuple[State, object, Hashable], Numbers] = {}
        self._extremes: dict[tuple[State, object, Place, object], tuple[Numbers, Numbers]] = {}

    def block(self, codes: Codes) -> Wide:
        """The block that stands here."""
        found = self.leaf.place.resolve(codes)
        assert isinstance(found, Wide)
        return found

    def rest(self, codes: Codes, state: State, x: Signal) -> Rest:
        """What does not depend on the parts."""
        found = self._rests.get((state, self._key(codes)))
        if found is None:
            block = self.block(self.first(codes))
            numbers, out = self._measure(block.ceiling(), x)
            terms = self._total([self._share(block, codes, state, x, term) for term in block.terms()])
            found = Rest(block, tuple(a - b for a, b in zip(numbers, terms, strict=True)), out)
            self._rests[state, self._key(codes)] = found
        return found

    def terms(self, codes: Codes, state: State, x: Signal) -> Numbers:
        """What the parts add."""
        block = self.block(codes)
        return self._total([self._share(block, codes, state, x, term) for term in block.terms()])

    def first(self, codes: Codes) -> list[int]:
        """The codes with the first choices for every part."""
        chosen = list(codes)
        for index in self._within:
            chosen[index] = 0
        return chosen

    def extremes(
        self, row: Codes, ways: Callable[[Place], Iterator[Codes]], state: State, x: Signal
    ) -> tuple[Numbers, Numbers]:
        """Least and most that the parts add. ways: the rows in which the choices of one part are made, one by one."""
        base = self.terms(self.first(row), state, x)
        low = high = base
        for part in self.parts:
            known = (state, self._key(row), part, part.local(row))
            if known not in self._extremes:
                self._extremes[known] = self._of_part(part, row, ways, state, x)
            least, most = self._extremes[known]
            low = tuple([a + b - c for a, b, c in zip(low, least, base, strict=True)])
            high = tuple([a + b - c for a, b, c in zip(high, most, base, strict=True)])
        return low, high

    def _of_part(
        self, part: Place, row: Codes, ways: Callable[[Place], Iterator[Codes]], state: State, x: Signal
    ) -> tuple[Numbers, Numbers]:
        """Least and most of all terms while the other parts make their first choices."""
        only, found = self.first(row), set[Numbers]()
        for way in ways(part):
            for index in part.decisions:
                only[index] = way[index]
            found.add(self.terms(only, state, x))
        columns = list(zip(*found, strict=True))
        return tuple(map(min, columns)), tuple(map(max, columns))

    def _share(self, block: Wide, codes: Codes, state: State, x: Signal, term: Hashable) -> Numbers:
        known = (state, self._key(codes), term)
        if known not in self._shares:
            self._shares[known] = self._total(
                [self._measure(Lowered(op), at)[0] for op, at in block.operations_of(term, x)]
            )
        return self._shares[known]

    def _total(self, numbers: Sequence[Numbers]) -> Numbers:
        """A term may stand for no operation at all: in a short stack, none of one kind of cell."""
        return tuple(map(sum, zip(self._zero, *numbers, strict=True)))


def _pieces(place: Place) -> Iterator[tuple[Place, bool]]:
    """Parts, and the largest pieces of the place without one; is it a part?"""
    if isinstance(place, Group) and issubclass(place.kind, Part):
        yield place, True
    elif isinstance(place, Group) and _has_part(place):
        for below in place.parts:
            yield from _pieces(below)
    else:
        yield place, False


def _has_part(place: Place) -> bool:
    if isinstance(place, Group):
        return issubclass(place.kind, Part) or any(_has_part(below) for below in place.parts)
    inside = place.options if isinstance(place, Fork) else place.items if isinstance(place, Span) else ()
    return any(_has_part(below) for below in inside)
