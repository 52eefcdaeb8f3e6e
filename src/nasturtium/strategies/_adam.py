"""Adam as a pure function of its state (Kingma and Ba, "Adam", ICLR 2015, arXiv:1412.6980, algorithm 1)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Moments:
    """step: updates made. first, second: decayed means of the gradient and of its square."""

    step: int
    first: Float[np.ndarray, "..."]
    second: Float[np.ndarray, "..."]

    @staticmethod
    def zero(like: Float[np.ndarray, "..."]) -> "Moments":
        return Moments(0, np.zeros_like(like), np.zeros_like(like))


@dataclass(frozen=True)
class Adam:
    """rate: the step size alpha. betas, epsilon: the paper's (and torch's) defaults."""

    rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8

    def step(
        self, values: Float[np.ndarray, "..."], gradient: Float[np.ndarray, "..."], moments: Moments
    ) -> tuple[Float[np.ndarray, "..."], Moments]:
        """The values after one step downhill, and the moments after it; neither argument is changed."""
        (keep, keep_square), count = self.betas, moments.step + 1
        first = keep * moments.first + (1 - keep) * gradient
        second = keep_square * moments.second + (1 - keep_square) * gradient**2
        scale = np.sqrt(second / (1 - keep_square**count)) + self.epsilon
        return values - self.rate / (1 - keep**count) * first / scale, Moments(count, first, second)
