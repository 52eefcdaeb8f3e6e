"""Zen-score: how far a small change of the input moves the features.

Lin, Wang, Sun, Chen, Sun, Qian, Li and Jin 2021, "Zen-NAS: a zero-shot NAS for high-performance image recognition",
ICCV; arXiv:2102.01063, algorithm 1.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from nasturtium.blocks.modules import GlobalPool
from nasturtium.proxies._layers import BATCH_NORMS, Weighted, initialise
from nasturtium.proxies._passes import Passes, hooked

STEP = 0.01
"""Size of the change, in deviations of the input (the authors' `mixup_gamma`)."""


@torch.no_grad()
def zen(passes: Passes) -> float:
    """log mean over rows of |f(x + 0.01 e) - f(x)|_1, plus the logs of what batch normalisation divided by.

    f: features before the last global pooling (without one: before the last linear layer); x, e and all weights are
    drawn from the standard normal distribution, once. As in the authors' code, a batch normalisation adds
    log(sqrt(mean running variance)) after these two batches, with torch's momentum of 0.1. -inf where nothing moves.
    """
    draws = passes.generator("zen")
    network = passes.fresh()
    initialise(network, draws)
    first = passes.noise(draws)
    moved = first + STEP * passes.noise(draws)
    change = (_features(network, moved) - _features(network, first)).abs().flatten(1).sum(1).mean()
    if change == 0:
        return -math.inf
    scales = [module.running_var for module in network.modules() if isinstance(module, BATCH_NORMS)]
    return math.log(change) + sum(math.log(scale.mean()) / 2 for scale in scales if scale is not None)


def _features(network: nn.Module, inputs: Tensor) -> Tensor:
    pooled: list[Tensor] = []
    last: list[Tensor] = []

    def look(module: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> None:
        into = last if isinstance(module, Weighted) else pooled
        into[:] = [arguments[0]]

    watched = [module for module in network.modules() if _ends_places(module) or isinstance(module, nn.Linear)]
    with hooked(watched, look):
        network(inputs)
    return (pooled or last)[0]


def _ends_places(module: nn.Module) -> bool:
    """Is it the pooling before a head? Gates pool too, but keep their axes."""
    if isinstance(module, GlobalPool):
        return not module.keep
    return isinstance(module, nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d)
