"""SNIP: sensitivity of the loss to the removal of connections.

Lee, Ajanthan and Torr 2019, "SNIP: single-shot network pruning based on connection sensitivity", ICLR;
arXiv:1810.02340. Summed over a network as in Abdelfattah et al. 2021 (arXiv:2101.08134, equation 1).
"""

from nasturtium.proxies._passes import Passes, total


def snip(passes: Passes) -> float:
    """Sum over weights of |weight * gradient|: the gradient by a mask of ones on the weights, in magnitude."""
    return total((w.detach() * g).abs().sum() for w, g in zip(passes.weights, passes.gradients, strict=True))
