"""PC-DARTS: a part of the channels is mixed, and edges are weighed against each other.

Xu, Xie, Zhang, Chen, Qi, Tian and Xiong, "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture
Search", ICLR 2020 (arXiv:1907.05737).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasturtium.supernet.bilevel import Bilevel, Parameters, Settings, Stage, sizes
from nasturtium.supernet.one_shot import Mix, Moment
from nasturtium.supernet.relaxation import log_probabilities, mixed, softmaxes

if TYPE_CHECKING:
    from nasturtium.supernet.mixtures import Mixture

PUBLISHED = Settings(batch_size=256, lr=0.1, lr_min=0.0, arch_lr=6e-4)
WARM_UP = 15 / 50
"""Part of the search in which only the weights learn: 15 epochs of 50."""
WITHOUT_CELLS = (
    "Cells: the space has none, and PC-DARTS mixes a part of the channels and weighs edges in cells alone. So this "
    "search was DARTS after a warm-up of the weights; take darts, or a space with cells."
)


def pc_darts(settings: Settings = PUBLISHED, *, partial: int = 4, warm_up: float = WARM_UP) -> Bilevel:
    """partial: 1/partial of the channels is mixed (K); the supernet is built with the same number."""
    stages = (Stage(partial=partial, frozen=warm_up),)
    return Bilevel(
        "PC-DARTS",
        relax,
        settings,
        start=start,
        probabilities=probabilities,
        stages=stages,
        without_cells=WITHOUT_CELLS,
    )


def start(mixtures: "tuple[Mixture, ...]") -> list[int]:
    """Alpha of each mixture, and one more vector: beta of each edge."""
    return [*sizes(mixtures), len(mixtures)]


def relax(parameters: Parameters, moment: Moment) -> Mix:
    """An option's softmax times its edge's (edge normalisation); what bypasses a mixture has the weight of its edge."""
    logs = log_probabilities(parameters[:-1], moment)
    edges = normalised(parameters[-1], moment.mixtures)
    mix = mixed([log.exp() for log in logs], logs, moment)
    return Mix(tuple(weights * edge for weights, edge in zip(mix.weights, edges, strict=True)), mix.active)


def probabilities(parameters: Parameters, mixtures: "tuple[Mixture, ...]") -> list[Tensor]:
    """The product is what is derived from, as in the authors' code."""
    edges = normalised(parameters[-1], mixtures)
    return [weights * edge for weights, edge in zip(softmaxes(parameters, mixtures), edges, strict=True)]


def normalised(betas: Tensor, mixtures: "Sequence[Mixture]") -> list[Tensor]:
    """Of each edge, the softmax of the betas over the edges that meet in its node; 1 for what is no such edge."""
    found = [torch.ones((), dtype=betas.dtype)] * len(mixtures)
    nodes = [mixture.node for mixture in mixtures]
    for node in {node for node in nodes if node is not None}:
        edges = [place for place, other in enumerate(nodes) if other == node]
        for place, share in zip(edges, betas[edges].softmax(-1), strict=True):
            found[place] = share
    return found
