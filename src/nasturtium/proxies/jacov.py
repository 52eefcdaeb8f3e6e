"""Jacobian covariance: are the gradients by the inputs alike?

Mellor, Turner, Storkey and Crowley 2020, "Neural architecture search without training", first version;
arXiv:2006.04647v1. `jacob_cov` of Abdelfattah et al. 2021 (arXiv:2101.08134), `jacov` of NASLib.
"""

import numpy as np
from jaxtyping import Float

from nasturtium.proxies._passes import Passes

SMALL = 1e-5


def jacov(passes: Passes) -> float:
    """-sum(log(v + k) + 1 / (v + k)) over the eigenvalues v of the rows' correlations; k = 1e-5.

    Correlated are the gradients of the sum of a row's outputs by its inputs. NaN where a row's gradient is constant
    (a network that does not see its input).
    """
    correlations = correlate(passes.input_gradients.double().cpu().numpy())
    if not np.isfinite(correlations).all():
        return float("nan")
    # Correlations have no negative eigenvalue, but rounding gives some.
    values = np.maximum(np.linalg.eigvalsh(correlations), 0.0) + SMALL
    return float(-np.sum(np.log(values) + 1 / values))


def correlate(rows: Float[np.ndarray, "rows numbers"]) -> Float[np.ndarray, "rows rows"]:
    """Pearson's correlations between rows; NaN for constant ones."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(rows))
