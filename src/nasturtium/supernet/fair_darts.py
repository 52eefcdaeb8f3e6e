"""Fair DARTS: each option has a weight of its own, a sigmoid, so that skips gain nothing at the cost of the others.

Chu, Zhou, Zhang and Li, "Fair DARTS: Eliminating Unfair Advantages in Differentiable Architecture Search", ECCV 2020
(arXiv:1911.12126).
"""

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from nasturtium.supernet.bilevel import Bilevel, Parameters, Settings
from nasturtium.supernet.one_shot import Mix, Moment
from nasturtium.supernet.relaxation import log_probabilities, mixed

if TYPE_CHECKING:
    from nasturtium.supernet.mixtures import Mixture

PUBLISHED = Settings(batch_size=128, lr=0.005, arch_lr=3e-3, arch_betas=(0.9, 0.999))
"""Of the authors' code for CIFAR-10."""


def fair_darts(settings: Settings = PUBLISHED, *, weight: float = 10.0, threshold: float = 0.85) -> Bilevel:
    """weight: of the zero-one loss. threshold: an option of an edge is kept if it weighs as much, see `probabilities`.

    Spaces here take one option a place, where the paper allows several or none: the one that weighs most.
    """
    found = partial(probabilities, threshold=threshold)
    return Bilevel("Fair-DARTS", relax, settings, probabilities=found, penalty=partial(zero_one, weight=weight))


def relax(parameters: Parameters, moment: Moment) -> Mix:
    """All options at once; of ordered decisions, which cannot be added, one is drawn by its share of the weights."""
    logs = log_probabilities([logsigmoid(vector) for vector in parameters], moment)
    weights = [vector.sigmoid() for vector in parameters]
    return mixed(weights, logs, moment)


def probabilities(parameters: Parameters, mixtures: "tuple[Mixture, ...]", threshold: float) -> list[Tensor]:
    """The weights; that of "none" is the threshold, so that it is derived where no other option of an edge reaches it.

    The paper has no such option: it drops these edges. Its own weight means nothing, for no loss depends on it. Cells
    whose nodes take exactly two edges keep the strongest two, whatever they weigh.
    """
    found = []
    for vector, mixture in zip(parameters, mixtures, strict=True):
        nothing = torch.tensor([mixture.kind == "edge" and name == "none" for name in mixture.options])
        found.append(torch.where(nothing, threshold, vector.sigmoid()))
    return found


def zero_one(parameters: Parameters, progress: float, weight: float) -> Tensor:
    """Drives every weight away from a half, where it is undecided, to 0 or 1."""
    return -weight * (torch.cat(list(parameters)).sigmoid() - 0.5).square().mean()
