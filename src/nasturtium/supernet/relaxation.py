"""From architecture parameters to the weights of a step: softmax, Gumbel-softmax, straight-through."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from nasturtium.supernet.one_shot import Mix, Moment

if TYPE_CHECKING:
    from nasturtium.supernet.mixtures import Mixture

Vector = Float[Tensor, " options"]


def softmaxes(parameters: Sequence[Vector], mixtures: "Sequence[Mixture]") -> list[Vector]:
    """Of the parameters of each mixture."""
    return [vector.softmax(-1) for vector in parameters[: len(mixtures)]]


def log_probabilities(parameters: Sequence[Vector], moment: Moment) -> list[Vector]:
    """Of each mixture, over the options that are left; minus infinity for those that are not."""
    found = []
    for vector, kept in zip(parameters, moment.kept, strict=False):
        if len(kept) == len(vector):
            found.append(vector.log_softmax(-1))
        else:
            gone = torch.ones(len(vector), dtype=torch.bool)
            gone[list(kept)] = False
            found.append(vector.masked_fill(gone, -torch.inf).log_softmax(-1))
    return found


def gumbel(logits: Vector, temperature: float, draws: torch.Generator) -> Vector:
    """A draw of the Gumbel-softmax distribution (Jang et al. 2017, arXiv:1611.01144, equation 2), differentiable."""
    noise = -torch.empty_like(logits).exponential_(generator=draws).log()
    return ((logits + noise) / temperature).softmax(-1)


def straight_through(soft: Vector) -> tuple[Vector, int]:
    """Exactly 1 for the strongest option and 0 for the others, with the gradient of `soft`; and the option."""
    option = int(soft.detach().argmax())
    hard = torch.zeros_like(soft)
    hard[option] = 1.0
    return hard + (soft - soft.detach()), option


def mixed(weights: Sequence[Vector], logs: Sequence[Vector], moment: Moment) -> Mix:
    """All options that are left, weighed; of ordered decisions (numbers, scalars) one is drawn.

    Numbers share slices of one tensor and scalars have no sum, so a weighted mixture of them would be another network:
    one option is drawn by its probability, with a straight-through gradient at temperature 1. No paper of this kind
    has such decisions.
    """
    placed, active = [], []
    for mixture, weight, log, kept in zip(moment.mixtures, weights, logs, moment.kept, strict=True):
        if mixture.kind == "ordered":
            weight, option = straight_through(gumbel(log, 1.0, moment.draws))
            kept = (option,)
        placed.append(weight)
        active.append(kept)
    everything = all(len(kept) == len(weight) for kept, weight in zip(active, placed, strict=True))
    return Mix(tuple(placed), None if everything else tuple(active))
