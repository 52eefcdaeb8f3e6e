"""Cells: small graphs whose edges carry an operation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float

from nasturtium.blocks.block import Block
from nasturtium.blocks.expr import Expr, Graph, Sum, seq
from nasturtium.blocks.open_graph import Chosen, OpenEdge, OpenGraph, Relaxable
from nasturtium.blocks.primitives import Activation, Conv, Identity, Norm, Pool, Zero
from nasturtium.errors import SpaceError, hint
from nasturtium.space import Open, register
from nasturtium.task import Signal

Edge = tuple[int, int, Expr]

NB201_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NB201_OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


def live_edges(
    edges: Iterable[Edge], outputs: tuple[int, ...], joins: tuple[tuple[int, tuple[int, ...]], ...] = ()
) -> tuple[Edge, ...]:
    """Edges on a path from the input (0) to an output; edges that carry `Zero` are no path.

    joins: (value, earlier values that are concatenated to it); all of them have to be reached from the input.
    """
    kept = [edge for edge in edges if not isinstance(edge[2], Zero)]
    reached, joined = {0}, dict(joins)

    def is_reached(value: int) -> bool:
        return value in reached or (value in joined and all(is_reached(part) for part in joined[value]))

    for source, target, _ in kept:  # sorted by target, so one pass is enough
        if is_reached(source):
            reached.add(target)
    needed = set[int]()

    def need(value: int) -> None:
        if value not in needed:
            needed.add(value)
            for part in joined.get(value, ()):
                need(part)

    for value in outputs:
        need(value)
    for source, target, _ in reversed(kept):
        if target in needed:
            need(source)
    return tuple(edge for edge in kept if is_reached(edge[0]) and edge[1] in needed)


def relu_conv_bn(width: int, kernel: int, stride: int = 1) -> Expr:
    """The weighted operation of NAS-Bench-201: ReLU, convolution, batch normalisation."""
    return seq(("act", Activation("relu")), ("conv", Conv(width, kernel, stride)), ("norm", Norm("batch")))


@register
@dataclass(frozen=True)
class NB201Cell(Relaxable):
    """A cell of NAS-Bench-201 (Dong and Yang 2020): 4 values, 6 edges, 5 operations.

    operations: one a edge, in the order of `NB201_EDGES`. prune: leave out what cannot reach the output, as any
    deployment would; the benchmark's own counts keep it, so False reproduces them.
    """

    operations: tuple[Open[str], ...]
    prune: bool = True

    def lower(self, x: Signal) -> Expr:
        edges = [(s, t, _operation(op, x.channels)) for (s, t), op in zip(NB201_EDGES, self.operations, strict=True)]
        kept = live_edges(edges, (3,)) if self.prune else tuple(edges)
        return Graph(kept, (3,)) if kept else Zero()

    def relaxed(self, x: Signal) -> OpenGraph:
        options = tuple((op, _operation(op, x.channels)) for op in NB201_OPERATIONS)
        return OpenGraph(tuple(OpenEdge(s, t, options, edge) for edge, (s, t) in enumerate(NB201_EDGES)), (3,))

    def mixtures(self) -> tuple[tuple[str, ...], ...]:
        return (NB201_OPERATIONS,) * len(NB201_EDGES)

    def settle(self, weights: Sequence[Float[np.ndarray, " options"]]) -> Self:
        """The strongest operation of each edge, "none" included (Dong and Yang 2020)."""
        return replace(self, operations=tuple(NB201_OPERATIONS[int(np.argmax(edge))] for edge in weights))

    def chosen(self) -> Chosen:
        return tuple(NB201_OPERATIONS.index(op) for op in self.operations)


@lru_cache(maxsize=1000)
def _operation(name: str, channels: int) -> Expr:
    match name:
        case "none":
            return Zero()
        case "skip_connect":
            return Identity()
        case "nor_conv_1x1":
            return relu_conv_bn(channels, 1)
        case "nor_conv_3x3":
            return relu_conv_bn(channels, 3)
        case "avg_pool_3x3":
            return Pool("avg", 3)
    raise SpaceError(f"Unknown operation {name!r} in a NAS-Bench-201 cell. {hint(name, NB201_OPERATIONS)}")


@register
@dataclass(frozen=True)
class NB201Reduction(Block):
    """The residual block between the stages of NAS-Bench-201: stride 2, to `width` channels."""

    width: Open[int]

    def lower(self, x: Signal) -> Expr:
        body = seq(("first", relu_conv_bn(self.width, 3, 2)), ("second", relu_conv_bn(self.width, 3)))
        skip = seq(("pool", Pool("avg", 2, 2, 0)), ("conv", Conv(self.width, 1)))
        return Sum((("body", body), ("skip", skip)))


@register
@dataclass(frozen=True)
class NormAct(Block):
    """Normalisation and activation, as before the head of pre-activation networks."""

    costless: ClassVar[tuple[str, ...]] = ("activation", "norm")

    activation: Open[str] = "relu"
    norm: Open[str] = "batch"

    def lower(self, x: Signal) -> Expr:
        return seq(("norm", Norm(self.norm)), ("act", Activation(self.activation)))
