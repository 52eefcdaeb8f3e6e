"""The corrected resampled t-test: two learners on several overlapping train/validation resplits.

Nadeau & Bengio, "Inference for the Generalization Error", Machine Learning 52 (2003). Resplits share rows, so their
differences are correlated and s²/k is too small; the correction replaces 1/k by 1/k + n_score/n_train (section 5).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

NAME = "corrected resampled t-test (Nadeau & Bengio 2003)"


@dataclass(frozen=True)
class ResampledTest:
    """mean: of the gains. low, high: two-sided interval. p_value: two-sided; p_better: one-sided, for a gain above 0.

    error: corrected standard error. resplits: how many. confidence: of the interval.
    """

    mean: float
    low: float
    high: float
    p_value: float
    p_better: float
    error: float
    resplits: int
    confidence: float
    test: str = NAME

    def exceeds(self, bound: float) -> float:
        """One-sided p-value for a true gain above `bound`."""
        return _upper_tail(self.mean - bound, self.error, self.resplits - 1)

    def detectable(self, alpha: float = 0.05, power: float = 0.8) -> float:
        """The smallest true gain that this test, with this spread, would find with probability `power`."""
        if self.error == 0:
            return 0.0
        dof = self.resplits - 1
        critical = stats.t.isf(alpha, dof)
        shift = optimize.brentq(lambda gain: stats.nct.sf(critical, dof, gain) - power, 0.0, 50.0)
        return float(shift) * self.error


def resampled_t_test(
    gains: Float[np.ndarray, " resplits"],
    *,
    train_rows: int,
    score_rows: int,
    share: bool = False,
    confidence: float = 0.95,
) -> ResampledTest:
    """Test the gains of one learner over another, one for each resplit, positive where it is better.

    train_rows, score_rows: of each resplit.
    share: the scores are shares of rows. Then the variance is at least |mean| / score_rows, the least that so many rows
        in disagreement can have; otherwise five equal gains of one row would be a certainty.
    """
    values = np.asarray(gains, dtype=np.float64)
    count = len(values)
    if count < 2 or not np.isfinite(values).all():
        raise ValueError(f"the corrected resampled t-test needs at least two finite gains, and was given {list(gains)}")
    mean = float(values.mean())
    variance = float(values.var(ddof=1))
    if share:
        variance = max(variance, abs(mean) / score_rows)
    error = float(np.sqrt((1 / count + score_rows / train_rows) * variance))
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    better = _upper_tail(mean, error, count - 1)
    p_value = min(2 * min(better, _upper_tail(-mean, error, count - 1)), 1.0)
    return ResampledTest(mean, mean - half, mean + half, p_value, better, error, count, confidence)


def _upper_tail(distance: float, error: float, dof: int) -> float:
    """p-value against "not above"; without any spread only the sign is left."""
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stats.t.sf(distance / error, dof))
