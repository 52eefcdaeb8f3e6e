"""Optimisers, with weight decay on weights only.

torch's own are used without the wrappers that keep its compiler out of them: nothing is compiled here, and the wrappers
import all of the compiler only to say so (torch 2.13: 1.4 s and 67 MB in every worker).
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from nasturtium.training._recipe import Recipe

_STEPS: dict[type, Callable[[torch.optim.Optimizer], Any]] = {
    kind: inspect.unwrap(kind.step) for kind in (torch.optim.SGD, torch.optim.AdamW)
}


class _Plain(torch.optim.Optimizer):
    """The same optimiser, to be stepped eagerly only."""

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)


class Sgd(_Plain, torch.optim.SGD):
    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        self._begin()
        _STEPS[torch.optim.SGD](self)

    def _begin(self) -> None:
        """Momentum of what has its first gradient: the fused kernel takes all or none that have it (torch 2.13), and
        in a supernet each step reaches other weights. From zero it is what torch begins with: the gradient."""
        for group in self.param_groups:
            if group["momentum"] == 0:
                continue
            for parameter in group["params"]:
                if parameter.grad is not None and self.state[parameter].get("momentum_buffer") is None:
                    self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


class AdamW(_Plain, torch.optim.AdamW):
    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        _STEPS[torch.optim.AdamW](self)


def build_optimizer(network: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """SGD or AdamW over two groups: parameters of rank ≥ 2 decay, norms and biases do not.

    The fused implementations run one kernel a group; on CUDA they can be captured in a graph.
    """
    weights = [p for p in network.parameters() if p.requires_grad and p.ndim >= 2]
    others = [p for p in network.parameters() if p.requires_grad and p.ndim < 2]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    cuda = device.type == "cuda"
    lr = torch.tensor(recipe.lr, device=device) if cuda else recipe.lr
    if recipe.optimizer == "adamw":
        betas = (recipe.momentum, 0.99)
        return AdamW(groups, lr=lr, betas=betas, fused=True, capturable=cuda)
    return Sgd(groups, lr=lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all groups; in place if it is a tensor: a captured graph reads it."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr
