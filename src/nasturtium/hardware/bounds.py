"""Exact least and greatest cost of a space, by dynamic programming over reachable shapes.

Going along the chain of blocks, all that matters of what came before is the signal that arrives and the decisions that
are tied to later ones. Each node maps an arriving state to the states it can end in, with the least and greatest cost
of getting there; tied decisions are conditioned upon, one after the other, at the node that holds all their places.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from nasturtium.blocks.counted import BYTES
from nasturtium.errors import SpaceError
from nasturtium.hardware.fold import Fold
from nasturtium.hardware.links import Branch, Leaf, Node, Prefix, Series, Staged, State, values
from nasturtium.hardware.shares import Numbers
from nasturtium.space import Space
from nasturtium.space.places import Fork, Group, Number, Place, Span

MOST_VALUES = 64
"""A number with more values is looked at in so many places, both ends included; the bounds are then not exact."""
MOST_TIED = 50_000
"""Combinations of tied decisions that are gone through; beyond, they count as free, and the bounds are too wide."""

Row = tuple[int, ...]
Reach = dict[State, tuple[Numbers, Numbers]]
"""States that can be reached, with the least and greatest costs."""


@dataclass(frozen=True)
class Bounds:
    """low, high: least and greatest cost, by name. exact: are they reached, or only bounds?"""

    low: Mapping[str, int]
    high: Mapping[str, int]
    exact: bool


class Bounder:
    """Bounds of one fold over a space; keeps what it worked out, so that conditional bounds are quick."""

    def __init__(self, fold: Fold, space: Space) -> None:
        self.fold = fold
        self.exact = True
        self._decisions = [named.decision for named in space.decisions]
        self._open: Row = tuple(0 if index in fold.ignored else -1 for index in range(len(self._decisions)))
        self._known: dict[tuple[Node, State, object], Reach] = {}
        self._choices: dict[tuple[Leaf, int, object], list[Row]] = {}

    def bounds(self, given: Mapping[int, int] | None = None) -> Bounds | None:
        """Least and greatest costs; None where nothing can be built.

        given: codes of decisions that are already made.
        """
        row = list(self._open)
        for index, code in (given or {}).items():
            row[index] = 0 if index in self.fold.ignored else code
        reach = self._reach(self.fold.chain, self.fold.start, tuple(row))
        if not reach:
            return None
        low = [min(ends[0][at] for ends in reach.values()) for at in range(len(self.fold.names))]
        high = [max(ends[1][at] for ends in reach.values()) for at in range(len(self.fold.names))]
        return Bounds(dict(zip(self.fold.names, low)), dict(zip(self.fold.names, high)), self.exact)  # noqa: B905

    def _reach(self, node: Node, state: State, row: Row) -> Reach:
        key = (node, state, node.row(row, state) if isinstance(node, Leaf) else node.key(row))
        if key not in self._known:
            self._known[key] = self._look(node, state, row)
        return self._known[key]

    def _look(self, node: Node, state: State, row: Row) -> Reach:
        if isinstance(node, Leaf):
            return self._leaf(node, state, row)
        if isinstance(node, Staged):
            found: Reach = {}
            for end, ends in self._reach(node.body, state | 1, row).items():
                _merge(found, end & ~1, ends)
            return found
        if isinstance(node, Branch):
            found = {}
            for code in self._codes(node.index, row):
                chosen = _with(row, node.index, code)
                for end, ends in self._reach(node.options[code], state, chosen).items():
                    _merge(found, end, ends)
            return found
        assert isinstance(node, Series | Prefix)
        return self._conditioned(node, state, row)

    def _conditioned(self, node: Series | Prefix, state: State, row: Row) -> Reach:
        """Tied decisions are gone through before their parts are treated as independent."""
        tied = self._tied(node, row)
        if not tied:
            return self._along(node, state, row)
        found: Reach = {}
        nothing_open = all(row[index] >= 0 or index in tied for index in node.decisions)
        chosen = list(row)
        for codes in product(*(self._codes(index, row) for index in tied)):
            for index, code in zip(tied, codes, strict=True):
                chosen[index] = code
            if nothing_open:
                self._alone(node, state, chosen, found)
                continue
            for end, ends in self._along(node, state, tuple(chosen)).items():
                _merge(found, end, ends)
        return found

    def _alone(self, node: Node, state: State, row: list[int], found: Reach) -> None:
        """The one way through a node whose decisions are all made."""
        try:
            numbers, end = self.fold.through(node, row, state)
        except SpaceError:
            return
        _merge(found, end, (numbers, numbers))

    def _tied(self, node: Series | Prefix, row: Row) -> list[int]:
        seen: set[int] = set() if isinstance(node, Series) or node.index is None else {node.index}
        tied = set()
        for part in node.parts:
            tied |= seen.intersection(part.decisions)
            seen.update(part.decisions)
        open_ones = [index for index in sorted(tied) if row[index] < 0]
        if prod(len(self._codes(index, row)) for index in open_ones) > MOST_TIED:
            self.exact = False
            return []
        return open_ones

    def _along(self, node: Series | Prefix, state: State, row: Row) -> Reach:
        if isinstance(node, Series):
            counts: set[int] = {len(node.parts)}
        else:
            chosen = (0,) if node.index is None else self._codes(node.index, row)
            counts = {node.counts[code] for code in chosen}
        found: Reach = {}
        zero = (0,) * len(self.fold.names)
        at: Reach = {state: (zero, zero)}
        for place in range(max(counts) + 1):
            if place in counts:
                for end, ends in at.items():
                    _merge(found, end, ends)
            if place < max(counts):
                at = self._then(at, node.parts[place], row)
        return found

    def _then(self, before: Reach, part: Node, row: Row) -> Reach:
        join = self.fold.combine
        found: Reach = {}
        for state, (low, high) in before.items():
            for end, (least, most) in self._reach(part, state, row).items():
                ends = (
                    tuple([join(pair) for pair in zip(low, least, strict=True)]),
                    tuple([join(pair) for pair in zip(high, most, strict=True)]),
                )
                _merge(found, end, ends)
        return found

    def _wide(self, leaf: Leaf, state: State, row: Row) -> Reach:
        """Of a leaf with too many choices to go through: bounds of the shares of its parts, or wider ones."""
        shares, found = self.fold.shares(leaf), dict[State, tuple[Numbers, Numbers]]()
        for rest in self._rows(shares.others, row):
            try:
                if all(rest[index] >= 0 for index in leaf.decisions):
                    self._alone(leaf, state, list(rest), found)
                elif self.fold.combine is sum:
                    self._summed(leaf, state, rest, found)
                else:
                    self._peak(leaf, state, rest, found)
            except SpaceError:
                continue
        return found

    def _summed(self, leaf: Leaf, state: State, row: Row, found: Reach) -> None:
        shares, x = self.fold.shares(leaf), self.fold.signal(state)
        rest = shares.rest(row, state, x)
        least, most = shares.extremes(row, lambda part: self._rows((part,), row), state, x)
        low, high = (tuple(a + b for a, b in zip(rest.numbers, added, strict=True)) for added in (least, most))
        if rest.block.ceiling() is not rest.block:
            self.exact, low = False, (0,) * len(low)
            _merge(found, self.fold.measured(rest.block.floor(), state)[1], (low, high))
        _merge(found, self.fold.state(rest.out), (low, high))

    def _peak(self, leaf: Leaf, state: State, row: Row, found: Reach) -> None:
        self.exact = False
        shares = self.fold.shares(leaf)
        block = shares.block(shares.first(row))
        least, most = (numbers * BYTES for numbers in block.peak_bounds(self.fold.signal(state)))
        for bound in (block.floor(), block.ceiling()):
            _merge(found, self.fold.measured(bound, state)[1], ((least,), (most,)))

    def _leaf(self, leaf: Leaf, state: State, row: Row) -> Reach:
        if leaf.is_wide:
            return self._wide(leaf, state, row)
        key = (leaf, state & 1, leaf.row(row, state))
        if key not in self._choices:
            self._choices[key] = list(self._rows(leaf.places(state & 1), row))
        found: Reach = {}
        for choice in self._choices[key]:
            try:
                numbers, end = self.fold.link(leaf, choice, state)
            except SpaceError:
                continue
            _merge(found, end, (numbers, numbers))
        return found

    def _rows(self, places: tuple[Place, ...], row: Row) -> Iterator[Row]:
        """Every way to make the open decisions of the places that are live."""
        if not places:
            yield row
            return
        first, rest = places[0], places[1:]
        if isinstance(first, Group):
            yield from self._rows(first.parts + rest, row)
        elif isinstance(first, Fork):
            for code in self._codes(first.index, row):
                yield from self._rows((first.options[code], *rest), _with(row, first.index, code))
        elif isinstance(first, Number):
            for code in self._codes(first.index, row):
                yield from self._rows(rest, _with(row, first.index, code))
        elif isinstance(first, Span):
            for code in (0,) if first.index is None else self._codes(first.index, row):
                chosen = row if first.index is None else _with(row, first.index, code)
                yield from self._rows(first.items[: first.counts[code]] + rest, chosen)
        else:
            yield from self._rows(rest, row)

    def _codes(self, index: int, row: Row) -> tuple[int, ...]:
        if row[index] >= 0:
            return (row[index],)
        codes = values(self._decisions[index], MOST_VALUES)
        self.exact = self.exact and len(codes) == self._decisions[index].size
        return codes


def _merge(reach: Reach, end: State, ends: tuple[Numbers, Numbers]) -> None:
    known = reach.get(end)
    if known is None:
        reach[end] = ends
    elif known is not ends:
        reach[end] = (tuple(map(min, known[0], ends[0])), tuple(map(max, known[1], ends[1])))


def _with(row: Row, index: int, code: int) -> Row:
    return row if row[index] == code else (*row[:index], code, *row[index + 1 :])
