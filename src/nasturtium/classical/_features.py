"""Fits `modules.Features`: what standardises, fills and codes the raw input, learned on the training rows alone."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nasturtium.classical.modules import Features
from nasturtium.task import Task


class FittedFeatures(NamedTuple):
    """arguments: of `Features`. state: its state dict. rows: the training rows as the model sees them."""

    arguments: tuple[int, int, int, tuple[int, ...]]
    state: dict[str, Tensor]
    rows: Float[np.ndarray, "rows features"]

    def prefixed(self, prefix: str) -> dict[str, Tensor]:
        return {f"{prefix}.{name}": tensor for name, tensor in self.state.items()}


def fit_features(inputs: Float[np.ndarray, "rows ..."], task: Task) -> FittedFeatures:
    """Learn means, scales and which columns have missing values.

    The rows are computed by the torch module itself, so that scikit-learn is fitted on what the module will see.
    """
    signal = task.input
    channels = signal.shape[0]
    numbers = inputs.reshape(len(inputs), signal.tensor_shape[0], -1)[:, :channels].astype(np.float64)
    missing = np.isnan(numbers)
    known = np.maximum((~missing).sum((0, 2)), 1)
    mean = np.where(missing, 0.0, numbers).sum((0, 2)) / known
    deviation = np.where(missing, 0.0, numbers - mean[:, None])
    spread = np.sqrt((deviation**2).sum((0, 2)) / known)
    constant = spread <= 1e-7 * np.abs(mean)  # rounding of a constant column must not become a feature
    flagged = np.flatnonzero(missing.any((0, 2))) if signal.kind in ("table", "vector") else np.zeros(0, dtype=np.int64)
    arguments = (channels, numbers.shape[2], len(flagged), signal.cardinalities)
    module = Features(*arguments)
    module.load_state_dict(
        {
            "mean": torch.tensor(mean[:, None], dtype=torch.float32),
            "scale": torch.tensor(np.where(constant, 1.0, 1 / np.where(constant, 1.0, spread))[:, None]).float(),
            "flagged": torch.tensor(flagged, dtype=torch.int64),
        }
    )
    with torch.no_grad():
        rows = module(torch.from_numpy(inputs)).numpy().astype(np.float64)
    return FittedFeatures(arguments, dict(module.state_dict()), rows)
