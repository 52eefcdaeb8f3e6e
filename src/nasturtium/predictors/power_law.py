"""One learning curve by itself: a power law, with all its exponents weighed by how well they explain the curve.

The family is pow3 of Domhan, Springenberg and Hutter, "Speeding up Automatic Hyperparameter Optimization of Deep Neural
Networks by Extrapolation of Learning Curves", IJCAI 2015, table 1, and of the survey of Viering and Loog, "The Shape of
Learning Curves", TPAMI 2023, which finds power laws to fit best. This is not Domhan's method: one family in place of
eleven, and exact integrals over its other parameters in place of Markov chains.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln

EXPONENTS = tuple(float(exponent) for exponent in np.geomspace(0.05, 2.0, 16))
SHAPE, RATE = 2.0, 0.1
"""Inverse-gamma prior of the noise variance of a standardised curve: its mean is 0.1."""
PRECISION = 0.01
"""Of the prior of limit and amplitude of a standardised curve: deviation 10 in units of the noise's."""


def power_law(
    values: Float[np.ndarray, " points"], times: Float[np.ndarray, " points"], at: float
) -> tuple[float, float]:
    """Mean and deviation of the score at time `at`, its noise included, from scores at some times (1 or more).

    y = c - a t^-e + noise. For each exponent e, c, a and the noise variance have a normal-inverse-gamma prior, so the
    posterior and the evidence are closed forms (Bishop, "Pattern Recognition and Machine Learning", 2006, section 3.5
    and exercise 3.12); the exponents are weighed by their evidence. A single score says nothing of the scale: a tenth
    of it is assumed.
    """
    middle = float(np.mean(values))
    scale = float(np.std(values)) or 0.1 * abs(middle) or 1.0
    wanted = (np.asarray(values, dtype=float) - middle) / scale
    means, variances, evidence = np.array([_one(wanted, times, at, exponent) for exponent in EXPONENTS]).T
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    mean = float(weights @ means)
    variance = float(weights @ (variances + (means - mean) ** 2))
    return middle + scale * mean, scale * float(np.sqrt(variance))


def _one(
    wanted: Float[np.ndarray, " points"], times: Float[np.ndarray, " points"], at: float, exponent: float
) -> tuple[float, float, float]:
    """Mean, variance and log evidence (up to a constant) with one exponent."""
    # Time in units of the last one: the two columns then do not run away from each other.
    design = np.stack([np.ones(len(times)), (times / times[-1]) ** -exponent], axis=1)
    asked = np.array([1.0, (at / times[-1]) ** -exponent])
    precision = design.T @ design + PRECISION * np.eye(2)
    weights = np.linalg.solve(precision, design.T @ wanted)
    shape = SHAPE + len(times) / 2
    rate = RATE + 0.5 * max(0.0, float(wanted @ wanted - weights @ precision @ weights))
    variance = rate / (shape - 1) * (1 + asked @ np.linalg.solve(precision, asked))
    evidence = gammaln(shape) - shape * np.log(rate) - 0.5 * np.linalg.slogdet(precision)[1]
    return float(asked @ weights), float(variance), float(evidence)
