"""The scale of regression targets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped


@dataclass(frozen=True)
class TargetScale:
    """Mean and standard deviation of each regression target: networks are trained on, and give, standardised values."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @staticmethod
    def fit(targets: Shaped[np.ndarray, "rows targets"]) -> "TargetScale":
        """From training rows; a constant target gets a standard deviation of 1."""
        values = np.asarray(targets, dtype=np.float64)
        std = values.std(axis=0)
        return TargetScale(tuple(values.mean(axis=0).tolist()), tuple(np.where(std > 0, std, 1.0).tolist()))

    def standardise(self, targets: Shaped[np.ndarray, "rows targets"]) -> Float[np.ndarray, "rows targets"]:
        return ((np.asarray(targets, dtype=np.float64) - self.mean) / self.std).astype(np.float32)

    def restore(self, outputs: Shaped[np.ndarray, "rows targets"]) -> Float[np.ndarray, "rows targets"]:
        """Back to the target's own unit, as float64."""
        return np.asarray(outputs, dtype=np.float64) * self.std + self.mean
