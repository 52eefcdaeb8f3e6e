"""DrNAS: the weights of a step are drawn from a Dirichlet distribution, whose concentration is learnt.

Chen, Wang, Cheng, Tang and Hsieh, "DrNAS: Dirichlet Neural Architecture Search", ICLR 2021 (arXiv:2006.10355).
"""

from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.distributions import Dirichlet, kl_divergence
from torch.nn.functional import elu

from nasturtium.supernet.bilevel import Bilevel, Parameters, Settings, Stage
from nasturtium.supernet.one_shot import Mix, Moment
from nasturtium.supernet.relaxation import log_probabilities, mixed

NASBENCH201 = Settings(epochs=100)
PROGRESSIVE = (Stage(partial=4, frozen=0.2), Stage(keep=3, partial=2, frozen=0.2))
"""50 epochs with all options of an edge on 1/4 of the channels, 50 with the best 3 on 1/2; 10 of each for weights."""

WITHOUT_CELLS = (
    "Cells: the space has none, and DrNAS mixes a part of the channels in cells alone. So this search mixed all of "
    "them in both stages."
)


def drnas(
    settings: Settings = NASBENCH201,
    *,
    anchor: Literal["l2", "kl"] = "l2",
    scale: float = 1e-3,
    stages: tuple[Stage, ...] = (Stage(),),
) -> Bilevel:
    """anchor: what keeps the concentrations near 1: "l2" decays the parameters, as the authors' code does by default;
    "kl" is the divergence from the uniform Dirichlet distribution, as in the paper. scale: of either.
    stages: `PROGRESSIVE` is the scheme of the paper.
    """
    without_cells = WITHOUT_CELLS if any(stage.partial > 1 for stage in stages) else ""
    decay, penalty = (scale, None) if anchor == "l2" else (0.0, partial(to_anchor, scale=scale))
    return Bilevel(
        "DrNAS",
        relax,
        replace(settings, arch_weight_decay=decay),
        probabilities=means,
        penalty=penalty,
        stages=stages,
        without_cells=without_cells,
    )


def relax(parameters: Parameters, moment: Moment) -> Mix:
    """A draw for every mixture, with its pathwise derivative (section 3.2): gammas, normalised.

    Options that were pruned are left out of the draw: what is left of a Dirichlet vector, normalised, is one again.
    """
    drawn = []
    for vector, kept in zip(parameters, moment.kept, strict=True):
        gammas = torch._standard_gamma(concentrations(vector[list(kept)]), generator=moment.draws)
        sample = gammas / gammas.sum().clamp_min(1e-300)
        drawn.append(torch.zeros_like(vector).index_put((torch.tensor(kept),), sample))
    return mixed(drawn, log_probabilities(parameters, moment), moment)


def concentrations(vector: Tensor) -> Tensor:
    """Above 0, and 1 where the parameter is 0: all mixtures equally probable."""
    return elu(vector) + 1


def means(parameters: Parameters, mixtures: object) -> list[Tensor]:
    """The expected weights; the strongest of them is derived."""
    return [concentrations(vector) / concentrations(vector).sum() for vector in parameters]


def to_anchor(parameters: Parameters, progress: float, scale: float) -> Tensor:
    """The divergence from the Dirichlet distribution of concentration 1, summed over the mixtures."""
    divergences = [kl_divergence(Dirichlet(concentrations(v)), Dirichlet(torch.ones_like(v))) for v in parameters]
    return scale * torch.stack(divergences).sum()
