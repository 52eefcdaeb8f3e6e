"""Convolutional blocks for images and sequences."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from nasturtium.blocks.block import Block, expect_width
from nasturtium.blocks.expr import Expr, Gate, Sum, seq
from nasturtium.blocks.primitives import Activation, Conv, GlobalPool, Identity, Norm, Pool
from nasturtium.blocks.primitives import Resize as ResizePrimitive
from nasturtium.space import Open, register
from nasturtium.task import Signal


@lru_cache(maxsize=10_000)
def conv_norm(width: int, kernel: int, stride: int = 1, groups: int = 1, norm: str = "batch") -> Expr:
    """Convolution and normalisation."""
    return seq(("conv", Conv(width, kernel, stride, groups)), ("norm", Norm(norm)))


@lru_cache(maxsize=10_000)
def conv_norm_act(width: int, kernel: int, stride: int, groups: int, norm: str, activation: str) -> Expr:
    """Convolution, normalisation, activation."""
    return seq(("conv", Conv(width, kernel, stride, groups)), ("norm", Norm(norm)), ("act", Activation(activation)))


def projection(x: Signal, width: int, stride: int, norm: str = "batch") -> Expr:
    """The identity where shapes allow it, else a 1x1 convolution with the stride and width asked for."""
    if x.channels == width and stride == 1:
        return Identity()
    return conv_norm(width, 1, stride, norm=norm)


def residual(body: Expr, x: Signal, stride: int, norm: str) -> Expr:
    """`body` and a skip connection, projected where the shape that really arrives asks for it."""
    return Sum((("body", body), ("skip", projection(x, body.out(x).channels, stride, norm))))


def squeeze_excite(x: Signal, reduction: int = 4) -> Expr:
    """Channel attention (Hu et al. 2018) with `reduction` times fewer channels inside, 4 at least."""
    inner = max(4, x.channels // reduction)
    return Gate(
        seq(
            ("pool", GlobalPool(keep=True)),
            ("reduce", Conv(inner, 1, bias=True)),
            ("act", Activation("relu")),
            ("expand", Conv(x.channels, 1, bias=True)),
            ("sigmoid", Activation("hardsigmoid")),
        )
    )


@register
@dataclass(frozen=True)
class Resolution(Block):
    """Resample the input to `side` pixels (or steps) a side."""

    side: Open[int]

    def lower(self, x: Signal) -> Expr:
        primitive = ResizePrimitive(self.side)
        return Identity() if primitive.is_identity(x) else seq(("resize", primitive))


@register
@dataclass(frozen=True)
class ConvBN(Block):
    """Convolution, normalisation, activation: a stem, or a plain block of a stage."""

    costless: ClassVar[tuple[str, ...]] = ("activation", "norm")

    width: Open[int] | None = None
    kernel: Open[int] = 3
    stride: Open[int] = 1
    activation: Open[str] = "relu"
    norm: Open[str] = "batch"

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        return conv_norm_act(width, self.kernel, self.stride, 1, self.norm, self.activation)


@register
@dataclass(frozen=True)
class Plain(Block):
    """One convolution of a stage, with an optional skip connection and squeeze-excitation."""

    costless: ClassVar[tuple[str, ...]] = ("activation", "norm")

    width: Open[int] | None = None
    stride: Open[int] = 1
    kernel: Open[int] = 3
    se: Open[bool] = False
    skip: Open[bool] = False
    activation: Open[str] = "relu"
    norm: Open[str] = "batch"

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        conv = conv_norm(width, self.kernel, self.stride, norm=self.norm)
        body = seq(("conv", conv), ("se", squeeze_excite(conv.out(x)) if self.se else None))
        mixed = residual(body, x, self.stride, self.norm) if self.skip else body
        return seq(("mix", mixed), ("act", Activation(self.activation)))


@register
@dataclass(frozen=True)
class Residual(Block):
    """Basic residual block (He et al. 2016): two convolutions and a skip connection."""

    costless: ClassVar[tuple[str, ...]] = ("activation", "norm")

    width: Open[int] | None = None
    stride: Open[int] = 1
    kernel: Open[int] = 3
    expand: Open[float] = 1
    se: Open[bool] = False
    skip: Open[bool] = True
    activation: Open[str] = "relu"
    norm: Open[str] = "batch"

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        inner = max(1, round(width * self.expand))
        first = conv_norm_act(inner, self.kernel, self.stride, 1, self.norm, self.activation)
        second = conv_norm(width, self.kernel, norm=self.norm)
        se = squeeze_excite(second.out(first.out(x))) if self.se else None
        body = seq(("first", first), ("second", second), ("se", se))
        mixed = residual(body, x, self.stride, self.norm) if self.skip else body
        return seq(("mix", mixed), ("act", Activation(self.activation)))


@register
@dataclass(frozen=True)
class MBConv(Block):
    """Inverted residual (Sandler et al. 2018): expand, depth-wise convolution, squeeze-excitation, project.

    The skip connection is there where the shape stays (as in the paper) and `skip` is on.
    """

    costless: ClassVar[tuple[str, ...]] = ("activation", "norm")

    width: Open[int] | None = None
    stride: Open[int] = 1
    kernel: Open[int] = 3
    expand: Open[int] = 4
    se: Open[bool] = False
    skip: Open[bool] = True
    activation: Open[str] = "relu"
    norm: Open[str] = "batch"

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        inner = x.channels * self.expand
        widen = conv_norm_act(inner, 1, 1, 1, self.norm, self.activation) if self.expand != 1 else None
        depth = conv_norm_act(inner, self.kernel, self.stride, 0, self.norm, self.activation)
        wide = depth.out(widen.out(x) if widen else x)
        body = seq(
            ("expand", widen),
            ("depthwise", depth),
            ("se", squeeze_excite(wide) if self.se else None),
            ("project", conv_norm(width, 1, norm=self.norm)),
        )
        if self.skip and body.out(x) == x:
            return Sum((("body", body), ("skip", Identity())))
        return body


@register
@dataclass(frozen=True)
class Separable(Block):
    """Depth-wise separable convolution (Howard et al. 2017): depth-wise and 1x1, each normalised and activated."""

    width: Open[int] | None = None
    stride: Open[int] = 1
    kernel: Open[int] = 3
    activation: Open[str] = "relu"
    norm: Open[str] = "batch"

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        return seq(
            ("depthwise", conv_norm_act(x.channels, self.kernel, self.stride, 0, self.norm, self.activation)),
            ("pointwise", conv_norm_act(width, 1, 1, 1, self.norm, self.activation)),
        )


@register
@dataclass(frozen=True)
class Downsample(Block):
    """Average or maximum pooling over windows of 2; leaves inputs of a single position alone."""

    kind: Open[str] = "avg"

    def lower(self, x: Signal) -> Expr:
        if min(x.shape[1:]) < 2:
            return Identity()
        return seq(("pool", Pool(self.kind, 2, 2, 0)))
