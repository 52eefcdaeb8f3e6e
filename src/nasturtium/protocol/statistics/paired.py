"""Two models on the same test rows, several seeds each: the difference of their scores, for reporting.

Rows are paired, seeds are not: the variance is that of the row differences plus each model's own seed variance
(`crossed`). Shares get half a row of each kind of disagreement, after Agresti & Min (2005), without which two
models that rarely disagree get intervals too short.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from nasturtium.protocol.statistics.crossed import crossed, satterthwaite
from nasturtium.protocol.statistics.intervals import Scale

NAME = "paired t-test over test rows and seeds (crossed random effects)"


@dataclass(frozen=True)
class Comparison:
    """difference: score of the first minus score of the second, in the metric's own unit. p_value: two-sided."""

    difference: float
    low: float
    high: float
    p_value: float
    test: str = NAME


def compare(
    first: Float[np.ndarray, "rows seeds"],
    second: Float[np.ndarray, "rows others"],
    scale: Scale,
    *,
    confidence: float = 0.95,
) -> Comparison:
    """Compare two tables of `row_values` on the same rows; the numbers of seeds may differ.

    The interval and the p-value are of the expected difference over fresh rows and fresh seeds.
    """
    one, two = crossed(first), crossed(second)
    difference = one.mean - two.mean
    rows = np.asarray(first, dtype=np.float64).mean(1) - np.asarray(second, dtype=np.float64).mean(1)
    extra = 2 if scale == "share" else 0
    count = len(rows) + extra
    centre = float(rows.sum() / count)
    squares = float((rows**2).sum()) + extra / 2  # half a row at +1, half at -1, one at 0
    row_variance = max(squares - count * centre**2, 0.0) / max(count - 1, 1) / count
    parts = [
        (row_variance, count - 1.0),
        (one.seed_variance, len(one.per_seed) - 1.0),
        (two.seed_variance, len(two.per_seed) - 1.0),
    ]
    error = float(np.sqrt(sum(variance for variance, _ in parts)))
    if error == 0:
        return Comparison(difference, difference, difference, 1.0 if difference == 0 else 0.0)
    dof = max(satterthwaite(parts), 1.0)
    half = float(stats.t.ppf((1 + confidence) / 2, dof)) * error
    p_value = 2 * float(stats.t.sf(abs(centre) / error, dof))
    return Comparison(difference, min(centre - half, difference), max(centre + half, difference), p_value)
