import numpy as np
import pytest
from scipy.spatial.distance import cdist

from nasturtium.predictors.apart import Measure, apart


@pytest.mark.parametrize("measure", ["cityblock", "euclidean", "sqeuclidean"])
@pytest.mark.parametrize("kind", ["binary", "mixed", "real"])
def test_distances_are_those_of_scipy(measure: Measure, kind: str) -> None:
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, 2, (count, 9)).astype(float) for count in (7, 5)]
    if kind != "binary":
        for one in rows:
            one[:, 3:5] = rng.normal(size=(len(one), 2))
    if kind == "real":
        rows = [one + rng.normal(size=one.shape) for one in rows]
    np.testing.assert_allclose(apart(rows[0], rows[1], measure), cdist(rows[0], rows[1], measure), atol=1e-12)


@pytest.mark.parametrize("measure", ["cityblock", "euclidean", "sqeuclidean"])
def test_a_row_is_at_no_distance_from_itself(measure: Measure) -> None:
    rows = np.random.default_rng(1).normal(size=(6, 40))
    assert (np.diag(apart(rows, rows, measure)) == 0).all()
