"""What leaves one value of a mixed cell, as one differentiable function: for the CPU.

Autograd would write every summand and every gradient to memory before it adds them up. Here they are added where they
are made, and convolutions of one source share one concatenated gradient. A gradient that is to be differentiated again
is that of `stepwise`, which is the same function by operations that autograd knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nasturtium.supernet import _convolution, _pointwise
from nasturtium.supernet._convolution import SAVED, Gradients, Group
from nasturtium.supernet._sums import inner


@dataclass(frozen=True)
class Plan:
    """What leaves a value. starts: number of tensors that it begins with. targets: how many sums it arrives at.

    shared: (start, target) of starts that are added as they are, but for their scale. Scales are in the order of the
    groups' convolutions and then of `shared`.
    """

    starts: int
    targets: int
    groups: tuple[Group, ...]
    shared: tuple[tuple[int, int], ...]

    @property
    def sizes(self) -> list[int]:
        """How many scales each group has, and what is shared."""
        return [*(len(group.targets) for group in self.groups), len(self.shared)]

    def split(self, scales: Tensor | None) -> list[Tensor | None]:
        """The scales of each group, and of what is shared."""
        return [None] * len(self.sizes) if scales is None else list(scales.split(self.sizes))


def leave(plan: Plan, scales: Tensor | None, starts: Sequence[Tensor], kernels: Sequence[Tensor]) -> list[Tensor]:
    """What arrives at each target. kernels: of each group, its convolutions' side by side. scales: None means 1."""
    return list(_Leave.apply(plan, scales, *starts, *kernels))


def stepwise(plan: Plan, scales: Tensor | None, starts: Sequence[Tensor], kernels: Sequence[Tensor]) -> list[Tensor]:
    """`leave`, by operations that autograd knows."""
    sums: list[Any] = [0.0] * plan.targets
    parts = plan.split(scales)
    for group, kernel, scale in zip(plan.groups, kernels, parts, strict=False):
        convolve = functional.conv2d if kernel.ndim == 4 else functional.conv1d
        y = convolve(starts[group.start], kernel, None, group.stride, group.padding)
        y = functional.batch_norm(y, None, None, group.gamma(scale, kernel), None, training=True, eps=group.eps)
        for target, part in zip(group.targets, y.chunk(len(group.targets), dim=1), strict=True):
            sums[target] = sums[target] + part
    for place, (start, target) in enumerate(plan.shared):
        sums[target] = sums[target] + (starts[start] if parts[-1] is None else parts[-1][place] * starts[start])
    return sums


class _Leave(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plan: Plan, scales: Tensor | None, *tensors: Tensor) -> tuple[Tensor, ...]:
        starts, kernels = tensors[: plan.starts], tensors[plan.starts :]
        parts = plan.split(scales)
        sums = [_Sum() for _ in range(plan.targets)]
        kept: list[Tensor] = []
        for group, kernel, scale in zip(plan.groups, kernels, parts, strict=False):
            x = starts[group.start]
            results, saved = _of(group, kernel, x).forward(group, kernel, group.gamma(scale, kernel), x)
            kept += saved
            for target, part in zip(group.targets, results, strict=True):
                sums[target].add(part, own=_is_whole(part))
        for place, (start, target) in enumerate(plan.shared):
            sums[target].add_scaled(starts[start], None if parts[-1] is None else parts[-1][place])
        ctx.plan = plan
        ctx.save_for_backward(scales, *tensors, *kept)
        return tuple(total.dense() for total in sums)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        plan: Plan = ctx.plan
        needed = ctx.needs_input_grad[1:]
        scales, *saved = ctx.saved_tensors
        count = plan.starts + len(plan.groups)
        if torch.is_grad_enabled():
            return (None, *_again(plan, scales, saved[:count], needed, gradients))
        back = _Back(plan, scales, saved[: plan.starts], needed, Gradients(gradients))
        return (None, *back.run(saved[plan.starts : count], saved[count:]))


class _Sum:
    """A sum that is added to in place once it is a tensor of its own."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        self.own = False

    def add(self, term: Tensor, own: bool) -> None:
        """own: nobody else reads the term."""
        if self.total is None:
            self.total, self.own = term, own
        else:
            self.total = self.total.add_(term) if self.own else self.total + term
            self.own = True

    def add_scaled(self, term: Tensor, scale: Tensor | None) -> None:
        if scale is None:
            self.add(term, own=False)
        elif self.total is None:
            self.total, self.own = term * scale, True
        else:
            self.total = self.total.addcmul_(term, scale) if self.own else torch.addcmul(self.total, term, scale)
            self.own = True

    def dense(self) -> Tensor:
        """The sum in memory of its own, without gaps."""
        assert self.total is not None  # something arrives at every target
        return self.total if self.own else self.total.clone()


@dataclass(frozen=True)
class _Back:
    """Gradients of `leave`. needed: of the scales, each start, each kernel. gradients: of each target."""

    plan: Plan
    scales: Tensor | None
    starts: Sequence[Tensor]
    needed: Sequence[bool]
    gradients: Gradients

    def run(self, kernels: Sequence[Tensor], kept: Sequence[Tensor]) -> list[Tensor | None]:
        """In the order of what is needed."""
        plan, parts = self.plan, self.plan.split(self.scales)
        of_starts = [_Sum() for _ in self.starts]
        of_scales: list[Tensor] = []
        of_kernels: list[Tensor | None] = []
        for place, (group, kernel) in enumerate(zip(plan.groups, kernels, strict=True)):
            x = self.starts[group.start]
            of_x, of_kernel, of_gamma = _of(group, kernel, x).backward(
                group,
                kernel,
                group.gamma(parts[place], kernel),
                x,
                tuple(kept[SAVED * place : SAVED * (place + 1)]),
                self.gradients,
                (self.needed[1 + group.start], self.needed[1 + plan.starts + place], self.needed[0]),
            )
            of_kernels.append(of_kernel)
            if of_x is not None:
                of_starts[group.start].add(of_x, own=True)
            if of_gamma is not None:
                of_scales.append(of_gamma.view(len(group.targets), -1).sum(1))
        for place, (start, target) in enumerate(plan.shared):
            if self.needed[1 + start]:
                of_starts[start].add_scaled(
                    self.gradients.each[target], None if parts[-1] is None else parts[-1][place]
                )
        if self.needed[0] and plan.shared:
            of_scales.append(torch.stack([inner(self.gradients.each[to], self.starts[at]) for at, to in plan.shared]))
        of_scale = torch.cat(of_scales) if self.needed[0] else None
        return [of_scale, *(None if total.total is None else total.dense() for total in of_starts), *of_kernels]


def _is_whole(tensor: Tensor) -> bool:
    """Is it all of its memory, and so without gaps?"""
    return tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def _of(group: Group, kernel: Tensor, x: Tensor) -> Any:
    """The module that computes a group."""
    return _pointwise if _pointwise.applies(group, kernel, x) else _convolution


def _again(
    plan: Plan, scales: Tensor | None, tensors: Sequence[Tensor], needed: Sequence[bool], gradients: Sequence[Tensor]
) -> list[Tensor | None]:
    """The gradients with a graph of their own."""
    inputs = [scales, *tensors]
    wanted = [tensor for tensor, wants in zip(inputs, needed, strict=True) if wants and tensor is not None]
    outputs = stepwise(plan, scales, tensors[: plan.starts], tensors[plan.starts :])
    found = iter(torch.autograd.grad(outputs, wanted, gradients, create_graph=True))
    return [next(found) if wants else None for wants in needed]
