"""Optimisers, with weight decay on weights only."""

import torch
from torch import nn

from nasturtium.training._recipe import Recipe


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
        return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True, capturable=cuda)
    return torch.optim.SGD(groups, lr=lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all groups; in place if it is a tensor: a captured graph reads it."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr
