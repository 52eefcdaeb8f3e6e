"""Batch normalisation of a training batch whose second derivatives are cheap.

torch puts the second derivative together from dozens of passes over the tensor, which is most of the time of GraSP on a
CPU. Here it is one call of the first derivative's kernel, five means, and one combination of three tensors.
"""

from typing import Any

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """`like` in training mode: normalises by the statistics of the batch, and keeps none.

    Differentiable twice by its input, but not by its scale and shift, which no proxy asks for.
    """

    def __init__(self, like: nn.Module) -> None:
        super().__init__()
        assert isinstance(like, nn.BatchNorm1d | nn.BatchNorm2d)
        self.weight, self.bias, self.eps = like.weight, like.bias, like.eps

    def forward(self, x: Tensor) -> Tensor:
        normal: Tensor = _Forward.apply(x, self.weight, self.bias, self.eps)
        return normal


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
        normal, mean, inverse = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.eps = eps
        return normal

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        return _Backward.apply(grads[0], *ctx.saved_tensors, ctx.eps), None, None, None


class _Backward(torch.autograd.Function):
    """dL/dx = a (g - mean(g) - n mean(g n)), with n the normalised x, a = weight * inverse, and means by channel."""

    @staticmethod
    def forward(
        ctx: Any, grad: Tensor, x: Tensor, weight: Tensor | None, mean: Tensor, inverse: Tensor, eps: float
    ) -> Tensor:
        by_x, by_weight, by_bias = _kernel(grad, x, weight, mean, inverse, eps)
        ctx.save_for_backward(grad, x, weight, mean, inverse, by_weight, by_bias)
        ctx.eps = eps
        return by_x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:
        """For v on dL/dx: the operator is its own adjoint, so g gets what g would make of v. And x gets

        -a inverse [v s + g r - p s - q r + n (t - p q - 3 r s)],
        p = mean(v), q = mean(g), r = mean(v n), s = mean(g n), t = mean(v g).
        """
        v = grads[0]
        g, x, weight, mean, inverse, by_weight, by_bias = ctx.saved_tensors
        by_g, v_n, v_sum = _kernel(v, x, weight, mean, inverse, ctx.eps)
        shape = (1, -1) + (1,) * (x.ndim - 2)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        count = x.numel() // x.shape[1]
        p, q, r, s = v_sum / count, by_bias / count, v_n / count, by_weight / count
        t = (v * g).mean(axes)
        a = inverse * inverse if weight is None else weight * inverse * inverse
        slope = -a * (t - p * q - 3 * r * s) * inverse
        constant = a * (p * s + q * r) - slope * mean
        by_x = torch.addcmul(constant.view(shape), x, slope.view(shape))
        by_x.addcmul_(v, (-a * s).view(shape)).addcmul_(g, (-a * r).view(shape))
        return by_g, by_x, None, None, None, None


def _kernel(
    grad: Tensor, x: Tensor, weight: Tensor | None, mean: Tensor, inverse: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_batch_norm_backward(
        grad, x, weight, None, None, mean, inverse, True, eps, [True, True, True]
    )
    return found
