"""Blocks with too many architectures to look at each of them."""

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from nasturtium.blocks.block import Block
from nasturtium.blocks.expr import Expr
from nasturtium.task import Signal


@dataclass(frozen=True)
class Part:
    """A part of a `Wide` block with decisions of its own, which bear on the terms of this part alone."""


class Wide(Block):
    """A block whose costs are worked out part by part, as its architectures are too many to be gone through.

    Costs that add up (params, MACs, activations, size of the file) are those of a fixed rest and of `terms`.
    """

    @abstractmethod
    def terms(self) -> tuple[Hashable, ...]:
        """What its parts add to the costs of `ceiling()`, as many terms whatever the parts are."""

    @abstractmethod
    def operations_of(self, term: Hashable, x: Signal) -> list[tuple[Expr, Signal]]:
        """The operations that a term stands for, with the types of their inputs, for a block with an input of `x`."""

    @abstractmethod
    def ceiling(self) -> Self:
        """A block with no smaller costs, of which `terms` holds. Itself where it holds of the block as it is, so that
        bounds are exact."""

    @abstractmethod
    def floor(self) -> Self:
        """A block whose result is no larger, whatever the parts are."""

    @abstractmethod
    def peak_bounds(self, x: Signal) -> tuple[int, int]:
        """At least and at most so many numbers are alive at once, whatever its parts are."""


@dataclass(frozen=True)
class Lowered(Block):
    """A block that is an expression already."""

    expr: Expr

    def lower(self, x: Signal) -> Expr:
        return self.expr
