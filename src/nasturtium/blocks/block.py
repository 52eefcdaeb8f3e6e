"""What a block is: a frozen spec that lowers to an expression."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

from nasturtium.blocks.canonical import canonical
from nasturtium.blocks.expr import Expr, Seq
from nasturtium.errors import SpaceError
from nasturtium.task import Signal, Task


class Block(ABC):
    """A part of a network. Subclasses are frozen dataclasses, registered with `@register`, with one method."""

    costless: ClassVar[tuple[str, ...]] = ()
    """Fields that bear on none of params, MACs, activations and memory: a search need not count their options apart."""

    @abstractmethod
    def lower(self, x: Signal) -> Expr:
        """What this block is, for an input of type `x`. All decisions have been made."""

    def canonical_form(self, task: Task) -> str:
        """Text that is equal for equal networks; `arch_id` hashes it."""
        return f"{task.input!r} {canonical(self.lower(task.input), task.input)}"


class Chain(Block):
    """A block that is other blocks in a row. Costs are folded block by block, so each is counted once and cached."""

    @abstractmethod
    def links(self) -> tuple[tuple[str, Block], ...]:
        """The blocks, named; a name is part of the paths of parameters."""

    def lower(self, x: Signal) -> Expr:
        parts = []
        for name, block in self.links():
            expr, x = _through(block, x)
            parts.append((name, expr))
        return Seq(tuple(parts))


def _through(block: Block, x: Signal) -> tuple[Expr, Signal]:
    """A link and the type of its result. Searches lower thousands of networks that have most of their links in common,
    so these are kept; not so the parts of a user's own block that has no hash."""
    try:
        return _kept(block, x)
    except TypeError:
        expr = block.lower(x)
        return expr, expr.out(x)


@lru_cache(maxsize=20_000)
def _kept(block: Block, x: Signal) -> tuple[Expr, Signal]:
    expr = block.lower(x)
    return expr, expr.out(x)


@dataclass(frozen=True)
class Resized(Block):
    """A block brought to the width and stride of its stage: by its own fields, or by a projection before it."""

    block: Block
    width: int
    stride: int = 1

    def lower(self, x: Signal) -> Expr:
        from nasturtium.blocks.conv import projection

        expr = self.block.lower(x)
        if expr.out(x).shape == _shape(x, self.width, self.stride):
            return Seq((("body", expr),))
        before = projection(x, self.width, self.stride)
        body = self.block.lower(before.out(x))
        return Seq((("projection", before), ("body", body)))


def _shape(x: Signal, width: int, stride: int) -> tuple[int, ...]:
    return (width, *((side - 1) // stride + 1 for side in x.shape[1:]))


def resize(block: Block, width: int, stride: int) -> Block:
    """`block` with the width and stride of its stage."""
    fields: dict[str, Any] = getattr(block, "__dataclass_fields__", {})
    if "width" in fields and "stride" in fields:
        return replace(block, width=width, stride=stride)  # type: ignore[type-var]
    if "width" in fields and stride == 1:
        return replace(block, width=width)  # type: ignore[type-var]
    return Resized(block, width, stride)


def expect_width(block: object, width: int | None) -> int:
    """The width of a block; says how to give it where it is missing."""
    if width is None:
        name = type(block).__name__
        raise SpaceError(f"{name} has no width. Put it into a stage, or write {name}(width=…).")
    return width
