"""The mixtures of a space: which there are, and what a vector of weights for each of them means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nasturtium.blocks import Relaxable
from nasturtium.errors import SpaceError
from nasturtium.space import Space
from nasturtium.space.decisions import children
from nasturtium.space.places import Codes, Fixed, Fork, Group, Number, Place, Span
from nasturtium.supernet.links import Node, cells_of, is_structural, links
from nasturtium.supernet.reachable import inside_cells


@dataclass(frozen=True)
class Mixture:
    """A place where options are weighed against each other.

    kind: "edge" of a cell, "choice" between blocks, "depth" (how many blocks, or a block and nothing), "ordered" (a
    number, or a scalar such as an activation). node: of an edge, the value in which it is added to other edges; equal
    for those that meet.
    """

    name: str
    options: tuple[str, ...]
    kind: Literal["edge", "choice", "ordered", "depth"]
    node: str | None = None


class Mixtures:
    """The mixtures of a space, in the order of its decisions; those of a cell stand together.

    of_decision: number of the mixture of each decision outside cells. of_cell: of the first mixture of each cell.
    """

    def __init__(self, space: Space, root: Node) -> None:
        self.space = space
        self.listed: list[Mixture] = []
        self.of_decision: dict[int, int] = {}
        self.of_cell: dict[Group, int] = {}
        self._counts: dict[Group, int] = {}
        inside = inside_cells(root)
        cells = {place: link.position for link in links(root) for place in cells_of(link.place)}
        first = {min(place.decisions): (place, position) for place, position in reversed(list(cells.items()))}
        kinds = _kinds(space.root)
        for named in space.decisions:
            if named.index in first:
                self._add_cell(*first[named.index])
            if named.index not in inside:
                self.of_decision[named.index] = len(self.listed)
                options = tuple(str(named.decision.value(code)) for code in range(named.decision.size))
                self.listed.append(Mixture(named.path, options, kinds[named.index]))

    def span(self, cell: Group) -> slice:
        """The mixtures of a cell."""
        start = self.of_cell[cell]
        return slice(start, start + self._counts[cell])

    def chosen(self, codes: Codes) -> tuple[tuple[int, ...], ...]:
        """The active options of each mixture in an architecture; none where the mixture is dead."""
        found: list[tuple[int, ...]] = [()] * len(self.listed)
        for index, at in self.of_decision.items():
            if codes[index] >= 0:
                found[at] = (codes[index],)
        for place, start in self.of_cell.items():
            if any(codes[index] >= 0 for index in place.decisions):
                for at, option in enumerate(place.resolve(codes).chosen(), start):
                    found[at] = () if option is None else (option,)
        return tuple(found)

    def one_hot(self, codes: Codes) -> list[Float[Tensor, " options"]]:
        """1 for the active option of each mixture; zeros where none is."""
        weights = [torch.zeros(len(mixture.options)) for mixture in self.listed]
        for vector, options in zip(weights, self.chosen(codes), strict=True):
            vector[list(options)] = 1.0
        return weights

    def derive(self, weights: Sequence[Float[np.ndarray, " options"]]) -> tuple[int, ...]:
        """Codes of the architecture: the strongest option of each mixture, and of a cell what its paper says."""
        raw = [0] * len(self.space.decisions)
        for index, at in self.of_decision.items():
            raw[index] = int(np.argmax(weights[at]))
        for place in self.of_cell:
            for index in place.decisions:
                raw[index] = max(raw[index], 0)
            block: Any = place.resolve(raw)
            settled = block.settle([np.asarray(vector) for vector in weights[self.span(place)]])
            if not _match(place, settled, raw):
                raise SpaceError(f"The cell {settled!r} at {place.path!r} is not one that the space allows.")
        return self.space.program.mask(raw)

    def _add_cell(self, place: Group, position: str) -> None:
        self.of_cell[place] = len(self.listed)
        block = place.resolve([0] * len(self.space.decisions))
        assert isinstance(block, Relaxable)
        self._counts[place] = len(block.mixtures())
        nodes, before = _nodes(block, self.space), f"{position}." if position else ""
        for at, options in enumerate(block.mixtures()):
            node = f"{before}node {nodes[at]}" if at in nodes else None
            self.listed.append(Mixture(f"{before}{at}", options, "edge", node))


def _nodes(block: Relaxable, space: Space) -> dict[int, int]:
    """The value that the edges of each mixture lead to, in the first cell that has them; none for cells without mix."""
    assert space.task is not None
    try:
        graph = block.relaxed(space.task.input)
    except SpaceError:
        return {}
    return {edge.mixture: edge.target for edge in reversed(graph.edges) if edge.mixture is not None}


def _kinds(root: Place) -> dict[int, Literal["choice", "ordered", "depth"]]:
    """Of each decision, by where it stands."""
    kinds: dict[int, Literal["choice", "ordered", "depth"]] = {}
    seen: set[Place] = set()

    def visit(place: Place) -> None:
        if place in seen:
            return
        seen.add(place)
        if isinstance(place, Fork):
            skips = any(isinstance(option, Fixed) and option.value is None for option in place.options)
            kinds[place.index] = "ordered" if not is_structural(place) else "depth" if skips else "choice"
            for option in place.options:
                visit(option)
        elif isinstance(place, Number):
            kinds.setdefault(place.index, "ordered")
        elif isinstance(place, Span):
            if place.index is not None:
                kinds[place.index] = "depth"
            for item in place.items:
                visit(item)
        elif isinstance(place, Group):
            for part in place.parts:
                visit(part)

    visit(root)
    return kinds


def _match(place: Place, value: Any, raw: list[int]) -> bool:
    """Sets the codes below a place so that it resolves to `value`; False where none do."""
    if isinstance(place, Fork):
        for code, option in enumerate(place.options):
            if _match(option, value, raw):
                raw[place.index] = code
                return True
        return False
    if isinstance(place, Number):
        try:
            raw[place.index] = place.decision.code(value)
        except SpaceError:
            return False
        return True
    if isinstance(place, Span):
        if place.index is not None:
            if len(value) not in place.counts:
                return False
            raw[place.index] = place.counts.index(len(value))
        return all(_match(item, part, raw) for item, part in zip(place.items, value, strict=False))
    if isinstance(place, Group):
        if not isinstance(value, place.kind):
            return False
        values = [part for _, part in children(value)]
        return len(values) == len(place.parts) and all(map(_match, place.parts, values, [raw] * len(values)))
    assert isinstance(place, Fixed)
    return bool(place.value == value)
