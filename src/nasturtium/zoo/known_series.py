"""Networks of sequences: InceptionTime, temporal convolutions, recurrence; and linear ones of anything."""

from typing import Any

from nasturtium.blocks import Block, Embed, Head, sequence
from nasturtium.task import Task
from nasturtium.zoo._families import Family, named
from nasturtium.zoo.known_blocks import AtLastStep, InceptionModules, RecurrentBlock, TemporalBlock

LEVELS = 8
"""Blocks of a temporal convolutional network at most; each doubles what a step sees."""
TCN_KERNEL = 7


def inception_time(task: Task) -> Family:
    """Six inception modules and two skip connections; the label is the number of filters of a branch.

    One network; the paper averages five.
    """

    def make(filters: int) -> Block:
        return sequence(first=InceptionModules(filters), second=InceptionModules(filters), head=Head(task))

    citation = "Ismail Fawaz et al. 2020, InceptionTime (arXiv:1909.04939); one network, kernels of 39, 19 and 9"
    return Family("inceptiontime", citation, make, named((2, 3, 4, 6, 8, 12, 16, 24, 32)), 32)


def tcn(task: Task) -> Family:
    """Causal convolutions whose dilation doubles until the last step sees the whole sequence; the label is the width.

    Batch normalisation instead of weight normalisation.
    """
    levels = 1
    while levels < LEVELS and 1 + 2 * (TCN_KERNEL - 1) * (2**levels - 1) < task.input.shape[1]:
        levels += 1

    def make(width: int) -> Block:
        body = {f"level{place}": TemporalBlock(width, TCN_KERNEL, 2**place) for place in range(levels)}
        return sequence(**body, last=AtLastStep(), head=Head(task))

    citation = "Bai et al. 2018, Generic convolutional and recurrent networks for sequences (arXiv:1803.01271)"
    return Family("tcn", citation, make, named((4, 6, 8, 12, 16, 25, 32, 48, 64)), 25)


def lstm(task: Task) -> Family:
    """One recurrent layer with memory cells and its last state; the label is the width."""
    return _recurrent(task, "lstm", "Hochreiter and Schmidhuber 1997, Long short-term memory, Neural Computation 9(8)")


def gru(task: Task) -> Family:
    """One recurrent layer of gated units and its last state; the label is the width."""
    return _recurrent(task, "gru", "Cho et al. 2014, Learning phrase representations (arXiv:1406.1078)")


def _recurrent(task: Task, kind: str, citation: str) -> Family:
    def make(width: int) -> Block:
        return sequence(body=RecurrentBlock(kind, width), head=Head(task))

    return Family(kind, citation, make, named((4, 8, 12, 16, 24, 32, 48, 64, 96, 128)), 128)


def linear(task: Task) -> Family:
    """No hidden layer: the outputs are weighted sums of the inputs. The label is the width of a category's vector."""

    def make(categories: int) -> Block:
        parts: dict[str, Any] = {"embed": Embed(categories)}
        return sequence(**parts, head=Head(task))

    widths = (1, 2, 4, 8) if task.input.cardinalities else (8,)
    return Family(
        "linear", "Hastie, Tibshirani, Friedman 2009, Elements of statistical learning", make, named(widths), 8
    )
