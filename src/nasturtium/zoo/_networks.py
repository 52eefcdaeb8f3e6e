"""The families of known networks, each in a few sizes, fitted to the size of the task's input."""

from typing import Any

from nasturtium.blocks import (
    Block,
    ConvBN,
    Dense,
    DenseResidual,
    Downsample,
    Embed,
    Head,
    MBConv,
    NormAct,
    Residual,
    Separable,
    sequence,
    stage,
)
from nasturtium.task import Task
from nasturtium.zoo._families import Family, named, short_side
from nasturtium.zoo._scale import rounded


def lenet5(task: Task) -> Family:
    """Two 5x5 convolutions with pooling and two dense layers; with ReLU and batch normalisation."""

    def make(scale: float) -> Block:
        def wide(width: int) -> int:
            return max(1, round(width * scale))

        return sequence(
            conv1=ConvBN(wide(6), 5),
            pool1=Downsample("max"),
            conv2=ConvBN(wide(16), 5),
            pool2=Downsample("max"),
            flatten=Embed(),
            dense1=Dense(wide(120), norm="none"),
            dense2=Dense(wide(84), norm="none"),
            head=Head(task),
        )

    citation = "LeCun et al. 1998, Gradient-based learning applied to document recognition"
    return Family("lenet5", citation, make, named((0.25, 0.5, 0.75, 1.0, 1.5)), 1.0)


def resnet8(task: Task) -> Family:
    """Three residual blocks, as in MLPerf Tiny; the label is the width of the first."""
    first = 2 if short_side(task) > 48 else 1

    def make(width: int) -> Block:
        return sequence(
            stem=ConvBN(width, 3, first),
            stage1=stage(Residual(), width, 1, 1),
            stage2=stage(Residual(), 2 * width, 1, 2),
            stage3=stage(Residual(), 4 * width, 1, 2),
            head=Head(task),
        )

    citation = "He et al. 2016, Deep residual learning; Banbury et al. 2021, MLPerf Tiny (arXiv:2106.07597)"
    return Family("resnet8", citation, make, named((2, 3, 4, 6, 8, 12, 16, 24, 32)), 16)


def mobilenet_v2(task: Task) -> Family:
    """Inverted residuals of expansion 6; the label is the width multiplier. Small inputs skip the first strides."""
    short = short_side(task)
    strides = (2, 2, 2, 2, 1, 2, 1) if short > 96 else (1, 2, 2, 2, 1, 1) if short > 48 else (1, 1, 2, 2, 1, 1)
    rows = ((24, 2), (32, 3), (64, 4), (96, 3), (160, 3), (320, 1)) if short > 16 else ((24, 2), (32, 2), (64, 2))

    def make(scale: float) -> Block:
        parts: dict[str, Any] = {
            "stem": ConvBN(rounded(32 * scale), 3, strides[0], "relu6"),
            "stage1": stage(MBConv(expand=1, activation="relu6"), rounded(16 * scale)),
        }
        for place, ((width, depth), stride) in enumerate(zip(rows, strides[1:], strict=False)):
            block = MBConv(expand=6, activation="relu6")
            parts[f"stage{place + 2}"] = stage(block, rounded(width * scale), depth, stride)
        last = rounded(1280 * scale) if short > 16 else rounded(128 * scale)
        return sequence(**parts, head=Head(task, hidden=last, activation="relu6"))

    citation = "Sandler et al. 2018, MobileNetV2 (arXiv:1801.04381)"
    return Family("mobilenetv2", citation, make, named((0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1.0)), 1.0)


def ds_cnn(task: Task) -> Family:
    """A convolution and four depth-wise separable ones of one width, which is the label."""
    first = 2 if short_side(task) > 16 else 1
    kernel = 5 if task.input.rank == 1 else 3

    def make(width: int) -> Block:
        block = Separable(kernel=kernel)
        stem = ConvBN(width, kernel, first)
        return sequence(stem=stem, body=stage(block, width, 4), head=Head(task))

    citation = "Zhang et al. 2017, Hello edge: keyword spotting on microcontrollers (arXiv:1711.07128)"
    return Family("ds-cnn", citation, make, named((8, 12, 16, 24, 32, 48, 64, 96, 128)), 64)


def fcn(task: Task) -> Family:
    """Three convolutions with global pooling; the label is the width of the first. The first kernel is 7, not 8."""

    def make(width: int) -> Block:
        return sequence(conv1=ConvBN(width, 7), conv2=ConvBN(2 * width, 5), conv3=ConvBN(width, 3), head=Head(task))

    citation = "Wang et al. 2017, Time series classification from scratch (arXiv:1611.06455)"
    return Family("fcn", citation, make, named((8, 16, 24, 32, 64, 128)), 128)


def resnet_1d(task: Task) -> Family:
    """Three residual blocks with long kernels; the label is the width of the first."""

    def make(width: int) -> Block:
        return sequence(
            stage1=stage(Residual(kernel=7), width),
            stage2=stage(Residual(kernel=5), 2 * width),
            stage3=stage(Residual(kernel=3), 2 * width),
            head=Head(task),
        )

    citation = "Wang et al. 2017, Time series classification from scratch (arXiv:1611.06455)"
    return Family("resnet-1d", citation, make, named((4, 8, 12, 16, 32, 64)), 64)


def dense_mlp(task: Task) -> Family:
    """Two dense layers; the label is their number and width."""

    def make(width: int) -> Block:
        return sequence(embed=Embed(), body=stage(Dense(dropout=0.1), width, 2), head=Head(task))

    citation = "Gorishniy et al. 2021, Revisiting deep learning models for tabular data (arXiv:2106.11959)"
    labels = {width: f"2x{width}" for width in (8, 16, 32, 64, 128, 256)}
    return Family("mlp", citation, make, labels, 64)


def tabular_resnet(task: Task) -> Family:
    """Two residual blocks for tables; the label is the width."""

    def make(width: int) -> Block:
        body = stage(DenseResidual(dropout=0.1), width, 2)
        return sequence(embed=Embed(), body=body, last=NormAct(), head=Head(task))

    citation = "Gorishniy et al. 2021, Revisiting deep learning models for tabular data (arXiv:2106.11959)"
    return Family("tabular-resnet", citation, make, named((8, 16, 32, 64, 128)), 64)
