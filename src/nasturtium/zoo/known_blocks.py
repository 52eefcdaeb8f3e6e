"""Blocks of known networks, exactly as published, so that their counts are."""

from dataclasses import dataclass
from typing import ClassVar

from nasturtium.blocks import Block, Concat, Expr, Gate, Sum
from nasturtium.blocks.block import expect_width
from nasturtium.blocks.conv import conv_norm, conv_norm_act, projection
from nasturtium.blocks.expr import seq
from nasturtium.blocks.primitives import Activation, Conv, Dropout, GlobalPool, Identity, Linear, Norm, Pool
from nasturtium.space import Open, register
from nasturtium.task import Signal
from nasturtium.zoo.known_primitives import CausalConv, ChannelScale, LastStep, PatchConv, Recurrent


@register
@dataclass(frozen=True)
class Inverted(Block):
    """Inverted residual with its inner widths in channels, as in MobileNetV3 (Howard et al. 2019) and EfficientNet
    (Tan and Le 2019).

    inner: channels of the depth-wise convolution; there is no expansion where they arrive already. squeeze: channels
    inside squeeze-and-excitation, 0 for none. gate: its two activations, "relu/hardsigmoid" or "silu/sigmoid".
    """

    costless: ClassVar[tuple[str, ...]] = ("activation", "gate")

    width: Open[int] | None = None
    stride: Open[int] = 1
    kernel: Open[int] = 3
    inner: Open[int] = 16
    squeeze: Open[int] = 0
    activation: Open[str] = "relu"
    gate: Open[str] = "relu/hardsigmoid"

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        widen = conv_norm_act(self.inner, 1, 1, 1, "batch", self.activation) if self.inner != x.channels else None
        body = seq(
            ("expand", widen),
            ("depthwise", conv_norm_act(self.inner, self.kernel, self.stride, 0, "batch", self.activation)),
            ("se", self._gate() if self.squeeze else None),
            ("project", conv_norm(width, 1)),
        )
        return Sum((("body", body), ("skip", Identity()))) if body.out(x) == x else body

    def _gate(self) -> Expr:
        inside, outside = self.gate.split("/")
        return Gate(
            seq(
                ("pool", GlobalPool(keep=True)),
                ("reduce", Conv(self.squeeze, 1, bias=True)),
                ("act", Activation(inside)),
                ("expand", Conv(self.inner, 1, bias=True)),
                ("gate", Activation(outside)),
            )
        )


@register
@dataclass(frozen=True)
class UniversalInverted(Block):
    """Universal inverted bottleneck (Qin et al. 2024, MobileNetV4, section 3).

    before: kernel of a depth-wise convolution before the expansion, kernel: of one after it; 0 for none. With both it
    is "ExtraDW", with `before` alone "ConvNeXt", with `kernel` alone an inverted bottleneck, with none a feed-forward.
    """

    costless: ClassVar[tuple[str, ...]] = ("activation",)

    width: Open[int] | None = None
    stride: Open[int] = 1
    before: Open[int] = 0
    kernel: Open[int] = 3
    inner: Open[int] = 16
    activation: Open[str] = "relu"

    def lower(self, x: Signal) -> Expr:
        width, first = expect_width(self, self.width), 1 if self.kernel else self.stride
        body = seq(
            ("before", conv_norm(x.channels, self.before, first, 0) if self.before else None),
            ("expand", conv_norm_act(self.inner, 1, 1, 1, "batch", self.activation)),
            ("depthwise", self._middle() if self.kernel else None),
            ("project", conv_norm(width, 1)),
        )
        return Sum((("body", body), ("skip", Identity()))) if body.out(x) == x else body

    def _middle(self) -> Expr:
        return conv_norm_act(self.inner, self.kernel, self.stride, 0, "batch", self.activation)


@register
@dataclass(frozen=True)
class Bottleneck(Block):
    """Bottleneck residual block (He et al. 2016), striding in its 3x3 convolution; with groups, that of RegNetX.

    inner: channels of the 3x3 convolution. groups: of it.
    """

    width: Open[int] | None = None
    stride: Open[int] = 1
    inner: Open[int] = 16
    groups: Open[int] = 1

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        body = seq(
            ("reduce", conv_norm_act(self.inner, 1, 1, 1, "batch", "relu")),
            ("conv", conv_norm_act(self.inner, 3, self.stride, self.groups, "batch", "relu")),
            ("expand", conv_norm(width, 1)),
        )
        skip = projection(x, width, self.stride)
        return seq(("mix", Sum((("body", body), ("skip", skip)))), ("act", Activation("relu")))


@register
@dataclass(frozen=True)
class MaxPool(Block):
    """Maximum over windows of 3, every second one."""

    def lower(self, x: Signal) -> Expr:
        return seq(("pool", Pool("max", 3, 2)))


@register
@dataclass(frozen=True)
class ConvNeXtBlock(Block):
    """Block of ConvNeXt (Liu et al. 2022, figure 4): depth-wise 7x7, layer norm, 4 x wider, GELU, back, layer scale."""

    kernel: Open[int] = 7

    def lower(self, x: Signal) -> Expr:
        body = seq(
            ("depthwise", Conv(x.channels, self.kernel, groups=0, bias=True)),
            ("norm", Norm("layer")),
            ("expand", Conv(4 * x.channels, 1, bias=True)),
            ("act", Activation("gelu")),
            ("project", Conv(x.channels, 1, bias=True)),
            ("scale", ChannelScale()),
        )
        return Sum((("body", body), ("skip", Identity())))


@register
@dataclass(frozen=True)
class Patches(Block):
    """Patches as a linear layer sees them, with layer normalisation before ("pre") or after it ("post").

    Where the side is 1, a convolution of 3 takes the place of the patches, as a single pixel has no structure.
    """

    width: Open[int]
    side: Open[int] = 4
    norm: Open[str] = "post"

    def lower(self, x: Signal) -> Expr:
        patches = PatchConv(self.width, self.side) if self.side > 1 else Conv(self.width, 3, bias=True)
        return seq(
            ("before", Norm("layer") if self.norm == "pre" else None),
            ("patches", patches),
            ("after", Norm("layer") if self.norm == "post" else None),
        )


@register
@dataclass(frozen=True)
class Neck(Block):
    """What stands between the last map and the last linear layer: a mean over positions, then, where asked for, a
    linear layer, a normalisation and an activation ("none" for none)."""

    width: Open[int] = 0
    norm: Open[str] = "none"
    activation: Open[str] = "none"

    def lower(self, x: Signal) -> Expr:
        return seq(
            ("pool", GlobalPool()),
            ("linear", Linear(self.width, bias=self.norm == "none") if self.width else None),
            ("norm", Norm(self.norm) if self.norm != "none" else None),
            ("act", Activation(self.activation) if self.activation != "none" else None),
        )


@register
@dataclass(frozen=True)
class InceptionModules(Block):
    """Three modules of InceptionTime (Ismail Fawaz et al. 2020, section 3.1) and the skip connection around them.

    A module: a bottleneck of `filters` channels, convolutions of three lengths on it, and a pooled branch, side by
    side. The lengths are 39, 19 and 9 (published: 40, 20, 10), as ours are centred.
    """

    filters: Open[int] = 32
    kernels: tuple[int, ...] = (39, 19, 9)

    def lower(self, x: Signal) -> Expr:
        modules = []
        at = x
        for place in range(3):
            expr = self._module(at)
            modules.append((f"module{place}", expr))
            at = expr.out(at)
        skip = conv_norm(at.channels, 1)
        return seq(("mix", Sum((("body", seq(*modules)), ("skip", skip)))), ("act", Activation("relu")))

    def _module(self, x: Signal) -> Expr:
        convolutions = tuple((f"conv{kernel}", Conv(self.filters, kernel)) for kernel in self.kernels)
        long = seq(
            ("bottleneck", Conv(self.filters, 1) if x.channels > 1 else None), ("convolutions", Concat(convolutions))
        )
        pooled = seq(("pool", Pool("max", 3, 1)), ("conv", Conv(self.filters, 1)))
        return seq(
            ("branches", Concat((("long", long), ("pooled", pooled)))),
            ("norm", Norm("batch")),
            ("act", Activation("relu")),
        )


@register
@dataclass(frozen=True)
class TemporalBlock(Block):
    """Residual block of a temporal convolutional network (Bai et al. 2018, figure 1): two dilated causal convolutions.

    Batch normalisation stands where the paper normalises weights.
    """

    width: Open[int] | None = None
    kernel: Open[int] = 3
    dilation: Open[int] = 1
    dropout: Open[float] = 0.1

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        body = seq(("first", self._half(width)), ("second", self._half(width)))
        skip = Identity() if x.channels == width else Conv(width, 1, bias=True)
        return seq(("mix", Sum((("body", body), ("skip", skip)))), ("act", Activation("relu")))

    def _half(self, width: int) -> Expr:
        return seq(
            ("conv", CausalConv(width, self.kernel, self.dilation)),
            ("norm", Norm("batch")),
            ("act", Activation("relu")),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
        )


@register
@dataclass(frozen=True)
class AtLastStep(Block):
    """A sequence's last step as a vector."""

    def lower(self, x: Signal) -> Expr:
        return seq(("last", LastStep()))


@register
@dataclass(frozen=True)
class RecurrentBlock(Block):
    """An "lstm" (Hochreiter and Schmidhuber 1997) or "gru" (Cho et al. 2014); gives its last hidden state."""

    kind: Open[str] = "lstm"
    width: Open[int] | None = None
    layers: Open[int] = 1

    def lower(self, x: Signal) -> Expr:
        return seq(("recurrent", Recurrent(self.kind, expect_width(self, self.width), self.layers)))
