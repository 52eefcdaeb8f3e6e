"""The primitives: each one's shape, cost and build rule side by side, for images (2-D), sequences (1-D), vectors."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import ClassVar

from torch import nn

from nasturtium.blocks import modules
from nasturtium.blocks.expr import Call, Primitive
from nasturtium.errors import SpaceError, hint
from nasturtium.task import Signal

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}
BATCH_NORMS = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
POOLS = {("avg", 1): nn.AvgPool1d, ("avg", 2): nn.AvgPool2d, ("max", 1): nn.MaxPool1d, ("max", 2): nn.MaxPool2d}
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "relu6": nn.ReLU6, "leaky-relu": nn.LeakyReLU, "silu": nn.SiLU, "gelu": nn.GELU,
    "hardswish": nn.Hardswish, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "hardsigmoid": nn.Hardsigmoid,
}  # fmt: skip
NORMS = ("batch", "group", "layer")


def _spatial(x: Signal, what: str) -> None:
    if x.rank == 0:
        raise SpaceError(f"{what} needs an image or a sequence, but a {x.kind} of shape {x.shape} arrives.")


@lru_cache(maxsize=100_000)
def _resized(x: Signal, channels: int, kernel: int, stride: int, padding: int) -> Signal:
    sides = tuple((side + 2 * padding - kernel) // stride + 1 for side in x.shape[1:])
    if min(sides) < 1:
        raise SpaceError(f"A kernel of {kernel} with padding {padding} does not fit an input of shape {x.shape}.")
    return replace(x, shape=(channels, *sides))


@dataclass(frozen=True)
class Conv(Primitive):
    """Convolution, "same" padding (half the window). groups: 0 means depth-wise. dilation: distance of the taps."""

    out_channels: int
    kernel: int = 3
    stride: int = 1
    groups: int = 1
    bias: bool = False
    dilation: int = 1

    def __repr__(self) -> str:
        # Identities hash this text: without dilation it stays what it was before there was any.
        named = ("out_channels", "kernel", "stride", "groups", "bias", *(("dilation",) if self.dilation != 1 else ()))
        return f"Conv({', '.join(f'{name}={getattr(self, name)!r}' for name in named)})"

    def out(self, x: Signal) -> Signal:
        _spatial(x, "A convolution")
        if x.channels % self._groups(x) or self.out_channels % self._groups(x):
            raise SpaceError(f"{x.channels} -> {self.out_channels} channels do not divide into {self.groups} groups.")
        return _resized(x, self.out_channels, self._window, self.stride, self._padding)

    @property
    def _window(self) -> int:
        """Places from the first tap to the last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def _padding(self) -> int:
        return self.dilation * (self.kernel // 2)

    def _groups(self, x: Signal) -> int:
        return self.groups or x.channels

    def _weights(self, x: Signal) -> int:
        return self.out_channels * (x.channels // self._groups(x)) * self.kernel**x.rank

    def params(self, x: Signal) -> int:
        return self._weights(x) + self.bias * self.out_channels

    def macs(self, x: Signal) -> int:
        return self._weights(x) * prod(self.out(x).shape[1:])

    def activations(self, x: Signal) -> int:
        return self.out(x).size

    def call(self, x: Signal) -> Call:
        options = {
            "stride": self.stride,
            "padding": self._padding,
            "groups": self._groups(x),
            "dilation": self.dilation,
        }
        plain = {"stride": 1, "padding": 0, "groups": 1, "dilation": 1}
        named = {key: value for key, value in options.items() if value != plain[key]} | {"bias": self.bias}
        return Call(CONVOLUTIONS[x.rank], (x.channels, self.out_channels, self.kernel), tuple(named.items()))


@dataclass(frozen=True)
class LineConv(Primitive):
    """Convolution of an image along one axis, 0 (rows: a column of taps) or 1, with "same" padding; no bias."""

    out_channels: int
    kernel: int
    axis: int
    stride: int = 1

    def out(self, x: Signal) -> Signal:
        if x.kind != "image":
            raise SpaceError(f"A convolution along one axis needs an image, but a {x.kind} of shape {x.shape} arrives.")
        sides = [(side - 1) // self._along(self.stride, 1)[at] + 1 for at, side in enumerate(x.shape[1:])]
        return replace(x, shape=(self.out_channels, *sides))

    def params(self, x: Signal) -> int:
        return self.out_channels * x.channels * self.kernel

    def macs(self, x: Signal) -> int:
        return self.params(x) * prod(self.out(x).shape[1:])

    def activations(self, x: Signal) -> int:
        return self.out(x).size

    def call(self, x: Signal) -> Call:
        options = (
            ("stride", self._along(self.stride, 1)),
            ("padding", self._along(self.kernel // 2, 0)),
            ("bias", False),
        )
        return Call(nn.Conv2d, (x.channels, self.out_channels, self._along(self.kernel, 1)), options)

    def _along(self, here: int, across: int) -> tuple[int, int]:
        return (here, across) if self.axis == 0 else (across, here)


@dataclass(frozen=True)
class Linear(Primitive):
    """Fully connected layer on a vector."""

    out_features: int
    bias: bool = True

    def out(self, x: Signal) -> Signal:
        if x.kind != "vector":
            raise SpaceError(f"A linear layer needs a vector, but a {x.kind} of shape {x.shape} arrives.")
        return Signal("vector", (self.out_features,))

    def params(self, x: Signal) -> int:
        return x.size * self.out_features + self.bias * self.out_features

    def macs(self, x: Signal) -> int:
        return x.size * self.out_features

    def activations(self, x: Signal) -> int:
        return self.out_features

    def call(self, x: Signal) -> Call:
        return Call(nn.Linear, (x.size, self.out_features), () if self.bias else (("bias", False),))


@dataclass(frozen=True)
class Norm(Primitive):
    """Normalisation. kind: "batch", "group" (8 channels a group where they divide, else the whole) or "layer"."""

    kind: str = "batch"
    in_place: ClassVar[bool] = True

    def out(self, x: Signal) -> Signal:
        if self.kind not in NORMS:
            raise SpaceError(f"Unknown normalisation {self.kind!r}. {hint(self.kind, NORMS)}")
        return x

    def params(self, x: Signal) -> int:
        return 2 * x.channels

    def call(self, x: Signal) -> Call:
        if self.kind == "batch":
            return Call(BATCH_NORMS[x.rank], (x.channels,))
        if self.kind == "group":
            return Call(nn.GroupNorm, (x.channels // 8 if x.channels % 8 == 0 else 1, x.channels))
        return Call(modules.ChannelNorm if x.rank else nn.LayerNorm, (x.channels,))


@dataclass(frozen=True)
class Activation(Primitive):
    """Element-wise nonlinearity; names as in `ACTIVATIONS`."""

    kind: str = "relu"
    in_place: ClassVar[bool] = True

    def out(self, x: Signal) -> Signal:
        if self.kind not in ACTIVATIONS:
            raise SpaceError(f"Unknown activation {self.kind!r}. {hint(self.kind, ACTIVATIONS)}")
        return x

    def call(self, x: Signal) -> Call:
        return Call(ACTIVATIONS[self.kind])


@dataclass(frozen=True)
class Dropout(Primitive):
    """Random zeros while training; nothing afterwards."""

    rate: float = 0.1
    in_place: ClassVar[bool] = True

    def out(self, x: Signal) -> Signal:
        return x

    def is_identity(self, x: Signal) -> bool:
        return self.rate == 0

    def call(self, x: Signal) -> Call:
        return Call(nn.Dropout, (self.rate,))


@dataclass(frozen=True)
class Pool(Primitive):
    """Average or maximum over windows. padding: kernel // 2 unless given; padded places do not count in averages."""

    kind: str = "avg"
    kernel: int = 3
    stride: int = 1
    padding: int | None = None

    def _padding(self) -> int:
        return self.kernel // 2 if self.padding is None else self.padding

    def out(self, x: Signal) -> Signal:
        _spatial(x, "Pooling")
        return _resized(x, x.channels, self.kernel, self.stride, self._padding())

    def call(self, x: Signal) -> Call:
        options: tuple[tuple[str, object], ...] = (("stride", self.stride), ("padding", self._padding()))
        extra = (("count_include_pad", False),) if self.kind == "avg" else ()
        return Call(POOLS[self.kind, x.rank], (self.kernel,), options + extra)


@dataclass(frozen=True)
class GlobalPool(Primitive):
    """Mean ("avg") or maximum ("max") over all positions. keep: leave axes of length 1, for gates."""

    kind: str = "avg"
    keep: bool = False

    def out(self, x: Signal) -> Signal:
        _spatial(x, "Global pooling")
        return replace(x, shape=(x.channels,) + (1,) * x.rank) if self.keep else Signal("vector", (x.channels,))

    def call(self, x: Signal) -> Call:
        return Call(modules.GlobalPool, (self.kind, self.keep))


@dataclass(frozen=True)
class Flatten(Primitive):
    """All numbers of a row as one vector."""

    in_place: ClassVar[bool] = True

    def out(self, x: Signal) -> Signal:
        return Signal("vector", (x.size,))

    def is_identity(self, x: Signal) -> bool:
        return x.kind == "vector"

    def call(self, x: Signal) -> Call:
        return Call(nn.Flatten)


@dataclass(frozen=True)
class Resize(Primitive):
    """Resample images or sequences to sides of `side`."""

    side: int

    def out(self, x: Signal) -> Signal:
        _spatial(x, "Resizing")
        return replace(x, shape=(x.channels,) + (self.side,) * x.rank)

    def is_identity(self, x: Signal) -> bool:
        return set(x.shape[1:]) == {self.side}

    def call(self, x: Signal) -> Call:
        return Call(modules.Resize, (self.side,) * x.rank)


@dataclass(frozen=True)
class Shift(Primitive):
    """One place back along each axis: the first row and column go, zeros follow the last."""

    def out(self, x: Signal) -> Signal:
        _spatial(x, "A shift")
        return x

    def call(self, x: Signal) -> Call:
        return Call(modules.Shift)


@dataclass(frozen=True)
class Identity(Primitive):
    """The input itself."""

    def out(self, x: Signal) -> Signal:
        return x

    def is_identity(self, x: Signal) -> bool:
        return True

    def call(self, x: Signal) -> Call:
        return Call(nn.Identity)


@dataclass(frozen=True)
class Zero(Primitive):
    """Nothing, in the shape of the input."""

    def out(self, x: Signal) -> Signal:
        return x

    def call(self, x: Signal) -> Call:
        return Call(modules.Zero)


@dataclass(frozen=True)
class EmbedCategories(Primitive):
    """One learned vector a category; its width is `width`, or half the cardinality (rounded up) where that is less."""

    width: int

    def _widths(self, x: Signal) -> tuple[int, ...]:
        return tuple(min(self.width, (cardinality + 1) // 2) for cardinality in x.cardinalities)

    def out(self, x: Signal) -> Signal:
        if x.kind != "table":
            raise SpaceError(f"Embedding categories needs a table, but a {x.kind} of shape {x.shape} arrives.")
        return Signal("vector", (x.shape[0] + sum(self._widths(x)),))

    def params(self, x: Signal) -> int:
        return sum(c * w for c, w in zip(x.cardinalities, self._widths(x), strict=True))

    def call(self, x: Signal) -> Call:
        return Call(modules.CategoryEmbedding, (x.shape[0], x.cardinalities, self._widths(x)))


@dataclass(frozen=True)
class EmbedNumbers(Primitive):
    """Periodic embedding of each number into `width` features (Gorishniy et al. 2022)."""

    width: int
    frequencies: int = 8

    def out(self, x: Signal) -> Signal:
        if x.kind != "table":
            raise SpaceError(f"Embedding numbers needs a table, but a {x.kind} of shape {x.shape} arrives.")
        return replace(x, shape=(x.shape[0] * self.width,))

    def params(self, x: Signal) -> int:
        return x.shape[0] * (self.frequencies + 2 * self.frequencies * self.width + self.width)

    def macs(self, x: Signal) -> int:
        return x.shape[0] * 2 * self.frequencies * self.width

    def activations(self, x: Signal) -> int:
        return x.shape[0] * self.width

    def call(self, x: Signal) -> Call:
        return Call(modules.NumberEmbedding, (x.shape[0], self.frequencies, self.width))
