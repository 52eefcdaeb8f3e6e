"""The blocks of a space as a chain of named positions, each with the place that says what may stand there.

As in `hardware.links`, but with names, since weights belong to a position and to the options taken on the way to it:
one node used at several positions is one decision, and has weights at each of them.
"""

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeGuard

from nasturtium.blocks import Block, Module, Relaxable, Sequence, Stage
from nasturtium.blocks.block import resize
from nasturtium.space.decisions import is_plain
from nasturtium.space.places import Codes, Fixed, Fork, Group, Number, Place, Span, merged


@dataclass(eq=False)
class Node(ABC):
    """A part of the chain. decisions: those below it, ascending."""

    decisions: tuple[int, ...]


@dataclass(eq=False)
class Link(Node):
    """One block, or None.

    position: its path, with the options taken on the way. module: the path of its module in a built network; of a
    block in a stage, that of the stage. item: its place in the stage, None outside stages. width, stride: the stage's.
    """

    position: str
    module: str
    place: Place
    item: int | None = None
    width: Place | None = None
    stride: Place | None = None
    _known: dict[tuple[tuple[int, ...], bool], "Step | None"] = field(default_factory=dict)

    def places(self, first: bool) -> tuple[Place, ...]:
        """What has to be decided for it. first: the stride of the stage is still to give."""
        stage = (self.width, self.stride if first else None)
        return tuple(place for place in (*stage, self.place) if place is not None)

    def step(self, codes: Codes, first: bool) -> "Step | None":
        """What stands here in the architecture of these codes; None for nothing. first: the stride is still to give."""
        key = (tuple([codes[index] for index in self.decisions]), first)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._step(codes, first)
        return self._known[key]

    def _step(self, codes: Codes, first: bool) -> "Step | None":
        block = self.place.resolve(codes)
        if block is None:
            return None
        name = self.module
        if self.item is not None:
            assert self.width is not None
            assert self.stride is not None
            name = _joined(name, f"{type(block).__name__.lower()}{self.item}")
            block = resize(block, self.width.resolve(codes), self.stride.resolve(codes) if first else 1)
        return Step(self, block, self.position + signature(self.place, codes), name, cell_at(self.place, codes))


class Step(NamedTuple):
    """A link of one architecture.

    key: of its weights: the position and the options taken. module: path in the network. cell: the place of the block,
    if that is a cell with open edges.
    """

    link: Link
    block: Block
    key: str
    module: str
    cell: Group | None


@dataclass(eq=False)
class Series(Node):
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(eq=False)
class Staged(Node):
    """The links of a stage: its first block takes the stride."""

    width: Place
    stride: Place
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

    def count(self, codes: Codes) -> int:
        """How many parts there are."""
        return self.counts[0 if self.index is None else codes[self.index]]


REMEMBERED = 4096
"""Resolved blocks that a position keeps."""


def chain(place: Place, position: str = "", module: str = "") -> Node:
    """The chain of a place, such as the root of a space."""
    if isinstance(place, Fixed) and isinstance(place.value, Sequence | Stage):
        place = _opened(place)
    if isinstance(place, Group) and place.kind is Sequence:
        pairs = [_pair(pair) for pair in _items(dict(zip(place.names, place.parts, strict=True))["blocks"])]
        parts = tuple(chain(part, _joined(position, name), _joined(module, name)) for name, part in pairs)
        return Series(merged([part for _, part in pairs], None), parts)
    if isinstance(place, Group) and place.kind is Stage:
        return _stage(place, position, module)
    if isinstance(place, Fork) and any(_has_chain(option) for option in place.options):
        at = position or "root"
        named = zip(place.decision.keys, place.options, strict=True)
        options = tuple(chain(option, f"{at}={key}", module) for key, option in named)
        return Branch(place.decisions, place.index, options)
    return Link(place.decisions, position, module, place)


def _stage(place: Group, position: str, module: str) -> Node:
    fields = dict(zip(place.names, place.parts, strict=True))
    blocks, width, stride = fields["blocks"], fields["width"], fields["stride"]
    if isinstance(blocks, Fork | Number):
        return Link(place.decisions, position, module, place)
    parts: list[Node] = []
    for at, item in enumerate(_items(blocks)):
        name = _joined(position, str(at))
        parts.append(Link(merged([item, width, stride], None), name, module, item, at, width, stride))
    body: Node = Series(merged([blocks, width, stride], None), tuple(parts))
    if isinstance(blocks, Span):
        body = Prefix(body.decisions, blocks.index, blocks.counts, tuple(parts))
    return Staged(place.decisions, width, stride, body)


def links(node: Node) -> Iterator[Link]:
    """Every link of a chain, in order."""
    if isinstance(node, Link):
        yield node
    elif isinstance(node, Staged):
        yield from links(node.body)
    else:
        assert isinstance(node, Series | Branch | Prefix)
        for part in node.options if isinstance(node, Branch) else node.parts:
            yield from links(part)


def steps(node: Node, codes: Codes) -> list[Step]:
    """The links of one architecture, in order."""
    found: list[Step] = []
    _walk(node, codes, False, found)
    return found


def _walk(node: Node, codes: Codes, first: bool, found: list[Step]) -> bool:
    """Adds the links of a part; tells whether the stride of the stage is still to give."""
    if isinstance(node, Link):
        step = node.step(codes, first)
        if step is not None:
            found.append(step)
            return False
        return first
    if isinstance(node, Staged):
        _walk(node.body, codes, True, found)
        return first
    if isinstance(node, Branch):
        return _walk(node.options[codes[node.index]], codes, first, found)
    assert isinstance(node, Series | Prefix)
    for part in node.parts[: node.count(codes)] if isinstance(node, Prefix) else node.parts:
        first = _walk(part, codes, first, found)
    return first


def signature(place: Place, codes: Codes) -> str:
    """The options taken inside a link that have weights of their own: blocks, and arguments of foreign modules."""
    if isinstance(place, Fork):
        option = place.options[codes[place.index]]
        own = f"={place.decision.keys[codes[place.index]]}" if is_structural(place) else ""
        return own + signature(option, codes)
    if isinstance(place, Group):
        if place.kind is Module:
            arguments = dict(zip(place.names, place.parts, strict=True))["arguments"].resolve(codes)
            return "".join(f"({name}={value!r})".replace(".", "_") for name, value in arguments)
        if is_cell(place):
            return ""
        inner = [(name, signature(part, codes)) for name, part in zip(place.names, place.parts, strict=True)]
        return "".join(f"({name}{text})" if text else "" for name, text in inner)
    if isinstance(place, Span):
        count = place.counts[0 if place.index is None else codes[place.index]]
        inner = [(str(at), signature(item, codes)) for at, item in enumerate(place.items[:count])]
        return "".join(f"({name}{text})" if text else "" for name, text in inner)
    return ""


def is_structural(fork: Fork) -> bool:
    """Does the choice stand between blocks, rather than values?"""
    return not all(isinstance(option, Fixed) and is_plain(option.value) for option in fork.options)


def is_cell(place: Place) -> TypeGuard[Group]:
    """Does a cell with open edges stand there? One without decisions is a block like any other."""
    return isinstance(place, Group) and issubclass(place.kind, Relaxable)


def cells_of(place: Place) -> Iterator[Group]:
    """The cells among the options of a link."""
    if is_cell(place):
        yield place
    elif isinstance(place, Fork):
        for option in place.options:
            yield from cells_of(option)


def cell_at(place: Place, codes: Codes) -> Group | None:
    """The cell that the options lead to, if it is one."""
    while isinstance(place, Fork):
        place = place.options[codes[place.index]]
    return place if is_cell(place) else None


def _items(blocks: Place) -> tuple[Place, ...]:
    if isinstance(blocks, Span):
        return blocks.items
    if isinstance(blocks, Group):
        return blocks.parts
    assert isinstance(blocks, Fixed)
    value: Any = blocks.value
    return tuple(Fixed(f"{blocks.path}.{at}", block) for at, block in enumerate(value))


def _pair(pair: Place) -> tuple[str, Place]:
    """Name and block of a (name, block) pair."""
    if isinstance(pair, Group):
        name = pair.parts[0]
        assert isinstance(name, Fixed)
        return str(name.value), pair.parts[1]
    assert isinstance(pair, Fixed)
    value: Any = pair.value
    return value[0], Fixed(pair.path, value[1])


def _opened(place: Fixed) -> Group:
    """A chain without decisions, as if it had some: weights are kept by position all the same."""
    value: Any = place.value
    named = [(name, getattr(value, name)) for name in value.__dataclass_fields__]
    parts = tuple(Fixed(f"{place.path}.{name}", part) for name, part in named)
    return Group(place.path, type(value), tuple(name for name, _ in named), parts)


def _has_chain(place: Place) -> bool:
    if isinstance(place, Fork):
        return any(_has_chain(option) for option in place.options)
    if isinstance(place, Fixed):
        return isinstance(place.value, Sequence | Stage)
    return isinstance(place, Group) and place.kind in (Sequence, Stage)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
