"""Conformance suite for surrogates.

class TestMine(SurrogateSuite):
    def surrogate(self): return Mine(trees=50)

A surrogate that reads other things than a matrix also says what a row of numbers between 0 and 1 is to it:
    def inputs(self, matrix): return [graph_of(row) for row in matrix]
"""

from typing import Any

import numpy as np
import pytest
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.predictors import Fitted, Surrogate

ROWS, COLUMNS = 60, 4


def example(rows: int = ROWS, seed: int = 0) -> tuple[Float[np.ndarray, "rows 4"], Float[np.ndarray, " rows"]]:
    """Rows on a grid of fifths between 0 and 1, and smooth losses of them without noise."""
    matrix = np.random.default_rng(seed).integers(6, size=(rows, COLUMNS)) / 5
    return matrix, matrix @ np.array([3.0, -2.0, 1.0, 0.0]) + matrix[:, 0] * matrix[:, 1]


class SurrogateSuite:
    """What every surrogate owes. Subclass it in a test; pytest runs what it inherits."""

    rank_agreement = 0.9
    """Least Spearman correlation with the losses of the rows it was trained on."""
    unseen_agreement = 0.6
    """The same on rows that it was not trained on."""

    def surrogate(self) -> Surrogate[Any]:
        raise NotImplementedError

    def inputs(self, matrix: Float[np.ndarray, "rows columns"]) -> Any:
        """What the surrogate reads, for rows of numbers between 0 and 1 ("far" rows lie outside)."""
        return matrix

    def far(self) -> Any:
        """Rows unlike any in training."""
        return self.inputs(np.full((1, COLUMNS), 3.0) * np.array([[1.0], [-1.0], [2.0], [-2.0]]))

    def fitted(self, rows: int = ROWS, seed: int = 0) -> Fitted[Any]:
        matrix, losses = example(rows)
        return self.surrogate().fit(self.inputs(matrix), losses, seed)

    def test_the_same_rows_and_seed_give_the_same_predictions(self) -> None:
        matrix, _ = example(20, seed=1)
        first, second = (self.fitted().predict(self.inputs(matrix)) for _ in range(2))
        assert np.array_equal(first[0], second[0])
        assert np.array_equal(first[1], second[1])

    def test_fitting_leaves_the_global_generators_alone(self) -> None:
        import torch

        state, torch_state = str(np.random.get_state()), torch.get_rng_state()
        self.fitted()
        assert state == str(np.random.get_state())
        assert torch.equal(torch_state, torch.get_rng_state())

    def test_it_orders_the_rows_that_it_has_seen(self) -> None:
        matrix, losses = example()
        mean, _ = self.fitted().predict(self.inputs(matrix))
        assert agreement(mean, losses) >= self.rank_agreement

    def test_it_orders_rows_that_it_has_not_seen(self) -> None:
        matrix, losses = example(40, seed=2)
        mean, _ = self.fitted().predict(self.inputs(matrix))
        assert agreement(mean, losses) >= self.unseen_agreement

    def test_a_prediction_does_not_depend_on_the_other_rows_asked_for(self) -> None:
        matrix, _ = example(10, seed=1)
        fitted = self.fitted()
        together = fitted.predict(self.inputs(matrix))[0]
        alone = np.concatenate([fitted.predict(self.inputs(row[None]))[0] for row in matrix])
        assert np.allclose(together, alone, rtol=1e-4, atol=1e-5)

    def test_losses_in_another_unit_give_predictions_in_that_unit(self) -> None:
        matrix, losses = example()
        inputs = self.inputs(matrix)
        mean, deviation = self.surrogate().fit(inputs, losses, 0).predict(inputs)
        moved, spread = self.surrogate().fit(inputs, 100 * losses + 7, 0).predict(inputs)
        # Not exactly: rounding decides between splits that are equally good.
        assert np.abs(moved - (100 * mean + 7)).mean() < 10 * np.std(losses)
        assert spread.mean() == pytest.approx(100 * deviation.mean(), rel=0.2)

    def test_the_deviation_is_never_negative_and_larger_far_from_the_rows_seen(self) -> None:
        matrix, _ = example()
        fitted = self.fitted()
        near, far = fitted.predict(self.inputs(matrix))[1], fitted.predict(self.far())[1]
        assert (near >= 0).all()
        assert (far >= 0).all()
        assert far.mean() > near.mean()

    def test_equal_losses_are_predicted(self) -> None:
        matrix, _ = example(10)
        mean, deviation = self.surrogate().fit(self.inputs(matrix), np.full(10, 5.0), 0).predict(self.inputs(matrix))
        assert np.allclose(mean, 5.0, atol=0.3)
        assert np.isfinite(deviation).all()

    @pytest.mark.parametrize("rows", [1, 2, 3])
    def test_few_rows_are_enough(self, rows: int) -> None:
        matrix, losses = example(rows)
        asked, _ = example(7, seed=3)
        mean, deviation = self.surrogate().fit(self.inputs(matrix), losses, 0).predict(self.inputs(asked))
        assert mean.shape == deviation.shape == (7,)
        assert np.isfinite(mean).all()
        assert (deviation >= 0).all()

    def test_duplicate_rows_with_different_losses_are_averaged(self) -> None:
        matrix, losses = example(20)
        doubled = self.inputs(np.concatenate([matrix, matrix]))
        mean, _ = self.surrogate().fit(doubled, np.concatenate([losses - 0.5, losses + 0.5]), 0).predict(doubled)
        assert np.allclose(mean[:20], mean[20:], atol=1e-4)
        assert agreement(mean[:20], losses) > 0.6

    def test_constant_columns_do_no_harm(self) -> None:
        matrix, losses = example()
        wide = np.concatenate([matrix, np.zeros((len(matrix), 2)), np.ones((len(matrix), 1))], axis=1)
        mean, deviation = self.surrogate().fit(self.inputs(wide), losses, 0).predict(self.inputs(wide))
        assert agreement(mean, losses) >= self.rank_agreement
        assert np.isfinite(deviation).all()

    def test_losses_that_are_not_finite_are_refused(self) -> None:
        matrix, losses = example(5)
        with pytest.raises(RunError, match=r"Loss 3 is nan: leave failed trials out, or give them a finite loss\."):
            self.surrogate().fit(self.inputs(matrix), np.where(np.arange(5) == 3, np.nan, losses), 0)

    def test_lengths_that_differ_are_refused(self) -> None:
        matrix, losses = example(5)
        with pytest.raises(RunError, match=r"There are 5 rows of features and losses of shape \(4,\)"):
            self.surrogate().fit(self.inputs(matrix), losses[:4], 0)

    def test_no_rows_are_refused(self) -> None:
        with pytest.raises(RunError, match="cannot be fitted to no rows: at least 1 scored trial is needed"):
            self.surrogate().fit(self.inputs(np.zeros((0, COLUMNS))), np.zeros(0), 0)


class MatrixSurrogateSuite(SurrogateSuite):
    """And what those that read a matrix owe besides."""

    def test_features_that_are_not_finite_are_refused(self) -> None:
        matrix, losses = example(5)
        matrix[2, 1] = np.nan
        with pytest.raises(RunError, match="Feature 1 of row 2 is nan: surrogates need finite numbers"):
            self.surrogate().fit(matrix, losses, 0)
        with pytest.raises(RunError, match="Feature 1 of row 2 is nan: surrogates need finite numbers"):
            self.fitted().predict(matrix)

    def test_another_number_of_columns_is_refused(self) -> None:
        with pytest.raises(RunError, match="Features have 3 columns, and the surrogate was fitted to 4"):
            self.fitted().predict(np.zeros((2, 3)))
        with pytest.raises(RunError, match=r"Features have shape \(4,\): a matrix is needed"):
            self.fitted().predict(np.zeros(4))


def agreement(predicted: Float[np.ndarray, " rows"], losses: Float[np.ndarray, " rows"]) -> float:
    """Spearman's rank correlation."""
    from scipy.stats import spearmanr

    return float(spearmanr(predicted, losses).statistic)
