"""Features in groups become a matrix."""

import numpy as np
import pytest

from nasturtium.errors import RunError
from nasturtium.predictors import assemble

ROWS = [
    {"encoding": np.array([0.0, 1.0, 7.0]), "costs": np.array([2.0])},
    {"encoding": np.array([1.0, 1.0, 7.0]), "costs": np.array([4.0])},
    {"encoding": np.array([0.0, 1.0, 7.0]), "costs": np.array([6.0])},
]


def test_training_rows_are_standardised_and_constant_columns_dropped() -> None:
    assembly = assemble(ROWS)
    matrix = assembly.matrix(ROWS)
    assert assembly.names == ("costs.0", "encoding.0")
    assert np.allclose(matrix.mean(0), 0)
    assert np.allclose(matrix.std(0), 1)
    assert np.allclose(matrix[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5))


def test_other_rows_are_scaled_as_the_training_rows_were() -> None:
    assembly = assemble(ROWS)
    other = assembly.matrix([{"encoding": np.array([1.0, 99.0, 7.0]), "costs": np.array([8.0])}])
    assert np.allclose(other[0, 0], 2 * np.sqrt(1.5))


def test_gaps_are_filled_with_the_median_and_told() -> None:
    rows = [*ROWS, {"encoding": np.array([np.nan, 1.0, np.nan]), "costs": np.array([np.inf])}]
    assembly = assemble(rows)
    assert assembly.names == ("costs.0", "encoding.0", "costs.0?", "encoding.0?", "encoding.2?")
    raw = assembly.matrix(rows) * assembly.spread + assembly.centre
    assert np.allclose(raw, [[2, 0, 0, 0, 0], [4, 1, 0, 0, 0], [6, 0, 0, 0, 0], [4, 0, 1, 1, 1]])
    assert np.isfinite(assemble(ROWS).matrix(rows)).all()


def test_a_column_that_is_never_finite_is_dropped() -> None:
    assert assemble([{"proxies": np.array([np.nan, float(place)])} for place in range(3)]).names == ("proxies.1",)


def test_equal_values_that_do_not_average_exactly_are_constant() -> None:
    assert assemble([{"costs": np.array([0.1])}] * 7).names == ()
    assert assemble([{"costs": np.array([0.1])}] * 7).matrix(ROWS).shape == (3, 0)


def test_groups_can_be_chosen() -> None:
    assert assemble(ROWS, groups=("costs",)).names == ("costs.0",)
    with pytest.raises(RunError, match=r"There is no group of features 'cost'\. Did you mean 'costs'\?"):
        assemble(ROWS, groups=("cost",))


def test_rows_that_differ_are_refused() -> None:
    with pytest.raises(RunError, match="Row 1 needs 1 features in the group 'costs' and has none"):
        assemble([ROWS[0], {"encoding": np.zeros(3)}])
    with pytest.raises(RunError, match="Row 0 needs 3 features in the group 'encoding' and has 2"):
        assemble(ROWS).matrix([{"encoding": np.zeros(2), "costs": np.zeros(1)}])
    with pytest.raises(RunError, match="There are no rows to learn the features' scales from"):
        assemble([])
