"""Batch-norm recalibration: the statistics of one path, measured anew before it is scored.

Yu and Huang, "Universally Slimmable Networks and Improved Training Techniques", ICCV 2019 (arXiv:1903.05134), section
3.3; Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling", ECCV 2020 (arXiv:1904.00420),
section 3.1, recalculate them for every path in the same way.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from nasturtium.errors import RunError

ROWS = 2048
"""Training rows that are looked at unless more are asked for: a few batches suffice (US-Nets, figure 6)."""
BATCH = 256


@torch.no_grad()
def recalibrate(network: nn.Module, inputs: Tensor, *, rows: int = ROWS, batch: int = BATCH) -> None:
    """Replace the running statistics of all batch norms by those of `inputs`, in place.

    inputs: training rows as the network sees them, `[rows, ...]`; the first `rows` of them are used, so they should be
    in random order. batch: rows a forward pass; the statistics are the plain averages of the batches', all of one size
    (a smaller last batch is left out). Weights, and the mode of every module, are as they were; dropout is off. A
    network without batch norms is not run. Raises `RunError` without at least two rows: one has no variance.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    if not norms:
        return
    used = inputs[:rows]
    if len(used) < 2:
        raise RunError(f"Recalibration needs at least 2 training rows, and there are {len(used)}.")
    modes = {module: module.training for module in network.modules()}
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average instead of a moving one
        norm.train()
    try:
        size = min(batch, len(used))
        for start in range(0, len(used) - size + 1, size):
            network(used[start : start + size])
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, training in modes.items():
            module.training = training
