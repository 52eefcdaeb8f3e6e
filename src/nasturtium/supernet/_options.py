"""What one option of an open edge is made of, seen so that equal work is found and done once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from torch import nn

from nasturtium.blocks.build import construct
from nasturtium.blocks.expr import Call, Expr, Primitive, Seq
from nasturtium.blocks.open_graph import OpenEdge
from nasturtium.blocks.primitives import BATCH_NORMS, Activation, Conv, Identity, Norm, Pool, Resize, Zero
from nasturtium.task import Signal

SHAREABLE = (Activation, Identity, Norm, Pool, Resize)
"""Primitives that give the same for the same input, so that without parameters they are computed once."""
NOT_ZERO_AT_ZERO = ("sigmoid", "hardsigmoid")


@dataclass(frozen=True)
class Step:
    """A part of an option. path: of its module below the mixed graph. primitive: None where it is opaque to us."""

    path: str
    primitive: Primitive | None


@dataclass(frozen=True)
class Option:
    """One option of one edge.

    shared: its leading steps without parameters, computed once for all options of a source that begin alike.
    rest: what follows them. zero: it carries nothing, whatever arrives. keeps_zero: it makes zeros of zeros.
    affine: have its batch norms a scale and shift of their own?
    """

    edge: OpenEdge
    place: int
    shared: tuple[Step, ...]
    rest: tuple[Step, ...]
    zero: bool
    keeps_zero: bool
    affine: bool

    @cached_property
    def path(self) -> str:
        """Of its module below the mixed graph."""
        return f"{self.edge.name}.{self.edge.options[self.place][0]}"

    @cached_property
    def beginnings(self) -> tuple[Primitive, ...]:
        """What is computed by `shared`; equal for options that can share it."""
        return tuple(step.primitive for step in self.shared if step.primitive is not None)

    @cached_property
    def mergeable(self) -> tuple[object, ...] | None:
        """Options of equal value here, on one source, are one wider convolution with batch normalisation."""
        if len(self.rest) != 2:
            return None
        conv, norm = self.rest[0].primitive, self.rest[1].primitive
        if isinstance(conv, Conv) and conv.groups == 1 and isinstance(norm, Norm) and norm.kind == "batch":
            return (*self.beginnings, conv)
        return None

    @property
    def ends_in_batch_norm(self) -> bool:
        last = self.rest[-1].primitive if self.rest else None
        return isinstance(last, Norm) and last.kind == "batch"


def read(edge: OpenEdge, place: int, affine: bool) -> Option:
    """The option `place` of `edge`, taken apart."""
    expr = edge.options[place][1]
    steps = tuple(_steps(expr, f"{edge.name}.{edge.options[place][0]}"))
    count = 0
    while count < len(steps) and _is_shareable(steps[count].primitive, affine):
        count += 1
    shared = tuple(step for step in steps[:count] if not isinstance(step.primitive, Identity))
    keeps_zero = all(_keeps_zero(step.primitive, affine) for step in steps)
    return Option(edge, place, shared, steps[count:], isinstance(expr, Zero), keeps_zero, affine)


def mixed(expr: Expr, x: Signal, affine: bool) -> nn.Module:
    """The module of an option: batch normalisation always by the batch, and `affine` or not."""
    return construct(_by_the_batch(expr.call(x), affine))


def _by_the_batch(call: Call, affine: bool) -> Call:
    args = tuple(_by_the_batch(value, affine) if isinstance(value, Call) else value for value in call.args)
    named = {key: _by_the_batch(value, affine) if isinstance(value, Call) else value for key, value in call.kwargs}
    if call.target in BATCH_NORMS.values():
        named |= {"affine": affine, "track_running_stats": False}
    return replace(call, args=args, kwargs=tuple(named.items()))


def _steps(expr: Expr, path: str) -> Iterator[Step]:
    if isinstance(expr, Seq):
        for name, part in expr.parts:
            yield from _steps(part, f"{path}.{name}")
    else:
        yield Step(path, expr if isinstance(expr, Primitive) else None)


def _is_shareable(primitive: Primitive | None, affine: bool) -> bool:
    if isinstance(primitive, Norm):
        return primitive.kind == "batch" and not affine
    return isinstance(primitive, SHAREABLE)


def _keeps_zero(primitive: Primitive | None, affine: bool) -> bool:
    if isinstance(primitive, Activation):
        return primitive.kind not in NOT_ZERO_AT_ZERO
    if isinstance(primitive, Conv):
        return not primitive.bias
    if isinstance(primitive, Norm):
        return primitive.kind == "batch" and not affine
    return isinstance(primitive, Identity | Pool | Resize | Zero)
