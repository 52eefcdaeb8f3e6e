"""Blocks with too many architectures to look at each of them."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Self

from nasturtium.blocks.block import Block
from nasturtium.task import Signal


@dataclass(frozen=True)
class Part:
    """A part of a `Wide` block that adds a share of its own to the costs of the block, whatever its neighbours are."""


class Wide(Block):
    """A block whose costs are worked out part by part: its architectures are too many to be gone through."""

    @abstractmethod
    def ceiling(self) -> Self:
        """A block with no smaller costs, whose params, MACs, activations and file size are sums over its `Part`s.

        The block itself where its own costs are such sums: they are then quick to count, and have exact bounds.
        """

    @abstractmethod
    def peak_bounds(self, x: Signal) -> tuple[int, int]:
        """At least and at most so many numbers are alive at once, whatever its parts are."""
