"""Operations of cells, in the form of DARTS: ReLU, convolution, batch normalisation.

Those of DARTS (Liu et al. 2019, "DARTS: Differentiable Architecture Search", ICLR; arXiv:1806.09055, section 3.1) and
NASNet (Zoph et al. 2018, "Learning Transferable Architectures for Scalable Image Recognition", CVPR; arXiv:1707.07012,
section 3).
"""

from functools import lru_cache

from nasturtium.blocks.cells import relu_conv_bn
from nasturtium.blocks.expr import Concat, Expr, seq
from nasturtium.blocks.primitives import Activation, Conv, Identity, LineConv, Norm, Pool, Shift, Zero
from nasturtium.errors import SpaceError, hint

NONE = "none"
DARTS_OPERATIONS = (
    "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
)  # fmt: skip
NASNET_OPERATIONS = (
    "skip_connect", "conv_3x1_1x3", "conv_7x1_1x7", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "max_pool_5x5",
    "max_pool_7x7", "conv_1x1", "conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7",
)  # fmt: skip
CELL_OPERATIONS = tuple(dict.fromkeys((*DARTS_OPERATIONS, *NASNET_OPERATIONS)))


@lru_cache(maxsize=1000)
def cell_operation(name: str, width: int, stride: int = 1, pool_norm: bool = False) -> Expr:
    """The operation of that name on `width` channels. pool_norm: pooling is followed by batch normalisation, as while
    DARTS searches. Raises `SpaceError` for an unknown name."""
    if name == NONE:
        return Zero()
    if name == "skip_connect":
        return Identity() if stride == 1 else factorized_reduction(width)
    if name not in CELL_OPERATIONS:
        raise SpaceError(f"Unknown operation {name!r} in a cell. {hint(name, CELL_OPERATIONS)}")
    kind, size = name.split("_", 1)[0], int(name[-1])
    match kind:
        case "max" | "avg":
            return seq(("pool", Pool(kind, size, stride)), ("norm", Norm("batch") if pool_norm else None))
        case "sep":
            return _separable(width, size, stride)
        case "dil":
            return seq(
                ("act", Activation("relu")),
                ("depthwise", Conv(width, size, stride, groups=0, dilation=2)),
                ("pointwise", Conv(width, 1)),
                ("norm", Norm("batch")),
            )
    if name in ("conv_1x1", "conv_3x3"):
        return relu_conv_bn(width, size, stride)
    taps = int(name.split("_")[1][0])
    return seq(
        ("act", Activation("relu")),
        ("across", LineConv(width, taps, 1, stride)),
        ("down", LineConv(width, taps, 0, stride)),
        ("norm", Norm("batch")),
    )


@lru_cache(maxsize=1000)
def factorized_reduction(width: int) -> Expr:
    """Half the sides without a loss of places: two 1x1 convolutions with stride 2, one of them on the shifted input."""
    first = seq(("conv", Conv(width // 2, 1, 2)))
    second = seq(("shift", Shift()), ("conv", Conv(width - width // 2, 1, 2)))
    halves = Concat((("even", first), ("odd", second)))
    return seq(("act", Activation("relu")), ("halves", halves), ("norm", Norm("batch")))


def _separable(width: int, size: int, stride: int) -> Expr:
    """Depth-wise and 1x1 convolution, twice."""
    return seq(
        ("act1", Activation("relu")),
        ("depthwise1", Conv(width, size, stride, groups=0)),
        ("pointwise1", Conv(width, 1)),
        ("norm1", Norm("batch")),
        ("act2", Activation("relu")),
        ("depthwise2", Conv(width, size, groups=0)),
        ("pointwise2", Conv(width, 1)),
        ("norm2", Norm("batch")),
    )
