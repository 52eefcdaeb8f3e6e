"""Blocks in a row: `sequence` and `stage`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from nasturtium.blocks.block import Block, Chain, resize
from nasturtium.errors import SpaceError
from nasturtium.space import Open, register, repeat


@register
@dataclass(frozen=True)
class Sequence(Chain):
    """Named blocks, one after the other; None (an `optional` that is off) is left out."""

    blocks: tuple[tuple[str, Open[Block | None]], ...]

    def links(self) -> tuple[tuple[str, Block], ...]:
        return tuple((name, block) for name, block in self.blocks if block is not None)


@register
@dataclass(frozen=True)
class Stage(Chain):
    """Blocks of one width; the first one strides. None (an `optional` that is off) is left out."""

    blocks: Open[tuple[Any, ...]]
    width: Open[int]
    stride: Open[int] = 1

    def links(self) -> tuple[tuple[str, Block], ...]:
        links: list[tuple[str, Block]] = []
        for place, block in enumerate(cast(tuple[Block | None, ...], self.blocks)):
            if block is not None:
                name = f"{type(block).__name__.lower()}{place}"
                links.append((name, resize(block, self.width, 1 if links else self.stride)))
        return tuple(links)


def sequence(*blocks: Any, **named: Any) -> Sequence:
    """Blocks in a row. Unnamed ones are called "block0", "block1" … by their place.

    >>> sequence(stem=ConvBN(8), head=Head(task))  # doctest: +SKIP
    """
    names = tuple(f"block{place}" for place in range(len(blocks))) + tuple(named)
    if not names:
        raise SpaceError("sequence() was given no block. Write sequence(ConvBN(8), Head(task)), for instance.")
    return Sequence(tuple(zip(names, (*blocks, *named.values()), strict=True)))


def stage(block: Callable[[int], Any] | Any, width: Any, depth: Any = 1, stride: Any = 1, tied: bool = False) -> Stage:
    """`depth` blocks of one width.

    block: a function of the position (fresh decisions for each), or one node for all. tied: make one decision for all.
    width, depth, stride: numbers or decisions; the stride is that of the first block.
    """
    return Stage(cast(Any, repeat(block, depth, tied=tied)), width, stride)
