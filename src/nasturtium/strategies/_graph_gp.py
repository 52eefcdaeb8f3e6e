"""A Gaussian process on graphs that are given by their Weisfeiler-Lehman counts.

Ru, Wan, Dong and Osborne, "Interpretable Neural Architecture Search via Bayesian Optimisation with Weisfeiler-Lehman
Kernels", ICLR 2021 (arXiv:2006.07556), sections 3.1 and 3.2. The kernel of depth h is the product of the counts of
depths 0 … h, normalised to 1 on the diagonal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Levels = Float[np.ndarray, "graphs depths labels"]


@dataclass(frozen=True, eq=False)
class GraphGp:
    """A posterior. depth: the chosen h. values, vectors: eigendecomposition of the kernel of the training graphs."""

    depth: int
    noise: float
    train: Float[np.ndarray, "n labels"]
    targets: Float[np.ndarray, " n"]
    middle: float
    spread: float
    values: Float[np.ndarray, " n"]
    vectors: Float[np.ndarray, "n n"]

    def predict(self, levels: Levels) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Mean and deviation of the loss without noise, in its own unit."""
        rotated = unit(levels, self.depth) @ self.train.T @ self.vectors
        scaled = rotated / (self.values + self.noise)
        mean = scaled @ (self.vectors.T @ self.targets)
        left = np.maximum(1.0 - (scaled * rotated).sum(1), 1e-10)
        return mean * self.spread + self.middle, np.sqrt(left) * self.spread


def fit_graph_gp(
    levels: Levels, losses: Float[np.ndarray, " n"], depths: Sequence[int], noises: Sequence[float]
) -> GraphGp:
    """The depth and noise variance (of losses of deviation 1) with the largest marginal likelihood."""
    middle, spread = float(np.mean(losses)), float(np.std(losses)) or 1.0
    targets = (losses - middle) / spread
    best, found = np.inf, None
    for depth in depths:
        train = unit(levels, depth)
        values, vectors = np.linalg.eigh(train @ train.T)
        values = np.maximum(values, 0.0)
        for noise in noises:
            loss = negative_log_likelihood(values, vectors.T @ targets, noise)
            if loss < best:
                best = loss
                found = GraphGp(depth, noise, train, targets, middle, spread, values, vectors)
    assert found is not None
    return found


def negative_log_likelihood(values: Float[np.ndarray, " n"], rotated: Float[np.ndarray, " n"], noise: float) -> float:
    """Of targets in the kernel's eigenbasis (Rasmussen and Williams 2006, eq. 2.30)."""
    whole = values + noise
    return float(0.5 * (rotated**2 / whole + np.log(whole) + np.log(2 * np.pi)).sum())


def unit(levels: Levels, depth: int) -> Float[np.ndarray, "graphs labels"]:
    """Counts up to a depth as vectors of length 1, so that their products are the normalised kernel."""
    rows = levels[:, : depth + 1].reshape(len(levels), -1)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
