"""An ensemble of multilayer perceptrons, trained side by side on stacked weights.

Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles",
NeurIPS 2017 (arXiv:1612.01474): M networks with random starts, all on all rows, each with mean and variance for an
output, trained on the proper score of its equation 1. Left out: adversarial training, which the paper calls optional.
Ours returns the spread of the means alone, the epistemic part of the mixture's variance (its section 2.4).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from nasturtium.predictors._surrogate import Matrix, Prediction, checked_losses, checked_matrix, spread_of

Layer = tuple[Float[Tensor, "members inputs outputs"], Float[Tensor, "members 1 outputs"]]
LEAST_VARIANCE = 1e-4
"""Of standardised losses; without a floor, 20 rows are fitted with no noise at all and the score has no bound."""


@dataclass(frozen=True)
class MlpEnsemble:
    """members: M, 5 in the paper. depth: hidden layers, of `width` units, ReLU. steps: of Adam on all rows at once.

    rate: learning rate, falling to 0 by a half cosine. decay: weight decay (AdamW). Features should be standardised;
    losses are, here.
    """

    members: int = 5
    depth: int = 2
    width: int = 64
    steps: int = 300
    rate: float = 0.01
    decay: float = 1e-3
    name: str = "mlp-ensemble"

    def fit(self, features: Matrix, losses: Float[np.ndarray, " rows"], seed: int) -> "FittedMlpEnsemble":
        matrix = checked_matrix(features)
        values = checked_losses(losses, len(matrix))
        centre, spread = float(values.mean()), spread_of(values)
        wanted = torch.tensor((values - centre) / spread, dtype=torch.float32)
        inputs = torch.tensor(matrix, dtype=torch.float32)
        layers = self._started(matrix.shape[1], torch.Generator().manual_seed(seed % 2**63))
        weights = [part for layer in layers for part in layer]
        optimiser = torch.optim.AdamW(weights, lr=self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps)
        for _ in range(self.steps):
            optimiser.zero_grad()
            mean, variance = outputs(layers, inputs)
            score = 0.5 * (variance.log() + (wanted - mean).square() / variance)  # equation 1, constant left out
            score.mean(1).sum().backward()
            optimiser.step()
            schedule.step()
        done = tuple((weight.detach(), bias.detach()) for weight, bias in layers)
        return FittedMlpEnsemble(done, centre, spread)

    def _started(self, columns: int, generator: torch.Generator) -> list[Layer]:
        """He et al. 2015 for weights that feed a ReLU; biases start spread out, so that members differ everywhere."""
        sizes = [columns, *[self.width] * self.depth, 2]
        layers = list[Layer]()
        for before, after in pairwise(sizes):
            scale = (2.0 / max(before, 1)) ** 0.5
            weight = torch.randn(self.members, before, after, generator=generator) * scale
            bias = torch.randn(self.members, 1, after, generator=generator) * 0.1
            layers.append((weight.requires_grad_(), bias.requires_grad_()))
        return layers


@dataclass(frozen=True)
class FittedMlpEnsemble:
    layers: tuple[Layer, ...]
    centre: float
    spread: float

    def predict(self, features: Matrix) -> Prediction:
        matrix = checked_matrix(features, self.layers[0][0].shape[1])
        with torch.no_grad():
            mean, _ = outputs(self.layers, torch.tensor(matrix, dtype=torch.float32))
        each = mean.numpy().astype(float) * self.spread + self.centre
        return each.mean(0), each.std(0)


def outputs(
    layers: list[Layer] | tuple[Layer, ...], inputs: Float[Tensor, "rows columns"]
) -> tuple[Float[Tensor, "members rows"], Float[Tensor, "members rows"]]:
    """Mean and variance of each member for each row: one batched product a layer serves all members."""
    state = inputs.expand(len(layers[0][0]), *inputs.shape)
    for weight, bias in layers[:-1]:
        state = torch.relu(torch.baddbmm(bias, state, weight))
    weight, bias = layers[-1]
    mean, raw = torch.baddbmm(bias, state, weight).unbind(-1)
    return mean, softplus(raw) + LEAST_VARIANCE
