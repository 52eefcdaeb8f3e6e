"""An ensemble of small multilayer perceptrons, trained side by side in NumPy: one batched product a layer for all.

The "meta neural network" of White, Neiswanger and Savani, "BANANAS", AAAI 2021 (arXiv:1910.11858), section 4; settings
of the authors' code (naszilla).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nasturtium.strategies._adam import Adam, Moments

Layers = list[tuple[Float[np.ndarray, "members inputs outputs"], Float[np.ndarray, "members 1 outputs"]]]


@dataclass(frozen=True)
class MlpEnsemble:
    """members networks of `layers` hidden layers of `width` units with ReLU, mean absolute error, Adam.

    batch: rows of one step. Each member has its own start (Glorot uniform, biases 0) and its own order of the rows.
    """

    members: int = 5
    layers: int = 10
    width: int = 20
    rate: float = 0.01
    epochs: int = 150
    batch: int = 32

    def fit(
        self, features: Float[np.ndarray, "rows features"], losses: Float[np.ndarray, " rows"], seed: int
    ) -> "FittedEnsemble":
        """Trained on standardised losses; predictions come back in their unit. seed: of starts and orders."""
        rng = np.random.default_rng([seed, len(losses)])
        middle, spread = float(np.mean(losses)), float(np.std(losses)) or 1.0
        inputs, wanted = features.astype(np.float32), ((losses - middle) / spread).astype(np.float32)
        flat = self._start(features.shape[1], rng)
        adam, moments = Adam(self.rate, (0.9, 0.99), 1e-7), Moments.zero(flat)
        for _ in range(self.epochs):
            order = rng.permuted(np.tile(np.arange(len(losses)), (self.members, 1)), axis=1)
            for first in range(0, len(losses), self.batch):
                rows = order[:, first : first + self.batch]
                gradient = self._gradient(flat, inputs[rows], wanted[rows])
                flat, moments = adam.step(flat, gradient, moments)
        return FittedEnsemble(self, flat, features.shape[1], middle, spread)

    def shapes(self, inputs: int) -> list[tuple[int, int]]:
        """Inputs and outputs of each layer."""
        return [(inputs, self.width), *[(self.width, self.width)] * (self.layers - 1), (self.width, 1)]

    def views(self, flat: Float[np.ndarray, "members parameters"], inputs: int) -> Layers:
        """Weights and biases of each layer, as views of the flat parameters."""
        found, at = [], 0
        for rows, columns in self.shapes(inputs):
            weight = flat[:, at : at + rows * columns].reshape(self.members, rows, columns)
            at += rows * columns
            found.append((weight, flat[:, None, at : at + columns]))
            at += columns
        return found

    def _start(self, inputs: int, rng: np.random.Generator) -> Float[np.ndarray, "members parameters"]:
        shapes = self.shapes(inputs)
        flat = np.zeros((self.members, sum((rows + 1) * columns for rows, columns in shapes)), dtype=np.float32)
        for weight, _ in self.views(flat, inputs):
            _, rows, columns = weight.shape
            bound = np.sqrt(6 / (rows + columns))
            weight[:] = rng.uniform(-bound, bound, weight.shape)
        return flat

    def _gradient(
        self,
        flat: Float[np.ndarray, "members parameters"],
        inputs: Float[np.ndarray, "members rows features"],
        wanted: Float[np.ndarray, "members rows"],
    ) -> Float[np.ndarray, "members parameters"]:
        """Of each member's mean absolute error."""
        layers, slope = self.views(flat, inputs.shape[2]), np.zeros_like(flat)
        values = _forward(layers, inputs)
        down = np.sign(values[-1] - wanted[:, :, None]) / np.float32(wanted.shape[1])
        slopes = self.views(slope, inputs.shape[2])
        for place in reversed(range(len(layers))):
            before = values[place]
            slopes[place][0][:] = before.transpose(0, 2, 1) @ down
            slopes[place][1][:] = down.sum(1, keepdims=True)
            if place:
                down = (down @ layers[place][0].transpose(0, 2, 1)) * (before > 0)
        return slope


@dataclass(frozen=True, eq=False)
class FittedEnsemble:
    """Trained members."""

    spec: MlpEnsemble
    flat: Float[np.ndarray, "members parameters"]
    inputs: int
    middle: float
    spread: float

    def predict(self, features: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "members rows"]:
        """Loss of each row according to each member."""
        rows = np.broadcast_to(features.astype(np.float32), (self.spec.members, *features.shape))
        found = _forward(self.spec.views(self.flat, self.inputs), rows)[-1][:, :, 0]
        return found.astype(float) * self.spread + self.middle


def _forward(layers: Layers, inputs: Float[np.ndarray, "members rows features"]) -> list[np.ndarray]:
    """The inputs and the values of every layer; ReLU on all but the last."""
    values = [inputs]
    for place, (weight, bias) in enumerate(layers):
        sums = values[-1] @ weight + bias
        values.append(sums if place == len(layers) - 1 else np.maximum(sums, 0))
    return values
