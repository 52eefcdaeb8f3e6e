"""What is to be learned, and the typed signals that flow between blocks."""

from dataclasses import dataclass
from math import prod
from typing import Literal

SignalKind = Literal["image", "sequence", "table", "vector"]
TaskKind = Literal["classification", "multi-label", "regression"]


@dataclass(frozen=True)
class Signal:
    """The type of a tensor between two blocks, without its batch axis.

    kind: image `(channels, height, width)`, sequence `(channels, length)`, vector `(features,)`, or
        table `(numeric columns,)`, whose tensor holds the numbers first and then one code per categorical column.
    cardinalities: table only, the number of codes of each categorical column; code 0 is missing or unknown.
    """

    kind: SignalKind
    shape: tuple[int, ...]
    cardinalities: tuple[int, ...] = ()

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def rank(self) -> int:
        """Spatial axes: 2 for images, 1 for sequences, 0 otherwise."""
        return len(self.shape) - 1

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """Shape of the tensor of one row."""
        return (self.shape[0] + len(self.cardinalities),) if self.kind == "table" else self.shape

    @property
    def size(self) -> int:
        """Numbers in one row."""
        return prod(self.tensor_shape)


@dataclass(frozen=True)
class Task:
    """A learning problem: what comes in, what goes out, how it is judged.

    outputs: number of output units: classes, labels (multi-label) or targets (regression).
    classes: names of the classes or labels in the order of the output units; empty for regression.
    metric: name of the primary metric, a key of `nasturtium.training.metrics.METRICS`.
    """

    kind: TaskKind
    input: Signal
    outputs: int
    metric: str
    classes: tuple[str, ...] = ()

    @property
    def modality(self) -> SignalKind:
        return self.input.kind
