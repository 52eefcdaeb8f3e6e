"""The blocks of a space as a chain of links: what costs are folded over, for one architecture or for all of them.

A link is a block as `Sequence.links` and `Stage.links` would give it, but with its decisions still open.
"""

from abc import ABC
from collections.abc import Callable
from collections.abc import Sequence as List
from dataclasses import dataclass, field
from operator import itemgetter

from nasturtium.blocks import Block, Sequence, Stage, Wide
from nasturtium.space.decisions import Decision
from nasturtium.space.places import Codes, Fixed, Fork, Group, Number, Place, Span

State = int
"""Twice the number of a signal, plus 1 while a stage still has its stride to give."""


@dataclass(eq=False)
class Node(ABC):
    """A part of the chain. decisions: numbers of those that bear on its costs, ascending."""

    decisions: tuple[int, ...]

    def __post_init__(self) -> None:
        self.key = key(self.decisions)


@dataclass(eq=False)
class Leaf(Node):
    """One block, or None. width, stride: those of its stage; None outside stages."""

    place: Place
    width: Place | None = None
    stride: Place | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        needed = {index for place in self.places(False) for index in place.decisions}
        self.later_key = key(tuple(index for index in self.decisions if index in needed))
        self.is_wide = isinstance(self.place, Group) and issubclass(self.place.kind, Wide)

    def row(self, codes: Codes, state: int) -> object:
        """The codes that bear on the costs in this state (see `fold.State`): the stride counts only where it is due."""
        return self.key(codes) if state & 1 else self.later_key(codes)

    def places(self, strides: int) -> tuple[Place, ...]:
        """What has to be decided; with the stride if it is due."""
        parts = (self.width, self.stride if strides else None, self.place)
        return tuple(place for place in parts if place is not None)


@dataclass(eq=False)
class Series(Node):
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(eq=False)
class Staged(Node):
    """The links of a stage: its first block takes the stride."""

    body: Node


@dataclass(eq=False)
class Branch(Node):
    """One of several chains, as decision `index` says."""

    index: int
    options: tuple[Node, ...]


@dataclass(eq=False)
class Prefix(Node):
    """The first few of the parts. counts: how many for each code of decision `index`; None: `counts[0]` always."""

    index: int | None
    counts: tuple[int, ...]
    parts: tuple[Node, ...]


@dataclass
class Linker:
    """Makes the chain of a space. ignored: decisions that do not bear on the costs."""

    ignored: frozenset[int] = frozenset()
    _known: dict[tuple[int, ...], Node] = field(default_factory=dict)

    def node(self, place: Place, width: Place | None = None, stride: Place | None = None) -> Node:
        """The node of a place; one for all its occurrences in the same stage."""
        known = (id(place), id(width), id(stride))
        if known not in self._known:
            self._known[known] = self._staged_item(place, width, stride) if width else self._new(place)
        return self._known[known]

    def _new(self, place: Place) -> Node:
        if isinstance(place, Group) and place.kind is Sequence:
            blocks = dict(zip(place.names, place.parts, strict=True))["blocks"]
            return self._series([self.node(_second(pair)) for pair in _items(blocks)])
        if isinstance(place, Group) and place.kind is Stage:
            return self._stage(place)
        if isinstance(place, Fork) and any(_has_chain(option) for option in place.options):
            options = tuple(self.node(option) for option in place.options)
            return Branch(self._bearing([place.index], options), place.index, options)
        return Leaf(self._below(place), place)

    def _stage(self, place: Group) -> Node:
        fields = dict(zip(place.names, place.parts, strict=True))
        blocks, width, stride = fields["blocks"], fields["width"], fields["stride"]
        if isinstance(blocks, Fork | Number):
            return Leaf(self._below(place), place)
        parts = tuple(self.node(item, width, stride) for item in _items(blocks))
        body: Node = self._series(parts)
        if isinstance(blocks, Span):
            own = [] if blocks.index is None else [blocks.index]
            body = Prefix(self._bearing(own, parts), blocks.index, blocks.counts, parts)
        return Staged(body.decisions, body)

    def _staged_item(self, place: Place, width: Place | None, stride: Place | None) -> Node:
        below = {index for part in (place, width, stride) if part is not None for index in part.decisions}
        return Leaf(tuple(sorted(below - self.ignored)), place, width, stride)

    def _series(self, parts: List[Node]) -> Series:
        return Series(self._bearing([], parts), tuple(parts))

    def _bearing(self, own: list[int], nodes: List[Node]) -> tuple[int, ...]:
        return tuple(sorted({*own, *(index for node in nodes for index in node.decisions)} - self.ignored))

    def _below(self, place: Place) -> tuple[int, ...]:
        return tuple(index for index in place.decisions if index not in self.ignored)


def costless(root: Place, but: tuple[str, ...] = ()) -> frozenset[int]:
    """Decisions that stand only in fields declared `costless` by their blocks (activation, dropout …).

    but: names of fields that are not taken to be costless after all.
    """
    free: set[int] = set()
    bearing: set[int] = set()
    seen: set[tuple[Place, bool]] = set()

    def visit(place: Place, is_free: bool) -> None:
        if (place, is_free) in seen:
            return
        seen.add((place, is_free))
        if isinstance(place, Fork):
            # An option with decisions of its own is more than a value.
            (free if is_free and not any(option.decisions for option in place.options) else bearing).add(place.index)
            for option in place.options:
                visit(option, False)
        elif isinstance(place, Span):
            bearing.update(() if place.index is None else (place.index,))
            for item in place.items:
                visit(item, False)
        elif isinstance(place, Group):
            names = getattr(place.kind, "costless", ()) if issubclass(place.kind, Block) else ()
            for name, part in zip(place.names, place.parts, strict=True):
                visit(part, name in names and name not in but)
        elif isinstance(place, Number):
            (free if is_free else bearing).add(place.index)

    visit(root, False)
    return frozenset(free - bearing)


def is_network(place: Place) -> bool:
    """Does every way to resolve the place give a block?"""
    if isinstance(place, Fork):
        return all(is_network(option) for option in place.options)
    if isinstance(place, Group):
        return issubclass(place.kind, Block)
    return isinstance(place, Fixed) and isinstance(place.value, Block)


def values(decision: Decision, most: int) -> tuple[int, ...]:
    """All codes of a decision, or `most` of them, evenly spaced with both ends, where it has more."""
    if decision.size <= most:
        return tuple(range(decision.size))
    return tuple(dict.fromkeys(round(step * (decision.size - 1) / (most - 1)) for step in range(most)))


def _items(blocks: Place) -> tuple[Place, ...]:
    if isinstance(blocks, Span):
        return blocks.items
    if isinstance(blocks, Group):
        return blocks.parts
    assert isinstance(blocks, Fixed)
    assert isinstance(blocks.value, tuple)
    return tuple(Fixed(f"{blocks.path}.{at}", block) for at, block in enumerate(blocks.value))


def _second(pair: Place) -> Place:
    """The block of a (name, block) pair."""
    if isinstance(pair, Group):
        return pair.parts[1]
    assert isinstance(pair, Fixed)
    assert isinstance(pair.value, tuple)
    return Fixed(pair.path, pair.value[1])


def _has_chain(place: Place) -> bool:
    if isinstance(place, Fork):
        return any(_has_chain(option) for option in place.options)
    return isinstance(place, Group) and (place.kind in (Sequence, Stage) or issubclass(place.kind, Wide))


def key(indices: tuple[int, ...]) -> Callable[[Codes], object]:
    """Reads these codes of a row."""
    return itemgetter(*indices) if indices else lambda codes: ()
