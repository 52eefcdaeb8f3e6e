"""Pareto dominance among losses (smaller is better everywhere)."""

import numpy as np
from jaxtyping import Bool, Float, Int


def dominates(losses: Float[np.ndarray, "n m"]) -> Bool[np.ndarray, "n n"]:
    """`result[i, j]`: row i is at least as good as row j everywhere and better somewhere."""
    left, right = losses[:, None, :], losses[None, :, :]
    return np.asarray((left <= right).all(-1) & (left < right).any(-1))


def fronts(losses: Float[np.ndarray, "n m"]) -> Int[np.ndarray, " n"]:
    """Index of the non-dominated front of each row, 0 for the Pareto front.

    Non-dominated sorting as in NSGA-II (Deb et al. 2002, section III-A). Rows with a NaN come last.
    """
    clean = np.where(np.isnan(losses), np.inf, losses)
    if clean.shape[1] == 1:
        return np.unique(clean[:, 0], return_inverse=True)[1].reshape(-1)
    above = dominates(clean)
    rank = np.full(len(clean), -1)
    left = np.ones(len(clean), dtype=bool)
    front = 0
    while left.any():
        current = left & ~above[left].any(0)
        rank[current] = front
        left &= ~current
        front += 1
    return rank


def crowding(losses: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " n"]:
    """Crowding distance within one front; larger is lonelier, the extremes are infinite (Deb et al. 2002, III-B)."""
    distance = np.zeros(len(losses))
    for column in losses.T if len(losses) else ():
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if spread > 0 and len(order) > 2:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distance


def order(losses: Float[np.ndarray, "n m"]) -> Int[np.ndarray, " n"]:
    """Row numbers from best to worst: by front, then lonelier first, then earlier first."""
    rank = fronts(losses)
    lonely = np.zeros(len(losses))
    for front in np.unique(rank):
        members = np.flatnonzero(rank == front)
        lonely[members] = crowding(losses[members]) if losses.shape[1] > 1 else 0.0
    return np.lexsort((np.arange(len(losses)), -lonely, rank))
