"""Convolutions of one kind on one input side by side, normalised by the batch and scaled: forwards and backwards."""

from dataclasses import dataclass

import torch
from torch import Tensor

Found = tuple[Tensor | None, Tensor | None, Tensor | None]
"""Gradients in the input, the kernel and the scale of each channel."""

SAVED = 3
"""Tensors that `forward` keeps for `backward`, here and in `_pointwise`."""


@dataclass(frozen=True)
class Group:
    """targets: the sum that each convolution arrives at. start: number of the tensor that all of them begin with."""

    start: int
    targets: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    eps: float

    def gamma(self, scale: Tensor | None, kernel: Tensor) -> Tensor | None:
        """The scale of each channel, from that of each convolution."""
        return None if scale is None else scale.repeat_interleave(len(kernel) // len(self.targets))


def forward(group: Group, kernel: Tensor, gamma: Tensor | None, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The result, and what `backward` needs of it."""
    y = torch.convolution(
        x, kernel, None, group.stride, group.padding, (1,) * len(group.stride), False, (0,) * len(group.stride), 1
    )
    normal, mean, deviation = torch.native_batch_norm(y, gamma, None, None, None, True, 0.0, group.eps)
    return normal, (y, mean, deviation)


def backward(
    group: Group,
    kernel: Tensor,
    gamma: Tensor | None,
    x: Tensor,
    saved: tuple[Tensor, ...],
    gradient: Tensor,
    needed: tuple[bool, bool, bool],
) -> Found:
    """needed: which gradients are asked for."""
    y, mean, deviation = saved
    slope, of_gamma, _ = torch.ops.aten.native_batch_norm_backward(
        gradient, y, gamma, None, None, mean, deviation, True, group.eps, [True, needed[2], False]
    )
    of_x, of_kernel = convolution_backward(group, slope, x, kernel, needed[:2])
    return of_x, of_kernel, of_gamma


def convolution_backward(
    group: Group, slope: Tensor, x: Tensor, kernel: Tensor, needed: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients in the input and the kernel."""
    if not any(needed):
        return None, None
    rank = len(group.stride)
    found = torch.ops.aten.convolution_backward(
        slope, x, kernel, None, group.stride, group.padding, (1,) * rank, False, (0,) * rank, 1, [*needed, False]
    )
    return found[0], found[1]
