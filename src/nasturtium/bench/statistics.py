"""Mean and spread of the seeds, average ranks, and what a difference of ranks means."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Ranking:
    """Average ranks (1 is best) over `blocks` figures.

    p: of the Friedman test that all strategies are equal. difference: of average ranks that is critical at 5 % by
    Nemenyi's test. Both None with fewer than 3 strategies or 2 blocks.
    """

    ranks: dict[str, float]
    blocks: int
    p: float | None = None
    difference: float | None = None


def spread(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Mean, and standard deviation of the sample (0 for a single value, and exactly 0 for equal ones)."""
    if (values == values[0]).all():
        return float(values[0]), 0.0
    return float(np.mean(values)), float(np.std(values, ddof=1))


def ranking(losses: Float[np.ndarray, "blocks strategies"], names: tuple[str, ...]) -> Ranking:
    """Ranks in each row, ties sharing theirs, and their averages.

    Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006: Friedman's test (section 3.2.2)
    and Nemenyi's critical difference q sqrt(k (k + 1) / (6 N)).
    """
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    blocks, count = losses.shape
    means = rankdata(losses, axis=1).mean(axis=0)
    ranks = dict(zip(names, means.tolist(), strict=True))
    if count < 3 or blocks < 2:
        return Ranking(ranks, blocks)
    same = bool((losses == losses[:, :1]).all())
    p = 1.0 if same else float(friedmanchisquare(*losses.T).pvalue)
    quantile = float(studentized_range.ppf(0.95, count, np.inf)) / sqrt(2)
    return Ranking(ranks, blocks, p, quantile * sqrt(count * (count + 1) / (6 * blocks)))
