"""Average pooling on the CPU as a depth-wise convolution: the same up to rounding, and several times faster."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def pooled(pool: nn.Module, x: Tensor) -> Tensor:
    """`pool(x)`: averages of images on the CPU by convolution; not in float64, where torch's convolution is slow."""
    plain = x.device.type != "cpu" or x.dtype == torch.float64
    if plain or not isinstance(pool, nn.AvgPool2d) or pool.count_include_pad or pool.ceil_mode:
        done: Tensor = pool(x)
        return done
    kernel = int(pool.kernel_size)  # type: ignore[arg-type]
    window = x.new_ones((1, 1, kernel, kernel))
    inside = functional.conv2d(x.new_ones((1, 1, *x.shape[2:])), window, None, pool.stride, pool.padding)
    sums = functional.conv2d(
        x, window.expand(x.shape[1], -1, -1, -1), None, pool.stride, pool.padding, groups=x.shape[1]
    )
    return sums.mul_(inside.reciprocal())  # in place: autograd needs no sums
