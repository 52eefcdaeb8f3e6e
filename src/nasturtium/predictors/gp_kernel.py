"""A Gaussian process with a sum of exponential kernels on given distances; hyperparameters by maximum a posteriori.

k(x, y) = sum_j a_j exp(-d_j(x, y) / l_j), plus noise on the diagonal; the mean is a weight times a given trend. Each
d_j is a distance between architectures seen from one side (decisions, graph, costs ...), in units of its median, so
that one prior suits all. exp(-d) is positive definite for the distances in use: city-block and Euclidean (Laplace-like
kernels) and squared Euclidean (Gaussian). Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning",
sections 2.2 (prediction), 2.7 (means) and 5.4.1 (likelihood).
"""

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

Distances = Float[np.ndarray, "parts n m"]

NOISE = 0.05
"""Prior median of the noise's variance; targets have variance 1."""
NOISE_SPREAD = 1.5
JITTER = 1e-6
TREND, TREND_SPREAD = 0.3, 0.2
"""Prior of the trend's weight, normal: its median where the caller has no other, and its deviation."""
ITERATIONS = 40


@dataclass(frozen=True)
class Hyper:
    """scales: a. lengths: l, in units of the median distance. noise: variance. trend: weight of the mean."""

    scales: Float[np.ndarray, " parts"]
    lengths: Float[np.ndarray, " parts"]
    noise: float
    trend: float

    def kernel(self, distances: Distances) -> Float[np.ndarray, "n m"]:
        """Without the noise."""
        found = np.zeros(distances.shape[1:])
        for scale, length, distance in zip(self.scales, self.lengths, distances, strict=True):
            found += scale * np.exp(distance / -length)
        return found

    @property
    def variance(self) -> float:
        """k(x, x)."""
        return float(self.scales.sum())


def fit_hyper(
    distances: Float[np.ndarray, "parts n n"],
    targets: Float[np.ndarray, " n"],
    trend: Float[np.ndarray, " n"],
    weight: float = TREND,
) -> Hyper:
    """The maximum a posteriori, by L-BFGS from the priors' medians: a function of its arguments alone.

    Priors: a log-normal(log 1/parts, 1), l log-normal(0, 1), the noise log-normal, the trend's weight normal around
    `weight`.
    """
    parts = len(distances)
    start = np.concatenate([np.full(parts, log(1.0 / parts)), np.zeros(parts), [log(NOISE), weight]])
    spread = np.concatenate([np.ones(2 * parts), [NOISE_SPREAD, TREND_SPREAD]])

    def loss(theta: Float[np.ndarray, " p"]) -> tuple[float, Any]:
        value, gradient = negative_log_likelihood(theta, distances, targets, trend)
        away = (theta - start) / spread
        return value + 0.5 * float(away @ away), gradient + away / spread

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return hyper(found.x, parts)


def hyper(theta: Float[np.ndarray, " p"], parts: int) -> Hyper:
    """From logarithms of scales, lengths and noise, and the trend's weight."""
    values = np.exp(np.clip(theta[:-1], -12.0, 12.0))
    return Hyper(values[:parts], values[parts:-1], float(values[-1]), float(theta[-1]))


def negative_log_likelihood(
    theta: Float[np.ndarray, " p"],
    distances: Float[np.ndarray, "parts n n"],
    targets: Float[np.ndarray, " n"],
    trend: Float[np.ndarray, " n"],
) -> tuple[float, Float[np.ndarray, " p"]]:
    """Of the targets, up to a constant, and its gradient by `theta` (Rasmussen and Williams 2006, eq. 5.8 and 5.9)."""
    known, count = hyper(theta, len(distances)), len(targets)
    shapes = [np.exp(distance / -length) for length, distance in zip(known.lengths, distances, strict=True)]
    matrix = (known.noise + JITTER) * np.eye(count)
    for scale, shape in zip(known.scales, shapes, strict=True):
        matrix += scale * shape
    try:
        factor = cho_factor(matrix, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(theta)
    residual = targets - known.trend * trend
    weights = cho_solve(factor, residual, check_finite=False)
    value = 0.5 * float(residual @ weights) + float(np.log(np.diag(factor[0])).sum())
    # d nll / d K = (K^-1 - w w') / 2
    inner = 0.5 * (cho_solve(factor, np.eye(count), check_finite=False) - np.outer(weights, weights))
    slopes = [scale * np.vdot(inner, shape) for scale, shape in zip(known.scales, shapes, strict=True)]
    for scale, length, shape, distance in zip(known.scales, known.lengths, shapes, distances, strict=True):
        slopes.append(scale / length * np.vdot(inner, shape * distance))
    return value, np.array([*slopes, known.noise * np.trace(inner), -float(trend @ weights)])


@dataclass(frozen=True)
class Posterior:
    """What the training targets say. factor: lower Cholesky of the kernel matrix. weights: its inverse times the
    targets less their trend."""

    hyper: Hyper
    factor: Float[np.ndarray, "n n"]
    weights: Float[np.ndarray, " n"]

    @staticmethod
    def of(
        known: Hyper,
        distances: Float[np.ndarray, "parts n n"],
        targets: Float[np.ndarray, " n"],
        trend: Float[np.ndarray, " n"],
    ) -> "Posterior":
        matrix = known.kernel(distances) + (known.noise + JITTER) * np.eye(len(targets))
        factor = np.linalg.cholesky(matrix)
        half = solve_triangular(factor, targets - known.trend * trend, lower=True, check_finite=False)
        return Posterior(known, factor, solve_triangular(factor, half, lower=True, trans=1, check_finite=False))

    def predict(
        self, distances: Float[np.ndarray, "parts n m"], trend: Float[np.ndarray, " m"]
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Mean and deviation of the noise-free value at m places, from their distances to the n training rows."""
        kernel = self.hyper.kernel(distances)
        half = solve_triangular(self.factor, kernel, lower=True, check_finite=False)
        variance = self.hyper.variance - np.einsum("nm,nm->m", half, half)
        return self.weights @ kernel + self.hyper.trend * trend, np.sqrt(np.maximum(variance, 1e-12))
