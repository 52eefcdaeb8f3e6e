"""What each test row contributes to a score, so that one theory of intervals serves every metric.

Means over rows give the row's own loss; the root mean squared error is linearised; everything else (AUC, F1, R² …) is
taken apart by the jackknife over random groups of rows (Quenouille 1956, Tukey 1958).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from nasturtium.protocol.statistics.intervals import Scale

Score = Callable[[np.ndarray, np.ndarray], float]

MEANS: dict[str, Scale] = {
    "accuracy": "share",
    "label-accuracy": "share",
    "top-5-accuracy": "share",
    "log-loss": "real",
    "mse": "real",
    "mae": "real",
}
"""Metrics that are plain means over rows."""
SCALES: dict[str, Scale] = {
    "balanced-accuracy": "share",
    "macro-f1": "share",
    "micro-f1": "share",
    "auc": "share",
}
"""Scales of the metrics that are not; an unknown one is "real"."""
GROUPS = 200
"""Most groups of the jackknife."""


class RowValues(NamedTuple):
    """values: their mean over rows is exactly each seed's score. rows: test rows behind them."""

    values: Float[np.ndarray, "rows seeds"]
    scale: Scale
    rows: int


def row_values(
    metric: str, score: Score, outputs: Float[np.ndarray, "seeds rows outputs"], targets: Shaped[np.ndarray, "rows ..."]
) -> RowValues:
    """Take apart the scores of several seeds' networks on the same rows.

    metric: its name. score: the metric itself, `score(outputs, targets)`. outputs: each seed's network on every row.
    Two models taken apart on the same rows have matching values, as `compare` needs.
    """
    if metric == "rmse":
        return RowValues(np.stack([_root(one, targets) for one in outputs], 1), "root", len(targets))
    if metric in MEANS:
        slices = [slice(row, row + 1) for row in range(len(targets))]
        single = np.array([[score(one[row], targets[row]) for one in outputs] for row in slices])
        return RowValues(single, MEANS[metric], len(targets))
    table = np.stack([jackknife(score, one, targets) for one in outputs], 1)
    return RowValues(table, SCALES.get(metric, "real"), len(targets))


def jackknife(
    score: Score,
    outputs: Float[np.ndarray, "rows outputs"],
    targets: Shaped[np.ndarray, "rows ..."],
    groups: int = GROUPS,
) -> Float[np.ndarray, " groups"]:
    """Pseudo-values of `score`, one for each of at most `groups` random groups, moved so that their mean is the score.

    The grouping depends on the number of rows alone. A group without which the score is undefined counts as average.
    """
    rows = len(targets)
    count = min(groups, rows)
    member = np.random.default_rng([rows, 7]).permutation(rows) % count
    whole = score(outputs, targets)
    without = np.array([score(outputs[member != group], targets[member != group]) for group in range(count)])
    pseudo = count * whole - (count - 1) * np.where(np.isnan(without), whole, without)
    return pseudo - pseudo.mean() + whole


def _root(outputs: Float[np.ndarray, "rows targets"], targets: np.ndarray) -> Float[np.ndarray, " rows"]:
    """Root mean squared error, to first order in each row's squared error; mean over targets."""
    squares = (
        np.asarray(outputs, dtype=np.float64) - np.asarray(targets, dtype=np.float64).reshape(outputs.shape)
    ) ** 2
    mean = squares.mean(0)
    root = np.sqrt(mean)
    slope = np.where(root > 0, 0.5 / np.where(root > 0, root, 1.0), 0.0)
    linear: np.ndarray = (root + (squares - mean) * slope).mean(1)
    return linear
