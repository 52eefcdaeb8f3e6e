"""The exact hypervolume of two losses: the area that a set of points dominates, up to a reference point."""

import numpy as np
from jaxtyping import Float


def hypervolume(losses: Float[np.ndarray, "n 2"], reference: Float[np.ndarray, " 2"]) -> float:
    """Area between the points and `reference`; points that are not better than it in both losses add nothing.

    >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, 3.0]))
    3.0
    """
    inside = losses[(losses < reference).all(axis=1)]
    area, ceiling = 0.0, float(reference[1])
    for first, second in inside[np.lexsort((inside[:, 1], inside[:, 0]))].tolist():
        if second < ceiling:
            area += (float(reference[0]) - first) * (ceiling - second)
            ceiling = second
    return area


def nadir(losses: Float[np.ndarray, "n 2"], margin: float = 0.1) -> Float[np.ndarray, " 2"]:
    """A reference point: the worst losses on the front of all `losses`, and `margin` of the front's range more.

    A reference a little beyond the front lets its ends count, and no more than the rest (Ishibuchi et al. 2018, "How to
    Specify a Reference Point in Hypervolume Calculation", Evolutionary Computation 26(3)).
    """
    best = front(losses)
    low, high = best.min(axis=0), best.max(axis=0)
    return np.asarray(high + margin * (high - low))


def front(losses: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """The rows that no other dominates. A sweep, because `pareto.fronts` compares every pair."""
    kept, ceiling = [], np.inf
    for row in np.lexsort((losses[:, 1], losses[:, 0])):
        if losses[row, 1] < ceiling:
            kept.append(row)
            ceiling = losses[row, 1]
    return losses[kept]
