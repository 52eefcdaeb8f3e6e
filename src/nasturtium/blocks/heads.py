"""From features to the outputs of the task."""

from dataclasses import dataclass
from typing import ClassVar

from nasturtium.blocks.block import Block
from nasturtium.blocks.conv import conv_norm_act
from nasturtium.blocks.expr import Expr, seq
from nasturtium.blocks.primitives import Dropout, Flatten, GlobalPool, Linear
from nasturtium.space import Open, register
from nasturtium.task import Signal, Task


@register
@dataclass(frozen=True)
class Head(Block):
    """Pool, drop, and one linear layer.

    outputs: their number, or the task that says it. hidden: width of a 1x1 convolution before the pool, 0 for none.
    pool: "avg", "max", or "flatten" (every position has weights of its own). dropout: rate while training.
    """

    costless: ClassVar[tuple[str, ...]] = ("dropout", "activation")

    outputs: int | Task
    hidden: Open[int] = 0
    pool: Open[str] = "avg"
    dropout: Open[float] = 0.0
    activation: Open[str] = "relu"

    def __post_init__(self) -> None:
        if isinstance(self.outputs, Task):
            object.__setattr__(self, "outputs", self.outputs.outputs)

    def lower(self, x: Signal) -> Expr:
        assert isinstance(self.outputs, int)
        spatial = x.rank > 0
        wide = conv_norm_act(self.hidden, 1, 1, 1, "batch", self.activation) if self.hidden and spatial else None
        pool = (Flatten() if self.pool == "flatten" else GlobalPool(self.pool)) if spatial else None
        return seq(
            ("hidden", wide),
            ("pool", pool),
            ("dropout", Dropout(self.dropout) if self.dropout else None),
            ("linear", Linear(self.outputs)),
        )
