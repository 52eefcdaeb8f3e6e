"""Stacks of cells with two inputs: DARTS (Liu et al. 2019, arXiv:1806.09055, section 2.1) and NASNet (Zoph et al. 2018,
arXiv:1707.07012, section 3).

Each cell reads the results of the two cells before it, so a whole stack is one block that lowers to one `Graph`. All
normal cells are equal, and so are all reduction cells, which halve the sides and double the width.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, cast

import numpy as np
from jaxtyping import Float

from nasturtium.blocks.cell_operations import DARTS_OPERATIONS, NONE, cell_operation, factorized_reduction
from nasturtium.blocks.cells import Edge, live_edges, relu_conv_bn
from nasturtium.blocks.expr import Expr, Graph
from nasturtium.blocks.open_graph import Chosen, OpenEdge, OpenGraph, Relaxable
from nasturtium.blocks.primitives import Identity
from nasturtium.blocks.wide import Part, Wide
from nasturtium.errors import SpaceError
from nasturtium.space import Open, register
from nasturtium.task import Signal

INPUTS = 2
LEAST_SIDE = 4
"""Sides below this are not halved."""

Slot = tuple[bool, int, int]
"""A term of a node: (in the reduction cell?, number of the node, first or second term)."""


@register
@dataclass(frozen=True)
class CellNode(Part):
    """A value of a cell: the sum of two operations on earlier values. 0 and 1 are the inputs of the cell (the cell
    before the last one, the last one), 2 is the first node, and so on."""

    inputs: Open[tuple[int, int]]
    operations: tuple[Open[str], Open[str]]

    @property
    def edges(self) -> tuple[tuple[int, str], ...]:
        """Input and operation of each term."""
        return tuple(zip(self.inputs, self.operations, strict=True))


@register
@dataclass(frozen=True)
class CellTerm(Part):
    """An operation on an earlier value of a cell."""

    source: Open[int]
    operation: Open[str]


@register
@dataclass(frozen=True)
class FreeNode:
    """A `CellNode` whose two terms are decided apart, so that they may read the same value."""

    terms: tuple[CellTerm, CellTerm]

    @property
    def edges(self) -> tuple[tuple[int, str], ...]:
        """Input and operation of each term."""
        return tuple((term.source, term.operation) for term in self.terms)


@register
@dataclass(frozen=True)
class Cell:
    """join: what is concatenated to the result: "all" nodes, "loose" ones that no other node reads, or values."""

    nodes: tuple[CellNode | FreeNode, ...]
    join: str | tuple[int, ...] = "all"

    @property
    def joined(self) -> tuple[int, ...]:
        """The values that are concatenated."""
        if not isinstance(self.join, str):
            return self.join
        read = {source for node in self.nodes for source, _ in node.edges} if self.join == "loose" else set[int]()
        return tuple(value for value in range(INPUTS, INPUTS + len(self.nodes)) if value not in read)


@dataclass(frozen=True)
class _Place:
    """One cell of a stack, with the numbers that its values have in the graph.

    x: type of its inputs as operations read them. sources: what it reads. values: its inputs as operations read them,
    then its nodes. terms: of each node, None where they are no values of their own. halved: is its first input larger
    than its second one?
    """

    cell: Cell
    reduces: bool
    x: Signal
    sources: tuple[int, int]
    values: tuple[int, ...]
    terms: tuple[tuple[int, int] | None, ...]
    join: int
    halved: bool

    def target(self, at: int, term: int) -> int:
        """Where a term of node `at` goes."""
        terms = self.terms[at]
        return self.values[INPUTS + at] if terms is None else terms[term]

    def inputs(self) -> list[Edge]:
        """ReLU, 1x1 convolution and normalisation of both inputs; a factorized reduction of one that is too large."""
        ops = (factorized_reduction if self.halved else _project, _project)
        return [(self.sources[k], self.values[k], op(self.x.channels)) for k, op in enumerate(ops)]

    def sums(self, at: int) -> list[Edge]:
        """A node from terms that are values of their own."""
        return [(term, self.values[INPUTS + at], Identity()) for term in self.terms[at] or ()]


@register
@dataclass(frozen=True)
class CellStack(Relaxable, Wide):
    """`cells` cells behind a stem; those a third and two thirds of the way through are reduction cells.

    width: channels of an operation in the first cells. operations: those that nodes may have. distinct: do the inputs
    of a node differ (DARTS)? If not (NASNet), they may be equal, and each term is a value of its own. pool_norm: batch
    normalisation after pooling. prune: leave out what cannot reach the result. Where sides are below 4, a normal cell
    stands in for a reduction cell.
    """

    normal: Cell
    reduction: Cell
    width: Open[int] = 16
    cells: Open[int] = 8
    operations: tuple[str, ...] = DARTS_OPERATIONS
    distinct: bool = True
    pool_norm: bool = False
    prune: bool = True

    def lower(self, x: Signal) -> Expr:
        edges: list[Edge] = []
        joins: list[tuple[int, tuple[int, ...]]] = []
        for place in self._places(x):
            edges += place.inputs()
            for at, node in enumerate(place.cell.nodes):
                for term, (source, name) in enumerate(node.edges):
                    edges.append((place.values[source], place.target(at, term), self._operation(place, source, name)))
                edges += place.sums(at)
            joins.append((place.join, tuple(place.values[value] for value in place.cell.joined)))
        outputs = (joins[-1][0],)
        if not self.prune:
            return Graph(tuple(edges), outputs, tuple(joins))
        live = live_edges(edges, outputs, tuple(joins))
        read = {source for source, _, _ in live}.union(outputs)
        return Graph(live, outputs, tuple(join for join in joins if join[0] in read))

    def relaxed(self, x: Signal) -> OpenGraph:
        """Raises `SpaceError` for cells that do not join all their nodes."""
        for cell in (self.normal, self.reduction):
            if cell.join != "all":
                raise SpaceError(
                    f"Cells that join {cell.join!r} values cannot be mixed, because what is joined depends on the "
                    'decisions. Make the space with join="all", or train single paths.'
                )
        numbers = {key: number for number, key in enumerate(self._edges)}
        edges: list[OpenEdge] = []
        joins: list[tuple[int, tuple[int, ...]]] = []
        for place in self._places(x):
            edges += [OpenEdge(source, target, (("input", op),)) for source, target, op in place.inputs()]
            for at in range(len(place.cell.nodes)):
                for term in self._terms:
                    for source in range(INPUTS + at):
                        options = tuple((name, self._operation(place, source, name)) for name in self._options)
                        mixture = numbers[(place.reduces, at, term), source]
                        edges.append(OpenEdge(place.values[source], place.target(at, term), options, mixture))
                edges += [OpenEdge(source, target, (("sum", op),)) for source, target, op in place.sums(at)]
            joins.append((place.join, place.values[INPUTS:]))
        return OpenGraph(tuple(edges), (joins[-1][0],), tuple(joins))

    def mixtures(self) -> tuple[tuple[str, ...], ...]:
        """Those of the normal cell, then those of the reduction cell: by node, by term if these are apart, by input."""
        return (self._options,) * len(self._edges)

    def settle(self, weights: Sequence[Float[np.ndarray, " options"]]) -> Self:
        """Each node keeps its two strongest edges, by the largest weight that is not that of "none", and the operation
        of that weight (Liu et al. 2019, section 2.4). Where terms are apart, each keeps its strongest edge."""
        strong: dict[Slot, list[tuple[float, int, str]]] = {}
        for (slot, source), vector in zip(self._edges, weights, strict=True):
            best = int(np.argmax(vector[1:]))
            strong.setdefault(slot, []).append((-float(vector[1 + best]), source, self.operations[best]))
        cells = []
        for reduces, cell in ((False, self.normal), (True, self.reduction)):
            nodes = list[CellNode | FreeNode]()
            for at in range(len(cell.nodes)):
                ranked = [sorted(strong[reduces, at, term]) for term in self._terms]
                kept = ranked[0][:2] if self.distinct else [edges[0] for edges in ranked]
                nodes.append(_node(kept, self.distinct))
            cells.append(replace(cell, nodes=tuple(nodes)))
        return replace(self, normal=cells[0], reduction=cells[1])

    def chosen(self) -> Chosen:
        active: dict[tuple[Slot, int], int] = {}
        for reduces, cell in ((False, self.normal), (True, self.reduction)):
            for at, node in enumerate(cell.nodes):
                for term, (source, name) in enumerate(node.edges):
                    active[(reduces, at, 0 if self.distinct else term), source] = self._options.index(name)
        return tuple(active.get(edge) for edge in self._edges)

    def terms(self) -> tuple[Hashable, ...]:
        """(in the reduction cell?, does it read an input of the cell?, operation), of each term of each node."""
        return tuple(
            (reduces, source < INPUTS, name)
            for reduces, cell in ((False, self.normal), (True, self.reduction))
            for node in cell.nodes
            for source, name in node.edges
        )

    def operations_of(self, term: Hashable, x: Signal) -> list[tuple[Expr, Signal]]:
        reduces, reads_input, name = cast(tuple[bool, bool, str], term)
        return [
            (
                self._operation(place, 0 if reads_input else INPUTS, name),
                place.x if reads_input or not place.reduces else _halved(place.x),
            )
            for place in self._places(x)
            if place.reduces == reduces
        ]

    def ceiling(self) -> Self:
        if self.distinct and self.normal.join == self.reduction.join == "all":
            return self  # the first node reads both inputs, so nothing is ever dead
        normal, reduction = (replace(cell, join="all") for cell in (self.normal, self.reduction))
        return replace(self, normal=normal, reduction=reduction, prune=False)

    def floor(self) -> Self:
        if self.ceiling() is self:
            return self
        normal, reduction = (replace(cell, join=(1 + len(cell.nodes),)) for cell in (self.normal, self.reduction))
        return replace(self, normal=normal, reduction=reduction)

    def peak_bounds(self, x: Signal) -> tuple[int, int]:
        sizes = {value: at.size for value, at in self.ceiling().lower(x).values(x).items()}  # type: ignore[attr-defined]
        places = list(self._places(x))
        most = x.size
        for place in places:
            own = [
                sizes[number]
                for number in (*place.sources, *place.values, *(t for ts in place.terms for t in ts or ()))
            ]
            # While one operation runs: everything of the cell, and inside it no more than four such tensors.
            most = max(most, sum(own) + 4 * max(own) + sizes[place.join])
        # The nodes of the last cell, each a new sum, wait to be joined.
        return 2 * sizes[places[-1].join] if self.ceiling() is self else x.size, most

    @property
    def _options(self) -> tuple[str, ...]:
        return (NONE, *self.operations)

    @property
    def _terms(self) -> tuple[int, ...]:
        """Terms of a node that have edges of their own."""
        return (0,) if self.distinct else (0, 1)

    @cached_property
    def _edges(self) -> tuple[tuple[Slot, int], ...]:
        """The open edges, (term, input), in the order of the mixtures."""
        return tuple(
            ((reduces, at, term), source)
            for reduces, cell in ((False, self.normal), (True, self.reduction))
            for at in range(len(cell.nodes))
            for term in self._terms
            for source in range(INPUTS + at)
        )

    def _operation(self, place: _Place, source: int, name: str) -> Expr:
        stride = 2 if place.reduces and source < INPUTS else 1
        return cell_operation(name, place.x.channels, stride, self.pool_norm)

    def _places(self, x: Signal) -> Iterator[_Place]:
        """The cells in order. Reduction cells as in the published networks: at a third and at two thirds."""
        inner, number, sources, halved = replace(x, shape=(self.width, *x.shape[1:])), 1, (0, 0), False
        for at in range(self.cells):
            reduces = at in (self.cells // 3, 2 * self.cells // 3) and min(inner.shape[1:]) >= LEAST_SIDE
            inner = replace(inner, shape=(inner.channels * (2 if reduces else 1), *inner.shape[1:]))
            cell = self.reduction if reduces else self.normal
            values, terms = [number, number + 1], list[tuple[int, int] | None]()
            number += INPUTS
            for _ in cell.nodes:
                terms.append(None if self.distinct else (number, number + 1))
                values.append(number if self.distinct else number + 2)
                number = values[-1] + 1
            yield _Place(cell, reduces, inner, sources, tuple(values), tuple(terms), number, halved)
            inner = _halved(inner) if reduces else inner
            sources, number, halved = (sources[1], number), number + 1, reduces


def _halved(x: Signal) -> Signal:
    return replace(x, shape=(x.channels, *((side + 1) // 2 for side in x.shape[1:])))


def _node(edges: list[tuple[float, int, str]], distinct: bool) -> CellNode | FreeNode:
    """From (weight, input, operation) of its two terms."""
    if not distinct:
        (_, one, first), (_, two, second) = edges
        return FreeNode((CellTerm(one, first), CellTerm(two, second)))
    (_, one, first), (_, two, second) = sorted(edges, key=lambda edge: edge[1])
    return CellNode((one, two), (first, second))


def _project(width: int) -> Expr:
    return relu_conv_bn(width, 1)
