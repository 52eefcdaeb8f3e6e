"""The norm of the gradient.

Abdelfattah, Mehrotra, Dudziak and Lane 2021, "Zero-cost proxies for lightweight NAS", ICLR; arXiv:2101.08134.
"""

from nasturtium.proxies._passes import Passes, total


def grad_norm(passes: Passes) -> float:
    """Sum over layers of the Euclidean norm of the gradient of the loss by the layer's weights."""
    return total(gradient.norm() for gradient in passes.gradients)
