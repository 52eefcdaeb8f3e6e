"""What a further trial is expected to gain, for candidates whose losses a model predicts with a deviation."""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr


def expected_improvement(
    mean: Float[np.ndarray, " m"], deviation: Float[np.ndarray, " m"], best: float
) -> Float[np.ndarray, " m"]:
    """By how much a loss is expected to fall below `best` (Jones, Schonlau and Welch 1998, eq. 15)."""
    z = (best - mean) / deviation
    return np.asarray(deviation * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)))


def expected_hypervolume_improvement(
    means: Float[np.ndarray, "m 2"],
    deviations: Float[np.ndarray, "m 2"],
    front: Float[np.ndarray, "k 2"],
    reference: Float[np.ndarray, "2"],
) -> Float[np.ndarray, " m"]:
    """By how much the area between `reference` and the front of two losses is expected to grow; both independent.

    Exact: the area is a sum over the strips between neighbouring points of the front, in each of which the gain is a
    product of an expected width and an expected height (Emmerich, Yang, Deutz, Wang and Fonseca 2016, "A multicriteria
    generalization of bayesian global optimization", section 4).
    """
    inside = front[(front < reference).all(axis=1)]
    ordered = inside[np.argsort(inside[:, 0])]
    left = np.concatenate([[-np.inf], ordered[:, 0]])
    right = np.concatenate([ordered[:, 0], [reference[0]]])
    ceiling = np.concatenate([[reference[1]], ordered[:, 1]])
    gain = np.zeros(len(means))
    for low, high, top in zip(left, right, ceiling, strict=True):
        # Expected overlap of [first loss, high] with [low, high], times the expected fall of the second below `top`.
        width = expected_improvement(means[:, 0], deviations[:, 0], high)
        if np.isfinite(low):
            width = width - expected_improvement(means[:, 0], deviations[:, 0], low)
        gain += np.maximum(width, 0.0) * expected_improvement(means[:, 1], deviations[:, 1], top)
    return gain
