"""Networks for phones and microcontrollers: MobileNet V1, V3 and V4, EfficientNet. Small inputs skip strides."""

from typing import Any

from nasturtium.blocks import Block, ConvBN, Head, MBConv, Separable, sequence, stage
from nasturtium.task import Task
from nasturtium.zoo._families import SCALES, Family, named, short_side, strides_for
from nasturtium.zoo._scale import rounded
from nasturtium.zoo.known_blocks import Inverted, Neck, UniversalInverted

V1 = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
"""Width, depth, stride (Howard et al. 2017, table 1)."""
V3_SMALL = (
    (3, 16, 16, True, "relu", 2), (3, 72, 24, False, "relu", 2), (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2), (5, 240, 40, True, "hardswish", 1), (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1), (5, 144, 48, True, "hardswish", 1), (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1), (5, 576, 96, True, "hardswish", 1),
)  # fmt: skip
"""Kernel, inner width, width, squeeze-and-excitation, activation, stride (Howard et al. 2019, table 2)."""
V3_LARGE = (
    (3, 16, 16, False, "relu", 1), (3, 64, 24, False, "relu", 2), (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2), (5, 120, 40, True, "relu", 1), (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2), (3, 200, 80, False, "hardswish", 1), (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1), (3, 480, 112, True, "hardswish", 1), (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2), (5, 960, 160, True, "hardswish", 1), (5, 960, 160, True, "hardswish", 1),
)  # fmt: skip
"""The same (table 1)."""
V4_SMALL = (
    (5, 5, 3, 96, 2), (0, 3, 2, 96, 1), (0, 3, 2, 96, 1), (0, 3, 2, 96, 1), (0, 3, 2, 96, 1), (3, 0, 4, 96, 1),
    (3, 3, 6, 128, 2), (5, 5, 4, 128, 1), (0, 5, 4, 128, 1), (0, 5, 3, 128, 1), (0, 3, 4, 128, 1), (0, 3, 4, 128, 1),
)  # fmt: skip
"""Kernel before, kernel after, expansion, width, stride (Qin et al. 2024, table of MNv4-Conv-S)."""
B0 = ((3, 1, 16, 1, 1), (3, 6, 24, 2, 2), (5, 6, 40, 2, 2), (3, 6, 80, 3, 2), (5, 6, 112, 3, 1), (5, 6, 192, 4, 2),
      (3, 6, 320, 1, 1))  # fmt: skip
"""Kernel, expansion, width, depth, stride (Tan and Le 2019, table 1)."""


def mobilenet_v1(task: Task) -> Family:
    """Thirteen depth-wise separable convolutions; the label is the width multiplier."""
    first, *strides = strides_for(short_side(task), (2, *(stride for _, _, stride in V1)))

    def make(scale: float) -> Block:
        body = {
            f"stage{place + 1}": stage(Separable(), rounded(width * scale), depth, strides[place])
            for place, (width, depth, _) in enumerate(V1)
        }
        return sequence(stem=ConvBN(rounded(32 * scale), 3, first), **body, head=Head(task))

    citation = "Howard et al. 2017, MobileNets (arXiv:1704.04861)"
    return Family("mobilenetv1", citation, make, named(SCALES), 1.0)


def mobilenet_v3_small(task: Task) -> Family:
    """Found by a search for phones; the label is the width multiplier."""
    return _v3(task, "mobilenetv3-small", V3_SMALL, 1024)


def mobilenet_v3_large(task: Task) -> Family:
    """Found by a search for phones; the label is the width multiplier."""
    return _v3(task, "mobilenetv3-large", V3_LARGE, 1280)


def _v3(task: Task, name: str, rows: Any, last: int) -> Family:
    first, *strides = strides_for(short_side(task), (2, *(row[-1] for row in rows)))

    def make(scale: float) -> Block:
        parts: dict[str, Any] = {"stem": ConvBN(rounded(16 * scale), 3, first, "hardswish")}
        for place, (kernel, inner, width, se, activation, _) in enumerate(rows):
            wide = rounded(inner * scale)
            squeeze = _eights(wide // 4) if se else 0
            parts[f"block{place + 1}"] = Inverted(
                rounded(width * scale), strides[place], kernel, wide, squeeze, activation
            )
        end = rounded(6 * rows[-1][2] * scale)
        parts["last"] = ConvBN(end, 1, 1, "hardswish")
        return sequence(**parts, neck=Neck(rounded(last * scale), activation="hardswish"), head=Head(task, dropout=0.2))

    return Family(name, "Howard et al. 2019, Searching for MobileNetV3 (arXiv:1905.02244)", make, named(SCALES), 1.0)


def mobilenet_v4_conv_small(task: Task) -> Family:
    """Plain and universal inverted bottlenecks with ReLU only, for any accelerator; the label is the width factor."""
    first, second, third, *strides = strides_for(short_side(task), (2, 2, 2, *(row[-1] for row in V4_SMALL)))

    def make(scale: float) -> Block:
        parts: dict[str, Any] = {
            "stem": ConvBN(rounded(32 * scale), 3, first),
            "fused1": ConvBN(rounded(32 * scale), 3, second),
            "point1": ConvBN(rounded(32 * scale), 1),
            "fused2": ConvBN(rounded(96 * scale), 3, third),
            "point2": ConvBN(rounded(64 * scale), 1),
        }
        at = rounded(64 * scale)
        for place, (before, after, expand, width, _) in enumerate(V4_SMALL):
            wide = rounded(width * scale)
            parts[f"block{place + 1}"] = UniversalInverted(wide, strides[place], before, after, expand * at)
            at = wide
        parts["last"] = ConvBN(rounded(960 * scale), 1)
        neck = Neck(rounded(1280 * scale), norm="batch", activation="relu")
        return sequence(**parts, neck=neck, head=Head(task, dropout=0.2))

    citation = "Qin et al. 2024, MobileNetV4 (arXiv:2404.10518), MNv4-Conv-S"
    return Family("mobilenetv4-conv-small", citation, make, named(SCALES), 1.0)


def efficientnet_b0(task: Task) -> Family:
    """Inverted residuals with squeeze-and-excitation and SiLU; the label is the factor on the widths."""
    first, *strides = strides_for(short_side(task), (2, *(row[-1] for row in B0)))

    def make(scale: float) -> Block:
        at = rounded(32 * scale)
        parts: dict[str, Any] = {"stem": ConvBN(at, 3, first, "silu")}
        for place, (kernel, expand, width, depth, _) in enumerate(B0):
            wide = rounded(width * scale)
            for step in range(depth):
                stride = 1 if step else strides[place]
                parts[f"stage{place + 1}.{step}".replace(".", "_")] = Inverted(
                    wide, stride, kernel, expand * at, max(1, at // 4), "silu", "silu/sigmoid"
                )
                at = wide
        return sequence(**parts, head=Head(task, hidden=rounded(1280 * scale), dropout=0.2, activation="silu"))

    return Family("efficientnet-b0", "Tan and Le 2019, EfficientNet (arXiv:1905.11946)", make, named(SCALES), 1.0)


def efficientnet_lite0(task: Task) -> Family:
    """EfficientNet-B0 without squeeze-and-excitation and with ReLU6, which quantise well; the label is the factor on
    the widths of all but the stem and the last convolution."""
    first, *strides = strides_for(short_side(task), (2, *(row[-1] for row in B0)))

    def make(scale: float) -> Block:
        body = {
            f"stage{place + 1}": stage(
                MBConv(kernel=kernel, expand=expand, activation="relu6"), rounded(width * scale), depth, strides[place]
            )
            for place, (kernel, expand, width, depth, _) in enumerate(B0)
        }
        head = Head(task, hidden=rounded(1280 * scale), dropout=0.2, activation="relu6")
        return sequence(stem=ConvBN(rounded(32 * scale), 3, first, "relu6"), **body, head=head)

    citation = "Tan and Le 2019, EfficientNet (arXiv:1905.11946), in the Lite variant of its authors' repository"
    return Family("efficientnet-lite0", citation, make, named(SCALES), 1.0)


def _eights(width: int) -> int:
    """The multiple of eight that squeeze-and-excitation of MobileNetV3 has inside."""
    near = max(8, (width + 4) // 8 * 8)
    return near + 8 if near < 0.9 * width else near
