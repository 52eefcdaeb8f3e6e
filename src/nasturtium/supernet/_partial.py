"""Partial channel connections: 1/K of the channels are mixed, the rest pass by.

Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR 2020
(arXiv:1907.05737), section 3.1. That the channels which pass by a reduction are max-pooled, and how channels are
shuffled, is as in the authors' code.
"""

from dataclasses import replace

from torch import Tensor
from torch.nn import functional

from nasturtium.blocks.expr import Concat, Expr, Gate, Seq, Sum
from nasturtium.blocks.primitives import Conv, Zero
from nasturtium.errors import SpaceError
from nasturtium.task import Signal


def head(x: Signal, partial: int) -> Signal:
    """The channels of `x` that are mixed; raises `SpaceError` where `partial` does not divide them."""
    if x.channels % partial:
        raise SpaceError(
            f"1/{partial} of {x.channels} channels cannot be mixed, because {partial} does not divide {x.channels}. "
            "Take another width, or partial=1."
        )
    return replace(x, shape=(x.channels // partial, *x.shape[1:]))


def narrowed(option: Expr, x: Signal, partial: int) -> Expr:
    """The option on 1/partial of the channels; raises `SpaceError` where it cannot be made from the whole one."""
    narrow = _narrow(option, partial)
    if not isinstance(option, Zero) and narrow.out(head(x, partial)) != head(option.out(x), partial):
        raise SpaceError(
            f"The operation {option!r} cannot be narrowed to 1/{partial} of the channels: its width is not that of a "
            "convolution. Take partial=1 for a space with such operations."
        )
    return narrow


def passing(rest: Tensor, x: Signal, out: Signal) -> Tensor:
    """The channels that are not mixed, brought to the resolution of their target."""
    stride = -(-x.shape[1] // out.shape[1])
    if stride == 1:
        return rest
    pool = functional.max_pool2d if x.rank == 2 else functional.max_pool1d
    return pool(rest, stride, stride, ceil_mode=True)


def shuffle(x: Tensor, partial: int) -> Tensor:
    """Channel j of group i becomes channel i of group j, so that the next edge mixes other channels."""
    rows, channels, *sides = x.shape
    return x.view(rows, partial, channels // partial, *sides).transpose(1, 2).reshape(rows, channels, *sides)


def _narrow(expr: Expr, partial: int) -> Expr:
    match expr:
        case Seq(parts):
            return Seq(tuple((name, _narrow(part, partial)) for name, part in parts))
        case Sum(branches) | Concat(branches):
            return type(expr)(tuple((name, _narrow(branch, partial)) for name, branch in branches))
        case Gate(body):
            return Gate(_narrow(body, partial))
        case Conv():
            return replace(expr, out_channels=expr.out_channels // partial)
    return expr
