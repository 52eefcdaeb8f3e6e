"""How the parameters of a primitive are cut out of larger ones.

An axis of a parameter is a row of parts (one for each operand of a concatenation), a part a product of factors. The
leading part of a factor is kept (channels), or its centre (kernels), or it is not cut at all and tells tensors apart
(positions of a flattened image: weights of one position mean nothing at another).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from math import prod
from typing import Literal, NamedTuple

import torch

from nasturtium.blocks import Foreign, Primitive, construct
from nasturtium.blocks.primitives import Conv, EmbedCategories, EmbedNumbers, Flatten, Linear, Norm
from nasturtium.blocks.token_primitives import Patches, Positions
from nasturtium.task import Signal
from nasturtium.training import seeded


class Factor(NamedTuple):
    """One run of an axis. how: "lead" keeps the first, "centre" the middle, "fixed" is never cut."""

    size: int
    how: Literal["lead", "centre", "fixed"] = "lead"


Part = tuple[Factor, ...]
Axis = tuple[Part, ...]
Axes = tuple[Axis, ...]


class Piece(NamedTuple):
    """A part of a parameter. mark: what tells its shared tensor from others; factors: of all axes; shape: of axes."""

    mark: str
    factors: tuple[Factor, ...]
    shape: tuple[int, ...]


def pieces(axes: Axes) -> Iterator[Piece]:
    """The parts of a parameter that are kept apart, each with a mark for its tensor's name."""
    for at, parts in enumerate(product(*axes)):
        fixed = "x".join(str(factor.size) for part in parts for factor in part if factor.how == "fixed")
        form = "-".join(str(len(part)) for part in parts) if any(len(part) > 1 for part in parts) else ""
        mark = (f"#{at}" if at else "") + (f"@{fixed}" if fixed else "") + (f"~{form}" if form else "")
        factors = tuple(factor for part in parts for factor in part)
        yield Piece(mark, factors, tuple(prod(factor.size for factor in part) for part in parts))


def run(size: int) -> Axis:
    """An axis of one run, of which the leading part is kept."""
    return ((Factor(size),),)


def fixed(size: int) -> Axis:
    """An axis that is never cut."""
    return ((Factor(size, "fixed"),),)


def length(axis: Axis) -> int:
    """Numbers along the axis."""
    return sum(prod(factor.size for factor in part) for part in axis)


def channels_of(x: Signal) -> Axis:
    """The channels of a signal of which nothing else is known."""
    return run(x.channels)


@lru_cache(maxsize=50_000)
def channels_after(leaf: Primitive, x: Signal, channels: Axis) -> Axis:
    """How the channels of the result are made up. channels: of the input."""
    out = leaf.out(x)
    match leaf:
        case Flatten() if x.rank:
            sides = tuple(Factor(side, "fixed") for side in x.shape[1:])
            return tuple((*part, *sides) for part in channels)
        case EmbedNumbers(width=width):
            return ((Factor(x.shape[0], "fixed"), Factor(width)),)
        case EmbedCategories():
            widths = [shape[1] for name, shape in shapes(leaf, x).items() if name.startswith("tables.")]
            return (*(channels if x.shape[0] else ()), *(((Factor(width)),) for width in widths))
        case Conv(groups=0) if out.channels == x.channels:
            return channels
        case Foreign():
            return channels_of(out)
    mixes = leaf.params(x) > 0 and not isinstance(leaf, Norm)
    return channels_of(out) if mixes or out.channels != length(channels) else channels


@lru_cache(maxsize=50_000)
def axes_of(leaf: Primitive, x: Signal, channels: Axis) -> Mapping[str, Axes]:
    """The axes of each parameter of the primitive's module. channels: of the input."""
    match leaf:
        case Conv(out_channels=out, kernel=kernel, groups=groups, bias=bias):
            window = (((Factor(kernel, "centre"),),),) * x.rank
            outer, inner = _convolved(out, x, groups, channels)
            return {"weight": (outer, inner, *window)} | ({"bias": (outer,)} if bias else {})
        case Linear(out_features=out, bias=bias):
            return {"weight": (run(out), channels)} | ({"bias": (run(out),)} if bias else {})
        case Norm():
            return {"weight": (channels,), "bias": (channels,)}
        case EmbedNumbers(width=width, frequencies=frequencies):
            numbers = fixed(x.shape[0])
            waves: Axis = ((Factor(2), Factor(frequencies)),)  # cosines, then sines
            return {
                "frequency": (numbers, run(frequencies)),
                "weight": (numbers, waves, run(width)),
                "bias": (numbers, run(width)),
            }
        case Patches(width=width, side=side):
            # The pixels of a patch are no centre of a larger one: it is another resolution.
            return {"weight": (run(width), channels, *(fixed(side) for _ in range(x.rank))), "bias": (run(width),)}
        case Positions():
            return {"position": (channels, *map(fixed, x.shape[1:]))}
        case Foreign():
            return {name: tuple(map(fixed, shape)) for name, shape in shapes(leaf, x).items()}
    plain = {name: tuple(run(size) for size in shape) for name, shape in shapes(leaf, x).items()}
    packed = leaf.packed(x).items()
    return plain | {name: tuple((tuple(map(Factor, sizes)),) for sizes in axes) for name, axes in packed}


def _convolved(out: int, x: Signal, groups: int, channels: Axis) -> tuple[Axis, Axis]:
    """Axes of the results and of the arguments of a convolution. Groups are runs of their own."""
    if groups == 1:
        return run(out), channels
    if groups == 0 and out == x.channels:
        return channels, run(1)
    count = groups or x.channels
    return ((Factor(count), Factor(out // count)),), run(x.channels // count)


@lru_cache(maxsize=50_000)
def shapes(leaf: Primitive, x: Signal) -> Mapping[str, tuple[int, ...]]:
    """Shape of each parameter of the primitive's module, found by building it without storage where that can be."""
    with torch.device("cpu" if isinstance(leaf, Foreign) else "meta"), seeded(0):
        module = construct(leaf.call(x))
    return {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
