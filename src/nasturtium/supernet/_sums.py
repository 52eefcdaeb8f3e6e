"""Sums of what arrives at a value of a mixed cell."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass
class Terms:
    """What arrives at one value. plain: summands that have been weighed. scaled: a weight `[]` and what it weighs."""

    plain: list[Tensor] = field(default_factory=list)
    scaled: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def add(self, weight: Tensor | None, term: Tensor) -> None:
        if weight is None:
            self.plain.append(term)
        else:
            self.scaled.append((weight, term))

    def total(self) -> Tensor | None:
        """The sum; None where nothing arrived."""
        if not self.scaled:
            return _sum(self.plain) if self.plain else None
        weights, tensors = zip(*self.scaled, strict=True)
        total: Tensor = _WeightedSum.apply(torch.stack(weights), *tensors, *self.plain)
        return total


class _WeightedSum(torch.autograd.Function):
    """sum(weights[k] * tensors[k]) + sum(the tensors after them).

    Autograd would write a product of full size for each term in both directions; this keeps one running sum forwards,
    and the gradient of a weight is one inner product. Its backward is made of differentiable operations.
    """

    @staticmethod
    def forward(ctx: Any, weights: Tensor, *tensors: Tensor) -> Tensor:
        scaled, plain = tensors[: len(weights)], tensors[len(weights) :]
        ctx.save_for_backward(weights, *scaled)
        if plain:
            total = _sum(plain)
            total = total.clone() if len(plain) == 1 else total
            rest = range(len(scaled))
        else:
            total, rest = scaled[0] * weights[0], range(1, len(scaled))
        for k in rest:
            total.addcmul_(scaled[k], weights[k])
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weights, *scaled = ctx.saved_tensors
        needed = ctx.needs_input_grad
        of_weights = torch.stack([inner(gradient, term) for term in scaled]).to(weights.dtype) if needed[0] else None
        of_scaled = [gradient * weights[k] if needed[1 + k] else None for k in range(len(scaled))]
        of_plain = [gradient if needs else None for needs in needed[1 + len(scaled) :]]
        return (of_weights, *of_scaled, *of_plain)


def _sum(tensors: Sequence[Tensor]) -> Tensor:
    total = tensors[0]
    for place, tensor in enumerate(tensors[1:]):
        # The first addition makes a tensor of our own; autograd needs none of the partial sums.
        total = total.add_(tensor) if place else total + tensor
    return total


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Sum of products. BLAS reads both once, where both lie in memory in one order."""
    if a.dtype not in (torch.float32, torch.float64) or a.dtype != b.dtype or a.stride() != b.stride():
        return (a * b).sum(dtype=torch.promote_types(a.dtype, torch.float32))
    if a.is_contiguous():
        return torch.dot(a.reshape(-1), b.reshape(-1))
    if a.ndim == 4 and a.is_contiguous(memory_format=torch.channels_last):
        return torch.dot(a.permute(0, 2, 3, 1).reshape(-1), b.permute(0, 2, 3, 1).reshape(-1))
    return (a * b).sum()
