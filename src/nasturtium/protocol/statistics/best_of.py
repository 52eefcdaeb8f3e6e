"""What random search would have found at equal cost, from the random trials that were made.

The expected best of n draws without replacement from N observed scores is a sum over order statistics, unbiased for
the expected best of n fresh draws (Tang et al., "Showing Your Work Doesn't Always Work", ACL 2020, equation 4). Above
N nothing is unbiased: a normal tail is laid through the better half of the scores, at Blom's (1958) positions; where
there is a best possible score, through the logarithms of the distances from it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import special, stats

Ascending = Float[np.ndarray, " observed"]


@dataclass(frozen=True)
class BestOf:
    """Best score of a random search of `draws` trials: expected, and where it lands in 95 of 100 cases.

    observed: random trials that this rests on. extrapolated: there were fewer of them than draws.
    """

    expected: float
    low: float
    high: float
    draws: int
    observed: int
    extrapolated: bool


def expected_best(
    scores: Float[np.ndarray, " observed"],
    draws: int,
    *,
    direction: Literal["maximize", "minimize"] = "maximize",
    best_possible: float | None = None,
    confidence: float = 0.95,
) -> BestOf:
    """Expected best of `draws` random trials, with a prediction interval for one such search.

    scores: of the random trials observed; failed ones (NaN) are left out. draws: at least 1.
    best_possible: no score is better than this (1 for an accuracy); bounds what is extrapolated.
    """
    sign = 1.0 if direction == "maximize" else -1.0
    known = np.asarray(scores, dtype=np.float64)
    ordered = np.sort(sign * known[np.isfinite(known)])
    if not len(ordered) or draws < 1:
        raise ValueError(f"expected_best needs a finite score and a draw, and was given {list(scores)} and {draws}")
    scale = _Scale(None if best_possible is None or ordered[-1] >= sign * best_possible else sign * best_possible)
    expected = float(order_weights(len(ordered), min(draws, len(ordered))) @ ordered)
    if draws > len(ordered):
        position = float(stats.norm.ppf((draws - 0.375) / (draws + 0.25)))
        expected = max(expected, scale.back(_tail(scale.there(ordered), position)))
    low, high = (scale.back(end) for end in _prediction(scale.there(ordered), draws, (1 - confidence) / 2))
    low, high = min(low, expected), max(high, expected)
    if best_possible is not None:
        low, expected, high = (min(value, sign * best_possible) for value in (low, expected, high))
    if sign < 0:
        low, high = high, low
    return BestOf(sign * expected, sign * low, sign * high, draws, len(ordered), draws > len(ordered))


@dataclass(frozen=True)
class _Scale:
    """A scale without end on which a tail is laid: minus the log distance from `bound`, or the score itself."""

    bound: float | None

    def there(self, scores: Ascending) -> Ascending:
        return scores if self.bound is None else -np.log(self.bound - scores)

    def back(self, value: float) -> float:
        return value if self.bound is None else self.bound - float(np.exp(-value))


def order_weights(observed: int, draws: int) -> Float[np.ndarray, " observed"]:
    """Chance that the k-th smallest of N observed is the best of n draws without replacement: C(k-1, n-1) / C(N, n)."""
    rank = np.arange(1, observed + 1)
    logs = _log_choose(rank - 1, draws - 1) - _log_choose(np.array(observed), draws)
    return np.where(rank >= draws, np.exp(logs), 0.0)


def _log_choose(n: np.ndarray, k: int) -> np.ndarray:
    above = np.maximum(n, k)  # callers mask what lies below
    logs: np.ndarray = special.gammaln(above + 1) - special.gammaln(k + 1) - special.gammaln(above - k + 1)
    return logs


def _prediction(ordered: Ascending, draws: int, tail: float) -> tuple[float, float]:
    """Quantiles of the best of `draws` fresh draws: free of assumptions within the observed scores, a tail beyond."""
    count = len(ordered)
    rank = np.arange(1, count + 1)
    # All draws and observations are exchangeable: chance that every fresh draw falls below the k-th smallest observed.
    below = np.exp(
        special.gammaln(rank + draws)
        - special.gammaln(rank)
        + special.gammaln(count + 1)
        - special.gammaln(count + 1 + draws)
    )
    low, high = np.interp([tail, 1 - tail], below, ordered)
    widen = np.sqrt(1 + 1 / count)
    if below[-1] < 1 - tail and count > 2:
        high = max(high, _tail(ordered, float(stats.t.ppf((1 - tail) ** (1 / draws), count - 1)) * widen))
    if below[-1] < tail and count > 2:
        low = max(low, _tail(ordered, float(stats.t.ppf(tail ** (1 / draws), count - 1)) * widen))
    return float(low), float(high)


def _tail(ordered: Ascending, position: float) -> float:
    """Score at a standard-normal position on the line through the better half of the scores."""
    count = len(ordered)
    better = slice(count // 2, None) if count >= 6 else slice(None)
    if len(ordered[better]) < 2:
        return float(ordered[-1])
    normal = stats.norm.ppf((np.arange(1, count + 1) - 0.375) / (count + 0.25))[better]
    slope, start = np.polyfit(normal, ordered[better], 1)
    return float(start + slope * position)
