"""All that can stand at the positions of a space, and so every form of every parameter.

Going along the chain, all that matters of what came before is the signal that arrives, how its channels are made up,
and the decisions that are tied to later ones (as in `hardware.bounds`, which does the same for costs).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from nasturtium.blocks import Block, OpenGraph, Relaxable
from nasturtium.blocks.wide import Wide
from nasturtium.errors import SpaceError
from nasturtium.hardware.links import costless
from nasturtium.space import Space
from nasturtium.space.places import Fork, Group, Number, Place, Span
from nasturtium.supernet.links import Branch, Link, Node, Prefix, Series, Staged, Step, chain, is_cell, links
from nasturtium.supernet.parameters import Joined, Wanted, depends_on_sides, fitting, open_parameters, parameters
from nasturtium.supernet.slices import Axes, Axis, channels_of, length
from nasturtium.task import Signal

MOST_TIED = 5_000
"""Combinations of tied decisions that are gone through; beyond, they count as free, and tensors may be too large."""

LARGE = 4096
"""A side that every kernel fits."""

Row = tuple[int, ...]


@dataclass(frozen=True)
class State:
    """What arrives at a link. first: the stride of the stage is still to give."""

    x: Signal
    channels: Axis
    first: bool = False


States = dict[State, None]
"""An ordered set: the order of the tensors, and so of their initial values, must not depend on hashes of strings."""


@dataclass(frozen=True)
class Contents:
    """What stands at a link, for one type of input.

    graph: the open edges of a cell. wanted, channels, out: the parameters, how the result's channels are made up, and
    its type.
    """

    graph: OpenGraph | None
    wanted: tuple[Wanted, ...]
    channels: Axis
    out: Signal


def contents(block: Block, x: Signal, channels: Axis) -> Contents:
    """Of a block that is no open cell."""
    expr = block.lower(x)
    out = expr.out(x)
    # One look for inputs of all sides, of which there may be many.
    like = x if x.rank == 0 or depends_on_sides(expr) else replace(x, shape=(x.channels,) + (LARGE,) * x.rank)
    wanted, made = parameters(expr, like, channels)
    return Contents(None, wanted, fitting(made, out), out)


def cell_contents(graph: OpenGraph, x: Signal, channels: Axis, present: Joined) -> Contents:
    """Of a cell: the parameters of all options, where `present` values are joined."""
    wanted, made = open_parameters(graph, x, channels, present)
    out = graph.out(x)
    out = replace(out, shape=(length(made) if graph.joins else out.channels, *out.shape[1:]))
    return Contents(graph, wanted, fitting(made, out), out)


def opened(block: Block, x: Signal) -> tuple[OpenGraph, bool]:
    """The open edges of a cell; and are there settled cells that join fewer values than it does?"""
    assert isinstance(block, Relaxable)
    try:
        return block.relaxed(x), False
    except SpaceError:
        if not isinstance(block, Wide):
            raise
        # What is joined depends on the decisions: weights are kept for all that may be.
        widest = block.ceiling()
        assert isinstance(widest, Relaxable)
        return widest.relaxed(x), True


class Reachable:
    """Every parameter of a space, by position, options and name, in every form that it has: `forms`.

    cells: those with open edges, and an input that arrives at them.

    Decisions that bear on no parameter (declared `costless`) and those inside relaxable cells are not gone through.
    """

    def __init__(self, space: Space, x: Signal) -> None:
        self.chain: Node = chain(space.root)
        self.forms: dict[str, dict[Axes, Wanted]] = {}
        self.cells: dict[Group, Signal] = {}
        self._sizes = space.program.sizes
        self._ignored = costless(space.root) | inside_cells(self.chain)
        self._known_contents: dict[tuple[Block, Signal, Axis, bool], list[Contents]] = {}
        self._steps: dict[tuple[Link, Row, bool], list[Step | None]] = {}
        self._seen: dict[tuple[str, int], Contents] = {}
        self._known: dict[tuple[Node, State, Row], States] = {}
        row = tuple(0 if index in self._ignored else -1 for index in range(len(self._sizes)))
        self.ends = self._reach(self.chain, State(x, channels_of(x)), row)

    def _reach(self, node: Node, state: State, row: Row) -> States:
        key = (node, state, tuple([row[index] for index in node.decisions]))
        if key not in self._known:
            self._known[key] = self._look(node, state, row)
        return self._known[key]

    def _look(self, node: Node, state: State, row: Row) -> States:
        if isinstance(node, Link):
            return self._link(node, state, row)
        found: States = {}
        if isinstance(node, Branch):
            for code in self._codes(node.index, row):
                found |= self._reach(node.options[code], state, changed(row, node.index, code))
            return found
        if isinstance(node, Staged):
            ends = self._reach(node.body, State(state.x, state.channels, True), row)
            return {State(end.x, end.channels, state.first): None for end in ends}
        assert isinstance(node, Series | Prefix)
        tied = self._tied(node, row)
        for codes in product(*(self._codes(index, row) for index in tied)):
            chosen = row
            for index, code in zip(tied, codes, strict=True):
                chosen = changed(chosen, index, code)
            found |= self._along(node, state, chosen)
        return found

    def _tied(self, node: Series | Prefix, row: Row) -> list[int]:
        seen: set[int] = set() if isinstance(node, Series) or node.index is None else {node.index}
        tied: set[int] = set()
        for part in node.parts:
            bearing = {index for index in part.decisions if row[index] < 0}
            tied |= seen & bearing
            seen |= bearing
        return sorted(tied) if prod(self._sizes[index] for index in tied) <= MOST_TIED else []

    def _along(self, node: Series | Prefix, state: State, row: Row) -> States:
        if isinstance(node, Series):
            counts = {len(node.parts)}
        else:
            counts = {node.counts[code] for code in ((0,) if node.index is None else self._codes(node.index, row))}
        found: States = {}
        at: States = {state: None}
        for place in range(max(counts) + 1):
            if place in counts:
                found |= at
            if place < max(counts):
                at = {end: None for one in at for end in self._reach(node.parts[place], one, row)}
        return found

    def _link(self, link: Link, state: State, row: Row) -> States:
        key = (link, tuple([row[index] for index in link.decisions]), state.first)
        if key not in self._steps:
            self._steps[key] = list(dict.fromkeys(self._possible(link, row, state.first)))
        found: States = {}
        for step in self._steps[key]:
            try:
                found |= dict.fromkeys([state] if step is None else self._step(step, state))
            except SpaceError:
                continue  # no architecture has this here
        return found

    def _possible(self, link: Link, row: Row, first: bool) -> Iterator[Step | None]:
        for codes in ways(link.places(first), row, self._sizes):
            try:
                yield link.step(codes, first)
            except SpaceError:
                continue  # nor this

    def _step(self, step: Step, state: State) -> list[State]:
        ends = []
        for one in self._contents(step, state):
            seen = (step.key, id(one.wanted))
            if seen not in self._seen:
                self._seen[seen] = one
                for wanted in one.wanted:
                    self.forms.setdefault(named(step.key, wanted.name), {}).setdefault(wanted.axes, wanted)
            ends.append(State(one.out, one.channels))
        return ends

    def _contents(self, step: Step, state: State) -> list[Contents]:
        key = (step.block, state.x, state.channels, step.cell is not None)
        if key not in self._known_contents:
            self._known_contents[key] = list(self._look_into(step, state))
        return self._known_contents[key]

    def _look_into(self, step: Step, state: State) -> Iterator[Contents]:
        if step.cell is None:
            yield contents(step.block, state.x, state.channels)
            return
        graph, loose = opened(step.block, state.x)
        self.cells[step.cell] = state.x
        yield cell_contents(graph, state.x, state.channels, dict(graph.joins))
        if loose:  # one other form is enough to say that the joined values come and go
            fewest = {value: joined[-1:] for value, joined in graph.joins}
            yield cell_contents(graph, state.x, state.channels, fewest)

    def _codes(self, index: int, row: Row) -> Sequence[int]:
        return possible(index, row, self._sizes)


def named(key: str, parameter: str) -> str:
    """The name of a parameter of a link: its position and options, then its path in the link's module."""
    return f"{key}.{parameter}" if key else parameter


def possible(index: int, row: Row, sizes: Sequence[int]) -> Sequence[int]:
    """The codes that a decision can have."""
    return (row[index],) if row[index] >= 0 else range(sizes[index])


def ways(places: tuple[Place, ...], row: Row, sizes: Sequence[int]) -> Iterator[Row]:
    """Every way to make the open decisions of the places that are live; those inside open cells are set to 0."""
    if not places:
        yield row
        return
    first, rest = places[0], places[1:]
    if is_cell(first):
        chosen = list(row)
        for index in first.decisions:
            chosen[index] = max(row[index], 0)
        yield from ways(rest, tuple(chosen), sizes)
    elif isinstance(first, Group):
        yield from ways(first.parts + rest, row, sizes)
    elif isinstance(first, Fork):
        for code in possible(first.index, row, sizes):
            yield from ways((first.options[code], *rest), changed(row, first.index, code), sizes)
    elif isinstance(first, Number):
        for code in possible(first.index, row, sizes):
            yield from ways(rest, changed(row, first.index, code), sizes)
    elif isinstance(first, Span):
        for code in (0,) if first.index is None else possible(first.index, row, sizes):
            taken = row if first.index is None else changed(row, first.index, code)
            yield from ways(first.items[: first.counts[code]] + rest, taken, sizes)
    else:
        yield from ways(rest, row, sizes)


def inside_cells(node: Node) -> frozenset[int]:
    """Decisions that stand only inside relaxable cells."""
    inside: set[int] = set()
    outside: set[int] = set()

    def visit(place: Place) -> None:
        if is_cell(place):
            inside.update(place.decisions)
        elif isinstance(place, Fork):
            outside.add(place.index)
            for option in place.options:
                visit(option)
        elif isinstance(place, Number):
            outside.add(place.index)
        elif isinstance(place, Span):
            outside.update(() if place.index is None else (place.index,))
            for item in place.items:
                visit(item)
        elif isinstance(place, Group):
            for part in place.parts:
                visit(part)

    for link in links(node):
        for place in link.places(True):
            visit(place)
    return frozenset(inside - outside)


def changed(row: Row, index: int, code: int) -> Row:
    """The row with one code set."""
    return row if row[index] == code else (*row[:index], code, *row[index + 1 :])
