"""All that can stand at the positions of a space, and so the size of every shared tensor.

Going along the chain, all that matters of what came before is the signal that arrives, how its channels are made up,
and the decisions that are tied to later ones (as in `hardware.bounds`, which does the same for costs).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from nasturtium.blocks import Block, Primitive, Relaxable
from nasturtium.errors import SpaceError
from nasturtium.hardware.links import costless
from nasturtium.space import Space
from nasturtium.space.places import Fork, Group, Number, Place, Span
from nasturtium.supernet.links import Branch, Link, Node, Prefix, Series, Staged, Step, chain, is_cell, links
from nasturtium.supernet.parameters import Found, fitting, open_parameters, parameters
from nasturtium.supernet.slices import Axis, Factor, channels_of
from nasturtium.task import Signal

MOST_TIED = 5_000
"""Combinations of tied decisions that are gone through; beyond, they count as free, and tensors may be too large."""

Row = tuple[int, ...]


@dataclass(frozen=True)
class State:
    """What arrives at a link. first: the stride of the stage is still to give."""

    x: Signal
    channels: Axis
    first: bool = False


States = dict[State, None]
"""An ordered set: the order of the tensors, and so of their initial values, must not depend on hashes of strings."""


@dataclass
class Tensor:
    """A shared tensor. factors: of all axes, at their greatest. leaf, x, own: its largest user, for initial values."""

    factors: tuple[Factor, ...]
    leaf: Primitive
    x: Signal
    own: str
    most: int = 0


@dataclass(frozen=True)
class Pieces:
    """A parameter as parts of shared tensors, joined along `axis`. names: theirs; shapes: of the factors of each."""

    names: tuple[str, ...]
    factors: tuple[tuple[Factor, ...], ...]
    shapes: tuple[tuple[int, ...], ...]
    axis: int


def pieces(key: str, name: str, axes: tuple[Axis, ...]) -> Pieces:
    """The shared tensors behind a parameter. One tensor a part of a concatenation; fixed factors are in the name."""
    joined = [place for place, axis in enumerate(axes) if len(axis) > 1]
    axis = joined[0] if joined else 0
    names, factors, shapes = [], [], []
    for at, parts in enumerate(product(*axes)):
        fixed = "x".join(str(f.size) for part in parts for f in part if f.how == "fixed")
        form = "-".join(str(len(part)) for part in parts) if any(len(part) > 1 for part in parts) else ""
        marks = (f"#{at}" if at else "") + (f"@{fixed}" if fixed else "") + (f"~{form}" if form else "")
        names.append(f"{key}.{name}{marks}" if key else f"{name}{marks}")
        factors.append(tuple(factor for part in parts for factor in part))
        shapes.append(tuple(prod(factor.size for factor in part) for part in parts))
    return Pieces(tuple(names), tuple(factors), tuple(shapes), axis)


def found_in(block: Block, x: Signal, channels: Axis, cell: bool) -> tuple[Found, Signal]:
    """The parameters of a block, those of all options if it is an open cell; and the type of its result."""
    if cell:
        assert isinstance(block, Relaxable)
        graph = block.relaxed(x)
        (wanted, made), out = open_parameters(graph, x, channels), graph.out(x)
    else:
        expr = block.lower(x)
        (wanted, made), out = parameters(expr, x, channels), expr.out(x)
    return (wanted, fitting(made, out)), out


class Reachable:
    """Every shared tensor of a space, by name.

    Decisions that bear on no parameter (declared `costless`) and those inside relaxable cells are not gone through.
    """

    def __init__(self, space: Space, x: Signal) -> None:
        self.chain: Node = chain(space.root)
        self.tensors: dict[str, Tensor] = {}
        self._sizes = space.program.sizes
        self._ignored = costless(space.root) | inside_cells(self.chain)
        self._blocks: dict[tuple[Block, Signal, Axis, bool], tuple[Found, Signal]] = {}
        self._seen: set[tuple[str, int]] = set()
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
        found: States = {}
        for codes in ways(link.places, row, self._sizes):
            try:
                step = link.step(codes, state.first)
                end = self._step(step, state)
            except SpaceError:
                continue  # no architecture has this here
            found[end] = None
        return found

    def _step(self, step: Step | None, state: State) -> State:
        if step is None:
            return state
        key = (step.block, state.x, state.channels, step.cell is not None)
        if key not in self._blocks:
            self._blocks[key] = found_in(*key)
        found, out = self._blocks[key]
        if (step.key, id(found)) not in self._seen:
            self._seen.add((step.key, id(found)))
            self._keep(step.key, found)
        return State(out, found[1])

    def _keep(self, key: str, found: Found) -> None:
        for wanted in found[0]:
            made = pieces(key, wanted.name, wanted.axes)
            for name, factors in zip(made.names, made.factors, strict=True):
                known = self.tensors.get(name)
                if known is None:
                    known = self.tensors[name] = Tensor(factors, wanted.leaf, wanted.x, wanted.own)
                numbers = prod(factor.size for factor in factors)
                known.factors = tuple(max(pair) for pair in zip(known.factors, factors, strict=True))
                if numbers > known.most:
                    known.leaf, known.x, known.own, known.most = wanted.leaf, wanted.x, wanted.own, numbers

    def _codes(self, index: int, row: Row) -> Sequence[int]:
        return possible(index, row, self._sizes)


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
        for place in link.places:
            visit(place)
    return frozenset(inside - outside)


def changed(row: Row, index: int, code: int) -> Row:
    """The row with one code set."""
    return row if row[index] == code else (*row[:index], code, *row[index + 1 :])
