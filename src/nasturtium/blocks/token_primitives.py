"""Primitives of attention. Tokens are the places of an image or a sequence, with their features along the channels."""

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

from nasturtium.blocks import token_modules
from nasturtium.blocks.expr import Call, Primitive
from nasturtium.blocks.primitives import ACTIVATIONS, CONVOLUTIONS
from nasturtium.errors import SpaceError, hint
from nasturtium.task import Signal


def _tokens(x: Signal, what: str) -> None:
    if x.rank == 0:
        raise SpaceError(f"{what} needs an image or a sequence, but a {x.kind} of shape {x.shape} arrives.")


@dataclass(frozen=True)
class Patches(Primitive):
    """A linear map of each patch of `side` places a side; what is left over at the far ends is not looked at."""

    width: int
    side: int

    def out(self, x: Signal) -> Signal:
        _tokens(x, "A patch embedding")
        if min(x.shape[1:]) < self.side:
            raise SpaceError(f"Patches of side {self.side} do not fit an input of shape {x.shape}.")
        return replace(x, shape=(self.width, *(side // self.side for side in x.shape[1:])))

    def params(self, x: Signal) -> int:
        return self.width * (x.channels * self.side**x.rank + 1)

    def macs(self, x: Signal) -> int:
        return self.out(x).size * x.channels * self.side**x.rank

    def activations(self, x: Signal) -> int:
        return self.out(x).size

    def call(self, x: Signal) -> Call:
        return Call(CONVOLUTIONS[x.rank], (x.channels, self.width, self.side), (("stride", self.side),))


@dataclass(frozen=True)
class Positions(Primitive):
    """A learned vector for each place, added."""

    in_place: ClassVar[bool] = True

    def out(self, x: Signal) -> Signal:
        _tokens(x, "A position embedding")
        return x

    def params(self, x: Signal) -> int:
        return x.size

    def call(self, x: Signal) -> Call:
        return Call(token_modules.Positions, x.shape)


@dataclass(frozen=True)
class ClassToken(Primitive):
    """A learned token before those of the input, which becomes a sequence."""

    def out(self, x: Signal) -> Signal:
        _tokens(x, "A class token")
        return Signal("sequence", (x.channels, 1 + prod(x.shape[1:])))

    def params(self, x: Signal) -> int:
        return x.channels

    def call(self, x: Signal) -> Call:
        return Call(token_modules.ClassToken, (x.channels,))


@dataclass(frozen=True)
class FirstToken(Primitive):
    """The first token of a sequence alone."""

    def out(self, x: Signal) -> Signal:
        if x.kind != "sequence":
            raise SpaceError(f"The first token is that of a sequence, but a {x.kind} of shape {x.shape} arrives.")
        return Signal("vector", (x.channels,))

    def call(self, x: Signal) -> Call:
        return Call(token_modules.FirstToken)


@dataclass(frozen=True)
class Attention(Primitive):
    """Scaled dot-product attention. The channels are queries, then keys, then values, each of `heads` runs.

    relative: each head learns a number for each way from place to place. dropout: of weights, while training.
    """

    heads: int
    relative: bool = False
    dropout: float = 0.0

    def out(self, x: Signal) -> Signal:
        _tokens(x, "Attention")
        if x.channels % (3 * self.heads):
            raise SpaceError(f"{x.channels} channels are not queries, keys and values of {self.heads} heads.")
        return replace(x, shape=(x.channels // 3, *x.shape[1:]))

    def params(self, x: Signal) -> int:
        return self.heads * prod(2 * side - 1 for side in x.shape[1:]) if self.relative else 0

    def macs(self, x: Signal) -> int:
        return 2 * prod(x.shape[1:]) * self.out(x).size

    def workspace(self, x: Signal) -> int:
        return self.heads * prod(x.shape[1:]) ** 2

    def call(self, x: Signal) -> Call:
        named = {"sides": x.shape[1:] if self.relative else (), "dropout": self.dropout}
        return Call(token_modules.Attention, (self.heads,), tuple((k, value) for k, value in named.items() if value))


@dataclass(frozen=True)
class Gated(Primitive):
    """The first half of the channels, multiplied by the activated second half (Shazeer 2020, arXiv:2002.05202)."""

    activation: str = "relu"

    def out(self, x: Signal) -> Signal:
        if self.activation not in ACTIVATIONS:
            raise SpaceError(f"Unknown activation {self.activation!r}. {hint(self.activation, ACTIVATIONS)}")
        if x.channels % 2:
            raise SpaceError(f"{x.channels} channels have no halves, one to gate the other.")
        return replace(x, shape=(x.channels // 2, *x.shape[1:]))

    def call(self, x: Signal) -> Call:
        return Call(token_modules.Gated, (Call(ACTIVATIONS[self.activation]),))


@dataclass(frozen=True)
class TableTokens(Primitive):
    """A token of `width` features for each column of a table (Gorishniy et al. 2021, arXiv:2106.11959, section 3.3)."""

    width: int

    def out(self, x: Signal) -> Signal:
        if x.kind != "table":
            raise SpaceError(f"Tokens of columns need a table, but a {x.kind} of shape {x.shape} arrives.")
        return Signal("sequence", (self.width, x.size))

    def params(self, x: Signal) -> int:
        return self.width * (x.shape[0] + x.size + sum(x.cardinalities))

    def call(self, x: Signal) -> Call:
        return Call(token_modules.TableTokens, (x.shape[0], x.cardinalities, self.width))
