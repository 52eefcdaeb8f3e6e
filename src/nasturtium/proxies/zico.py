"""ZiCo: gradients that are large on average and vary little between batches.

Li, Yang, Bhardwaj and Marculescu 2023, "ZiCo: zero-shot NAS via inverse coefficient of variation on gradients", ICLR;
arXiv:2301.11300.
"""

import torch

from nasturtium.proxies._passes import Passes, total


def zico(passes: Passes) -> float:
    """Sum over layers of log(sum over weights of mean |gradient| / deviation of the gradient), over two batches.

    The deviation is that of the population; weights with none are left out, and layers with nothing left too. The
    gradients are those of each batch, as the paper defines them; the authors' code does not reset them between
    batches, so that its second is the sum of both.
    """
    logs = []
    for first, second in zip(passes.gradients, passes.second_gradients, strict=True):
        deviation = (first - second).abs() / 2
        mean = (first.abs() + second.abs()) / 2
        ratio = torch.where(deviation > 0, mean / deviation, 0.0).sum(dtype=torch.float64)
        logs.append(torch.where(ratio > 0, ratio.log(), 0.0))
    return total(logs)
