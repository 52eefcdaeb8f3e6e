"""The spread of a mean over two crossed samples: test rows and training seeds.

Each seed's network is judged on the same rows, so `values[i, j]` is neither n x s independent numbers nor s numbers.
The variance is that of a two-way random-effects table without replication (Searle, Casella & McCulloch, "Variance
Components", 1992, chapter 4), with degrees of freedom after Satterthwaite (1946).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Crossed:
    """Mean of a table of rows x seeds and what it is uncertain by.

    row_variance: part of the mean's variance due to the rows (and to seeds differing from row to row).
    seed_variance: part due to seeds that are better or worse on all rows. dof: of `variance`, by Satterthwaite.
    skewness: of the mean, as far as the rows cause it. per_seed: the mean of each column.
    """

    mean: float
    row_variance: float
    seed_variance: float
    dof: float
    skewness: float
    per_seed: tuple[float, ...]

    @property
    def variance(self) -> float:
        return self.row_variance + self.seed_variance


def crossed(values: Float[np.ndarray, "rows seeds"]) -> Crossed:
    """Random-effects summary of `values`; one seed, or seeds that agree everywhere, leave the rows' variance alone."""
    table = np.asarray(values, dtype=np.float64)
    rows, seeds = table.shape
    by_row, by_seed, mean = table.mean(1), table.mean(0), table.mean()
    row_variance = float(((by_row - mean) ** 2).sum() / max(rows - 1, 1) / rows)
    seed_variance = 0.0
    if seeds > 1 and rows > 1:
        left = table - by_row[:, None] - by_seed[None, :] + mean
        rest = (left**2).sum() / ((rows - 1) * (seeds - 1))  # mean square of the interaction
        between = rows * ((by_seed - mean) ** 2).sum() / (seeds - 1)  # mean square of the seeds
        seed_variance = float(max(between - rest, 0.0) / (rows * seeds))
    dof = satterthwaite([(row_variance, rows - 1), (seed_variance, seeds - 1)])
    third = float(((by_row - mean) ** 3).sum() / rows**3)  # third cumulant of the mean
    total = row_variance + seed_variance
    skewness = third / total**1.5 if total > 0 else 0.0
    return Crossed(float(mean), row_variance, seed_variance, dof, skewness, tuple(float(score) for score in by_seed))


def satterthwaite(parts: list[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of variance estimates, given as (variance, degrees of freedom)."""
    total = sum(variance for variance, _ in parts)
    spread = sum(variance**2 / dof for variance, dof in parts if dof > 0)
    return total**2 / spread if spread > 0 else float(max(dof for _, dof in parts))
