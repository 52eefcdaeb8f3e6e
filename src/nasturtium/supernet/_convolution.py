"""Convolutions of one kind on one input side by side, normalised by the batch and scaled: forwards and backwards."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Found = tuple[Tensor | None, Tensor | None, Tensor | None]
"""Gradients in the input, the kernel and the scale of each channel."""


class Gradients:
    """Those of all targets; side by side for some of them, which are written to memory only once."""

    def __init__(self, each: Sequence[Tensor]) -> None:
        self.each = each
        self._joined: dict[tuple[int, ...], Tensor] = {}

    def joined(self, targets: tuple[int, ...]) -> Tensor:
        if len(targets) == 1:
            return self.each[targets[0]]
        if targets not in self._joined:
            self._joined[targets] = torch.cat([self.each[target] for target in targets], dim=1)
        return self._joined[targets]


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


def forward(
    group: Group, kernel: Tensor, gamma: Tensor | None, x: Tensor
) -> tuple[Sequence[Tensor], tuple[Tensor, ...]]:
    """The result of each convolution, and what `backward` needs."""
    y = torch.convolution(
        x, kernel, None, group.stride, group.padding, (1,) * len(group.stride), False, (0,) * len(group.stride), 1
    )
    normal, mean, deviation = torch.native_batch_norm(y, gamma, None, None, None, True, 0.0, group.eps)
    return normal.chunk(len(group.targets), dim=1), (y, mean, deviation)


def backward(
    group: Group,
    kernel: Tensor,
    gamma: Tensor | None,
    x: Tensor,
    saved: tuple[Tensor, ...],
    gradients: Gradients,
    needed: tuple[bool, bool, bool],
) -> Found:
    """gradients: of each target. needed: which gradients are asked for."""
    y, mean, deviation = saved
    slope, of_gamma, _ = torch.ops.aten.native_batch_norm_backward(
        gradients.joined(group.targets),
        y,
        gamma,
        None,
        None,
        mean,
        deviation,
        True,
        group.eps,
        [True, needed[2], False],
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
