"""Convolutional networks of images with skip connections: ResNet, RegNet, ConvNeXt. Small inputs skip strides."""

from typing import Any

from nasturtium.blocks import Block, ConvBN, Head, Residual, sequence, stage
from nasturtium.task import Task
from nasturtium.zoo._families import SCALES, Family, named, short_side, strides_for
from nasturtium.zoo._scale import rounded
from nasturtium.zoo.known_blocks import Bottleneck, ConvNeXtBlock, MaxPool, Neck, Patches

SMALL_STEM = 64
"""Below this side a stem of 7x7 is one of 3x3, as is usual for CIFAR."""


def resnet20(task: Task) -> Family:
    """Nine residual blocks of 16, 32 and 64 channels, made for 32x32; the label is the first width."""
    strides = strides_for(short_side(task), (1, 2, 2))
    first = 2 if short_side(task) > SMALL_STEM else 1

    def make(width: int) -> Block:
        stages: dict[str, Any] = {
            f"stage{place + 1}": stage(Residual(), width * 2**place, 3, stride) for place, stride in enumerate(strides)
        }
        return sequence(stem=ConvBN(width, 3, first), **stages, head=Head(task))

    citation = "He et al. 2016, Deep residual learning (arXiv:1512.03385), section 4.2; projected skip connections"
    return Family("resnet20", citation, make, named((2, 3, 4, 6, 8, 12, 16, 24, 32)), 16)


def resnet18(task: Task) -> Family:
    """Eight basic blocks; the label is the factor on the widths."""

    def make(scale: float) -> Block:
        stem, stages = _resnet_stem(task, scale)
        body = {
            f"stage{place + 1}": stage(Residual(), rounded(64 * 2**place * scale), 2, stride)
            for place, stride in enumerate(stages)
        }
        return sequence(**stem, **body, head=Head(task))

    return Family("resnet18", "He et al. 2016, Deep residual learning (arXiv:1512.03385)", make, named(SCALES), 1.0)


def resnet50(task: Task) -> Family:
    """Sixteen bottleneck blocks, striding in the 3x3 convolutions; the label is the factor on the widths."""

    def make(scale: float) -> Block:
        stem, strides = _resnet_stem(task, scale)
        body: dict[str, Any] = {}
        for place, (depth, stride) in enumerate(zip((3, 4, 6, 3), strides, strict=True)):
            inner = rounded(64 * 2**place * scale)
            body[f"stage{place + 1}"] = stage(Bottleneck(inner=inner), 4 * inner, depth, stride)
        return sequence(**stem, **body, head=Head(task))

    citation = "He et al. 2016, Deep residual learning (arXiv:1512.03385); strides as in ResNet v1.5"
    return Family("resnet50", citation, make, named(SCALES), 1.0)


def _resnet_stem(task: Task, scale: float) -> tuple[dict[str, Block], tuple[int, ...]]:
    """The stem with its pooling, and the strides of the four stages."""
    first, pooled, *stages = strides_for(short_side(task), (2, 2, 1, 2, 2, 2))
    kernel = 7 if short_side(task) >= SMALL_STEM else 3
    stem: dict[str, Block] = {"stem": ConvBN(rounded(64 * scale), kernel, first)}
    return stem | ({"pool": MaxPool()} if pooled == 2 else {}), tuple(stages)


def regnetx_200mf(task: Task) -> Family:
    """Thirteen grouped bottlenecks, 8 channels a group; the label is the factor on the widths."""
    first, *strides = strides_for(short_side(task), (2, 2, 2, 2, 2))

    def make(scale: float) -> Block:
        body: dict[str, Any] = {}
        for place, (width, depth) in enumerate(((24, 1), (56, 1), (152, 4), (368, 7))):
            wide = max(8, round(width * scale / 8) * 8)
            body[f"stage{place + 1}"] = stage(Bottleneck(inner=wide, groups=wide // 8), wide, depth, strides[place])
        return sequence(stem=ConvBN(rounded(32 * scale), 3, first), **body, head=Head(task))

    citation = "Radosavovic et al. 2020, Designing network design spaces (arXiv:2003.13678), RegNetX-200MF"
    return Family("regnetx-200mf", citation, make, named(SCALES), 1.0)


def convnext_atto(task: Task) -> Family:
    """2, 2, 6, 2 blocks of 40 to 320 channels; the label is the factor on the widths."""
    citation = "Liu et al. 2022, A ConvNet for the 2020s (arXiv:2201.03545); size of Woo et al. 2023 (arXiv:2301.00808)"
    return Family("convnext-atto", citation, _convnext(task, (2, 2, 6, 2), 40), named(SCALES), 1.0)


def convnext_tiny(task: Task) -> Family:
    """3, 3, 9, 3 blocks of 96 to 768 channels; the label is the factor on the widths."""
    citation = "Liu et al. 2022, A ConvNet for the 2020s (arXiv:2201.03545)"
    return Family("convnext-tiny", citation, _convnext(task, (3, 3, 9, 3), 96), named(SCALES), 1.0)


def _convnext(task: Task, depths: tuple[int, ...], width: int) -> Any:
    first, *strides = strides_for(short_side(task), (4, 2, 2, 2))

    def make(scale: float) -> Block:
        parts: dict[str, Any] = {"stem": Patches(rounded(width * scale), first)}
        for place, depth in enumerate(depths):
            wide = rounded(width * 2**place * scale)
            if place:
                parts[f"down{place}"] = Patches(wide, strides[place - 1], "pre")
            parts[f"stage{place + 1}"] = stage(ConvNeXtBlock(), wide, depth)
        return sequence(**parts, neck=Neck(norm="layer"), head=Head(task))

    return make
