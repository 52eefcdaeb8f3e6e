"""Beta-DARTS: DARTS with a decay of the softmax weights themselves, which grows over the search.

Ye, Li, Li, Wang, Guo and Ouyang, "beta-DARTS: Beta-Decay Regularization for Differentiable Architecture Search",
CVPR 2022 (arXiv:2203.01665).
"""

from functools import partial

import torch
from torch import Tensor

from nasturtium.supernet.bilevel import Bilevel, Parameters, Settings
from nasturtium.supernet.darts import relax

NASBENCH201 = Settings(epochs=100)


def beta_darts(settings: Settings = NASBENCH201, *, weight: float = 50.0) -> Bilevel:
    """weight: of the regularisation at the end of the search; it grows evenly from 0."""
    return Bilevel("beta-DARTS", relax, settings, penalty=partial(decay, weight=weight))


def decay(parameters: Parameters, progress: float, weight: float) -> Tensor:
    """Beta-decay: the mean over the edges of log sum exp(alpha), weighed more and more (section 3.3)."""
    return weight * progress * torch.stack([vector.logsumexp(-1) for vector in parameters]).mean()
