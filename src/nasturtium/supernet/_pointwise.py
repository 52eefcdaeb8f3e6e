"""1x1 convolutions with batch normalisation as one convolution, without their own output ever being made.

Of y = K x, the mean is K m and the variance diag(K C K'), with the mean m and the covariance C of the channels of x. So
the normalised and scaled y is (s K) x - s K m with s = gamma / sqrt(variance + eps): for many positions and few
channels, finding C is far less work than normalising y for every option.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nasturtium.supernet._convolution import Found, Gradients, Group, convolution_backward

MANY = 256
"""Positions (rows times pixels) for each channel from which on this is the faster way."""


def applies(group: Group, kernel: Tensor, x: Tensor) -> bool:
    """Can and should the group be computed so? Covariances need more digits than bfloat16 has."""
    return (
        x.ndim == 4
        and kernel.shape[2:] == (1, 1)
        and group.stride == (1, 1)
        and x.dtype in (torch.float32, torch.float64)
        and _positions(x) >= MANY * x.shape[1]
    )


def forward(
    group: Group, kernel: Tensor, gamma: Tensor | None, x: Tensor
) -> tuple[Sequence[Tensor], tuple[Tensor, ...]]:
    """The result of each convolution, and what `backward` needs."""
    flat = kernel.flatten(1)
    mean = x.mean((0, 2, 3))
    # The gradient of a 1x1 kernel is the sum over positions of products of channels: the fastest way to find it.
    square = x.new_empty((x.shape[1], x.shape[1], 1, 1))
    _, products = convolution_backward(group, x, x, square, (False, True))
    assert products is not None  # it was asked for
    covariance = products.flatten(1) / _positions(x) - torch.outer(mean, mean)
    variance = ((flat @ covariance) * flat).sum(1).clamp_min(0)
    deviation = (variance + group.eps).rsqrt()
    scaled = flat * (deviation if gamma is None else gamma * deviation)[:, None]
    # One by one: side by side, three of them no longer fit the cache, and are several times slower backwards.
    each = zip(_parts(group, scaled.view_as(kernel)), _parts(group, -(scaled @ mean)), strict=True)
    return [functional.conv2d(x, part, shift) for part, shift in each], (mean, covariance, deviation)


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
    mean, covariance, deviation = saved
    flat = kernel.flatten(1)
    scale = deviation if gamma is None else gamma * deviation
    scaled = flat * scale[:, None]
    of_x: Tensor | None = None
    products, totals = [], []
    for target, part in zip(group.targets, _parts(group, scaled.view_as(kernel)), strict=True):
        gradient = gradients.each[target]
        one_of_x, product = convolution_backward(group, gradient, x, part, (needed[0], True))
        of_x = one_of_x if of_x is None or one_of_x is None else of_x.add_(one_of_x)
        assert product is not None  # it was asked for
        products.append(product.flatten(1))
        totals.append(gradient.sum((0, 2, 3)))
    total = torch.cat(totals)
    of_scaled = torch.cat(products) - torch.outer(total, mean)
    of_scale = (of_scaled * flat).sum(1)
    of_variance = -0.5 * of_scale * scale * deviation.square()  # d deviation = -deviation^3 / 2 d variance
    weighted = flat * of_variance[:, None]
    of_kernel = (scale[:, None] * of_scaled + 2 * weighted @ covariance).view_as(kernel) if needed[1] else None
    if of_x is not None:
        of_covariance = weighted.t() @ flat
        of_mean = -(total @ scaled) - 2 * of_covariance @ mean
        inner = (2 / _positions(x)) * of_covariance
        of_x += functional.conv2d(x, inner[:, :, None, None], of_mean / _positions(x))
    return of_x, of_kernel, of_scale * deviation if needed[2] else None


def _parts(group: Group, tensor: Tensor) -> Sequence[Tensor]:
    """Of each convolution."""
    return tensor.chunk(len(group.targets))


def _positions(x: Tensor) -> int:
    return x.numel() // x.shape[1]
