"""Distances of all pairs of rows by matrix products: several times as quick as pair by pair where rows are long."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

Measure = Literal["cityblock", "euclidean", "sqeuclidean"]

ROUNDING = 1e-12


def apart(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "m d"], measure: Measure
) -> Float[np.ndarray, "n m"]:
    """As SciPy's `cdist`; squares below `ROUNDING` of what they are the difference of are 0."""
    if measure == "cityblock":
        return _cityblock(first, second)
    whole = (first**2).sum(1)[:, None] + (second**2).sum(1)
    squared = whole - 2.0 * (first @ second.T)
    squared[squared < ROUNDING * whole] = 0.0
    return squared if measure == "sqeuclidean" else np.sqrt(squared)


def _cityblock(first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n m"]:
    """|a - b| = a + b - 2 a b where both are 0 or 1, as in one-hot columns; only the others are compared one by one."""
    binary = np.all([((rows == 0) | (rows == 1)).all(0) for rows in (first, second)], axis=0)
    one, other = first[:, binary], second[:, binary]
    found = one.sum(1)[:, None] + other.sum(1) - 2.0 * (one @ other.T)
    return found if binary.all() else found + cdist(first[:, ~binary], second[:, ~binary], "cityblock")
