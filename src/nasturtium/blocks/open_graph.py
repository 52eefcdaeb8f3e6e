"""Cells with open edges: every possible operation of every possible edge side by side, as weight sharing needs it."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float

from nasturtium.blocks.block import Block
from nasturtium.blocks.expr import Expr
from nasturtium.blocks.primitives import Zero
from nasturtium.errors import SpaceError
from nasturtium.task import Signal

Chosen = tuple[int | None, ...]
"""Which option of each mixture is active; None: the edge is absent."""


@dataclass(frozen=True)
class OpenEdge:
    """An edge from value `source` to value `target` with all its possible operations.

    options: key and operation of each, `Zero` for "none"; equal keys in equal order for all edges of a mixture.
    mixture: which mixture of the block weighs the options, equal for edges that share their architecture weights
        (tied cells); None where there is nothing to decide: such an edge has one option.
    """

    source: int
    target: int
    options: tuple[tuple[str, Expr], ...]
    mixture: int | None = None

    @property
    def name(self) -> str:
        """As in the network of a settled block, so that parameters keep their paths."""
        return f"edge_{self.source}_{self.target}"

    def out(self, x: Signal) -> Signal:
        """Type of what arrives at the target; `Zero` takes the shape of its companions."""
        outs = {op.out(x) for _, op in self.options if not isinstance(op, Zero)} or {x}
        if len(outs) != 1:
            raise SpaceError(f"The options of {self.name} give shapes {sorted(out.shape for out in outs)}.")
        return outs.pop()


@dataclass(frozen=True)
class OpenGraph:
    """Value 0 is the input; every other value is a sum over its edges or a concatenation of earlier values.

    edges: in order of target; at most one from a source to a target. outputs: values concatenated to the result.
    joins: (value, the earlier values that are concatenated to it), in order of value.
    """

    edges: tuple[OpenEdge, ...]
    outputs: tuple[int, ...]
    joins: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def values(self, x: Signal) -> dict[int, Signal]:
        """Type of each value, in order."""
        known = {0: x}
        joined = dict(self.joins)
        for target in sorted({edge.target for edge in self.edges} | set(joined)):
            if target in joined:
                known[target] = _concatenated([known[k] for k in joined[target]])
                continue
            outs = {edge.out(known[edge.source]) for edge in self.edges if edge.target == target}
            if len(outs) != 1:
                raise SpaceError(f"Shapes {sorted(out.shape for out in outs)} meet in value {target} of a cell.")
            known[target] = outs.pop()
        return known

    def out(self, x: Signal) -> Signal:
        """Type of the result."""
        known = self.values(x)
        return _concatenated([known[k] for k in self.outputs])


class Relaxable(Block):
    """A block whose open edges can be computed all at once, weighed by mixtures. Mixtures are numbered per block."""

    @abstractmethod
    def relaxed(self, x: Signal) -> OpenGraph:
        """Every option of every edge. It depends on the undecided structure alone: the same for all settled blocks."""

    @abstractmethod
    def mixtures(self) -> tuple[tuple[str, ...], ...]:
        """Keys of the options of each mixture."""

    @abstractmethod
    def settle(self, weights: Sequence[Float[np.ndarray, " options"]]) -> Self:
        """The block with its decisions made from the weights of its mixtures, as its paper does it."""

    @abstractmethod
    def chosen(self) -> Chosen:
        """Of this block: the active option of each mixture."""


def _concatenated(signals: list[Signal]) -> Signal:
    if len({(signal.kind, signal.shape[1:]) for signal in signals}) != 1:
        raise SpaceError(f"Values of shapes {[signal.shape for signal in signals]} cannot be concatenated.")
    return replace(signals[0], shape=(sum(signal.channels for signal in signals), *signals[0].shape[1:]))
