"""Blocks for tables: embeddings, and dense layers with and without skip connections."""

from dataclasses import dataclass
from typing import ClassVar

from nasturtium.blocks.block import Block, expect_width
from nasturtium.blocks.expr import Expr, Sum, seq
from nasturtium.blocks.primitives import (
    Activation,
    Dropout,
    EmbedCategories,
    EmbedNumbers,
    Flatten,
    Identity,
    Linear,
    Norm,
)
from nasturtium.space import Open, register
from nasturtium.task import Signal


@register
@dataclass(frozen=True)
class Embed(Block):
    """From a table to a vector: each category becomes a learned vector; numbers stay, or are embedded too.

    categories: greatest width of a category's vector. numbers: width of a number's periodic embedding, 0 for none.
    """

    categories: Open[int] = 8
    numbers: Open[int] = 0
    frequencies: Open[int] = 8

    def lower(self, x: Signal) -> Expr:
        if x.kind != "table":
            return seq(("flatten", Flatten()))
        periodic = EmbedNumbers(self.numbers, self.frequencies) if self.numbers and x.shape[0] else None
        return seq(("numbers", periodic), ("categories", EmbedCategories(self.categories)))


@register
@dataclass(frozen=True)
class Dense(Block):
    """Linear, normalisation, activation, dropout. norm: "batch", "layer" or "none"."""

    costless: ClassVar[tuple[str, ...]] = ("activation", "dropout")

    width: Open[int] | None = None
    activation: Open[str] = "relu"
    norm: Open[str] = "batch"
    dropout: Open[float] = 0.0

    def lower(self, x: Signal) -> Expr:
        return seq(
            ("linear", Linear(expect_width(self, self.width))),
            ("norm", Norm(self.norm) if self.norm != "none" else None),
            ("act", Activation(self.activation)),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
        )


@register
@dataclass(frozen=True)
class DenseResidual(Block):
    """Residual block for tables (Gorishniy et al. 2021, "ResNet"): norm, linear, activation, dropout, linear, skip."""

    costless: ClassVar[tuple[str, ...]] = ("activation", "dropout")

    width: Open[int] | None = None
    expand: Open[float] = 2
    activation: Open[str] = "relu"
    norm: Open[str] = "batch"
    dropout: Open[float] = 0.0

    def lower(self, x: Signal) -> Expr:
        width = expect_width(self, self.width)
        body = seq(
            ("norm", Norm(self.norm) if self.norm != "none" else None),
            ("first", Linear(max(1, round(width * self.expand)))),
            ("act", Activation(self.activation)),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
            ("second", Linear(width)),
        )
        skip = Identity() if x.shape == (width,) else seq(("linear", Linear(width, bias=False)))
        return Sum((("body", body), ("skip", skip)))
