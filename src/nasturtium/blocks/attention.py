"""Blocks of transformers, for images, sequences and tables."""

from dataclasses import dataclass
from typing import ClassVar

from nasturtium.blocks import token_primitives as tokens
from nasturtium.blocks.block import Block, expect_width
from nasturtium.blocks.conv import conv_norm
from nasturtium.blocks.expr import Concat, Expr, Sum, seq
from nasturtium.blocks.primitives import Activation, Conv, Dropout, GlobalPool, Identity, Linear, Norm
from nasturtium.errors import SpaceError, hint
from nasturtium.space import Open, register
from nasturtium.task import Signal, Task

POOLS = ("avg", "max", "first")


@register
@dataclass(frozen=True)
class PatchEmbedding(Block):
    """Patches of `patch` places a side become tokens of `width` features (Dosovitskiy et al. 2021, equation 1).

    positions: add a learned vector for each place. token: put a learned token before the others.
    """

    costless: ClassVar[tuple[str, ...]] = ("dropout",)

    width: Open[int] | None = None
    patch: Open[int] = 4
    positions: Open[bool] = True
    token: Open[bool] = False
    dropout: Open[float] = 0.0

    def lower(self, x: Signal) -> Expr:
        return seq(
            ("patches", tokens.Patches(expect_width(self, self.width), self.patch)),
            ("token", tokens.ClassToken() if self.token else None),
            ("positions", tokens.Positions() if self.positions else None),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
        )


@register
@dataclass(frozen=True)
class ColumnEmbedding(Block):
    """Columns of a table become tokens of `width` features, a learned token before them (Gorishniy et al. 2021)."""

    width: Open[int] | None = None

    def lower(self, x: Signal) -> Expr:
        return seq(("columns", tokens.TableTokens(expect_width(self, self.width))), ("token", tokens.ClassToken()))


@register
@dataclass(frozen=True)
class Encoder(Block):
    """Attention and a two-layer network, each behind a normalisation and with a skip connection.

    Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", ICLR; arXiv:2010.11929, equations 2 and 3.
    width, stride: where another width arrives or the sides are to shrink, a 1x1 convolution stands before. ratio:
    features inside the network, relative to `width`. head_width: features of a head; 0 divides `width` among the heads.
    relative: learned numbers for the ways from place to place. gated: the network's first layer has a second one beside
    it that gates it. prenorm: is there a normalisation before the attention?
    """

    costless: ClassVar[tuple[str, ...]] = ("activation", "dropout", "attention_dropout")

    width: Open[int] | None = None
    stride: Open[int] = 1
    heads: Open[int] = 4
    ratio: Open[float] = 4.0
    head_width: Open[int] = 0
    activation: Open[str] = "gelu"
    dropout: Open[float] = 0.0
    attention_dropout: Open[float] = 0.0
    relative: Open[bool] = False
    gated: Open[bool] = False
    prenorm: Open[bool] = True

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        if x.rank == 0:
            raise SpaceError(f"Encoder needs tokens, but a {x.kind} of shape {x.shape} arrives. Embed it first.")
        fits = x.channels == width and self.stride == 1
        return seq(
            ("project", None if fits else conv_norm(width, 1, self.stride, norm="layer")),
            ("attention", Sum((("body", self._attention(width)), ("skip", Identity())))),
            ("network", Sum((("body", self._network(width)), ("skip", Identity())))),
        )

    def _attention(self, width: int) -> Expr:
        if not self.head_width and width % self.heads:
            raise SpaceError(f"A width of {width} does not divide among {self.heads} heads.")
        inner = self.heads * self.head_width or width
        layer = Conv(inner, 1, bias=True)
        return seq(
            ("norm", Norm("layer") if self.prenorm else None),
            ("qkv", Concat((("query", layer), ("key", layer), ("value", layer)))),
            ("attend", tokens.Attention(self.heads, self.relative, self.attention_dropout)),
            ("out", Conv(width, 1, bias=True)),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
        )

    def _network(self, width: int) -> Expr:
        layer = Conv(max(1, round(width * self.ratio)), 1, bias=True)
        return seq(
            ("norm", Norm("layer")),
            ("first", Concat((("value", layer), ("gate", layer))) if self.gated else layer),
            ("act", tokens.Gated(self.activation) if self.gated else Activation(self.activation)),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
            ("second", Conv(width, 1, bias=True)),
        )


@register
@dataclass(frozen=True)
class TokenHead(Block):
    """Normalise, take the mean, the maximum or the first token, and one linear layer.

    outputs: their number, or the task that says it. activation: between normalisation and layer, "none" for none.
    """

    costless: ClassVar[tuple[str, ...]] = ("dropout",)

    outputs: int | Task
    pool: Open[str] = "avg"
    activation: Open[str] = "none"
    dropout: Open[float] = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.outputs, Task):
            object.__setattr__(self, "outputs", self.outputs.outputs)
        if isinstance(self.pool, str) and self.pool not in POOLS:
            raise SpaceError(f"Unknown pooling {self.pool!r} of tokens. {hint(self.pool, POOLS)}")

    def lower(self, x: Signal) -> Expr:
        assert isinstance(self.outputs, int)
        return seq(
            ("norm", Norm("layer")),
            ("pool", tokens.FirstToken() if self.pool == "first" else GlobalPool(self.pool)),
            ("act", Activation(self.activation) if self.activation != "none" else None),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
            ("linear", Linear(self.outputs)),
        )
