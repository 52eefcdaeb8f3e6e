"""Primitives that only known networks need: patches, layer scale, causal convolutions, recurrence."""

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

from nasturtium.blocks.expr import Call, Primitive
from nasturtium.blocks.primitives import CONVOLUTIONS
from nasturtium.errors import SpaceError
from nasturtium.task import Signal
from nasturtium.zoo import known_modules as modules


def _sequence(x: Signal, what: str) -> None:
    if x.rank != 1:
        raise SpaceError(f"{what} needs a sequence, but a {x.kind} of shape {x.shape} arrives.")


@dataclass(frozen=True)
class PatchConv(Primitive):
    """A convolution over windows of `side` that do not overlap, without padding: a linear layer on patches."""

    out_channels: int
    side: int

    def out(self, x: Signal) -> Signal:
        sides = tuple(side // self.side for side in x.shape[1:])
        if not sides or min(sides) < 1:
            raise SpaceError(f"Patches of {self.side} do not fit a {x.kind} of shape {x.shape}.")
        return replace(x, shape=(self.out_channels, *sides))

    def _weights(self, x: Signal) -> int:
        return self.out_channels * x.channels * self.side**x.rank

    def params(self, x: Signal) -> int:
        return self._weights(x) + self.out_channels

    def macs(self, x: Signal) -> int:
        return self._weights(x) * prod(self.out(x).shape[1:])

    def activations(self, x: Signal) -> int:
        return self.out(x).size

    def call(self, x: Signal) -> Call:
        return Call(CONVOLUTIONS[x.rank], (x.channels, self.out_channels, self.side), (("stride", self.side),))


@dataclass(frozen=True)
class ChannelScale(Primitive):
    """A learned factor a channel, small at first (Touvron et al. 2021, "Going deeper with image transformers")."""

    initial: float = 1e-6
    in_place: ClassVar[bool] = True

    def out(self, x: Signal) -> Signal:
        return x

    def params(self, x: Signal) -> int:
        return x.channels

    def call(self, x: Signal) -> Call:
        return Call(modules.ChannelScale, (x.channels, self.initial))


@dataclass(frozen=True)
class CausalConv(Primitive):
    """A dilated convolution of a sequence that sees no later step."""

    out_channels: int
    kernel: int
    dilation: int

    def out(self, x: Signal) -> Signal:
        _sequence(x, "A causal convolution")
        return replace(x, shape=(self.out_channels, x.shape[1]))

    def params(self, x: Signal) -> int:
        return self.out_channels * x.channels * self.kernel

    def macs(self, x: Signal) -> int:
        return self.params(x) * x.shape[1]

    def activations(self, x: Signal) -> int:
        return self.out(x).size

    def call(self, x: Signal) -> Call:
        return Call(modules.CausalConv, (x.channels, self.out_channels, self.kernel, self.dilation))


@dataclass(frozen=True)
class LastStep(Primitive):
    """What stands at the last step of a sequence, as a vector."""

    def out(self, x: Signal) -> Signal:
        _sequence(x, "The last step")
        return Signal("vector", (x.channels,))

    def call(self, x: Signal) -> Call:
        return Call(modules.LastStep)


@dataclass(frozen=True)
class Recurrent(Primitive):
    """The last hidden state of an "lstm" or "gru" of `layers` layers that reads the sequence step by step."""

    kind: str
    width: int
    layers: int = 1

    def out(self, x: Signal) -> Signal:
        _sequence(x, "A recurrent layer")
        return Signal("vector", (self.width,))

    def _weights(self, x: Signal) -> int:
        gates = {"lstm": 4, "gru": 3}[self.kind] * self.width
        return gates * (x.channels + self.width + (self.layers - 1) * 2 * self.width)

    def params(self, x: Signal) -> int:
        biases = 2 * {"lstm": 4, "gru": 3}[self.kind] * self.width * self.layers
        return self._weights(x) + biases

    def macs(self, x: Signal) -> int:
        return self._weights(x) * x.shape[1]

    def activations(self, x: Signal) -> int:
        return self.width * self.layers * x.shape[1]

    def call(self, x: Signal) -> Call:
        return Call(modules.Recurrent, (self.kind, x.channels, self.width, self.layers))
