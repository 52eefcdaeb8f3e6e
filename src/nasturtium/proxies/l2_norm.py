"""The norm of the weights.

Abdelfattah et al. 2021, "Zero-cost proxies for lightweight NAS", ICLR; arXiv:2101.08134 (their code's `l2_norm`).
"""

from nasturtium.proxies._passes import Passes, total


def l2_norm(passes: Passes) -> float:
    """Sum over layers of the Euclidean norm of the layer's weights."""
    return total(weight.norm() for weight in passes.weights)
