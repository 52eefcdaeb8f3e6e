"""The layers that proxies look at, and copies of a network that may be changed."""

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nasturtium.blocks.modules import ChannelNorm
from nasturtium.proxies._norm import BatchNorm

Weighted = nn.Conv1d | nn.Conv2d | nn.Linear
"""Layers whose weights are scored: those of the reference implementations, and one-dimensional convolutions."""

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, ChannelNorm)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.SiLU, nn.GELU, nn.Hardswish, nn.Tanh)


def weighted(network: nn.Module) -> list[Weighted]:
    """Convolutions and linear layers, in the order in which they were made."""
    return [module for module in network.modules() if isinstance(module, Weighted)]


def working_copy(network: nn.Module) -> nn.Module:
    """A copy to work on, training, its weights ready for gradients and images channels-last.

    Dropout is taken out: a score is of the network, not of one draw of its dropout.
    """
    copied = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    copied.requires_grad_(True)
    for module in copied.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # outputs that are overwritten have no gradient of their own
    replace_modules(copied, (nn.Dropout, nn.Dropout1d, nn.Dropout2d))
    return copied.train()


def twice_differentiable(network: nn.Module) -> nn.Module:
    """The same network, with quick second derivatives of batch normalisation, and those that torch does not have."""
    replace_modules(network, BATCH_NORMS, BatchNorm)
    return replace_modules(network, (nn.Hardsigmoid,), lambda module: HardSigmoid())


class HardSigmoid(nn.Module):
    """The function of `nn.Hardsigmoid`, whose second derivative torch does not have."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu6(x + 3) / 6


def replace_modules(
    network: nn.Module, kinds: tuple[type[nn.Module], ...], by: Callable[[nn.Module], nn.Module] = nn.Identity
) -> nn.Module:
    """The same network, with `by(module)` in place of its modules of these kinds."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, kinds):
                setattr(parent, name, by(child))
    return network


@torch.no_grad()
def initialise(network: nn.Module, draws: torch.Generator, gain: float | None = None) -> None:
    """Normal weights, zero biases, and every normalisation as it begins: scale 1, shift 0, no running statistics.

    gain: with it the deviation is gain / sqrt(inputs of a unit) (Kaiming's, fan-in); without, it is 1.
    """
    for module in network.modules():
        if isinstance(module, Weighted):
            scale = 1.0 if gain is None else gain / math.sqrt(module.weight[0].numel())
            module.weight.copy_(torch.randn(module.weight.shape, generator=draws) * scale)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, NORMS):
            if module.weight is not None:
                module.weight.fill_(1.0)
            if module.bias is not None:
                module.bias.zero_()
            if isinstance(module, BATCH_NORMS):
                module.reset_running_stats()


def with_codes_of(noise: Tensor, inputs: Tensor, numbers: int | None) -> Tensor:
    """`noise` with the categorical columns of `inputs`: codes have no scale. numbers: numeric columns; None if all."""
    if numbers is None:
        return noise
    return torch.cat([noise[:, :numbers], inputs[: len(noise), numbers:].to(noise.dtype)], dim=1)
