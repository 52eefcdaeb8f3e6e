"""Gradient-boosted histogram trees, bagged for their deviation.

Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics 29, 2001, in the histogram
form of Ke et al., "LightGBM", NeurIPS 2017, as scikit-learn has it; bagging: Breiman, Machine Learning 24, 1996.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nasturtium.predictors._surrogate import Matrix, Prediction, checked_losses, checked_matrix


@dataclass(frozen=True)
class Boosting:
    """`bags` boosted models, each on a bootstrap sample of the rows; the deviation is the spread between them.

    least_leaf: rows in a leaf, at most; small samples get a tenth of theirs (scikit-learn's 20 would leave 30 trials
    without a single split).
    """

    bags: int = 10
    rounds: int = 100
    rate: float = 0.1
    leaves: int = 15
    least_leaf: int = 10
    name: str = "boosting"

    def fit(self, features: Matrix, losses: Float[np.ndarray, " rows"], seed: int) -> "FittedBoosting":
        matrix = checked_matrix(features)
        values = checked_losses(losses, len(matrix))
        rng = np.random.default_rng(seed)
        drawn = [rng.integers(len(matrix), size=len(matrix)) for _ in range(self.bags)]
        return FittedBoosting(tuple(self._bag(matrix[rows], values[rows]) for rows in drawn), matrix.shape[1])

    def _bag(self, matrix: Matrix, values: Float[np.ndarray, " rows"]) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(
            max_iter=self.rounds,
            learning_rate=self.rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=max(1, min(self.least_leaf, len(values) // 10)),
            early_stopping=False,
            random_state=0,  # only early stopping and binning of many rows would draw; the bags carry the chance
        )
        return model.fit(matrix, values)


@dataclass(frozen=True)
class FittedBoosting:
    bags: tuple[Any, ...]
    columns: int

    def predict(self, features: Matrix) -> Prediction:
        matrix = checked_matrix(features, self.columns)
        each = np.stack([bag.predict(matrix) for bag in self.bags])
        return each.mean(0), each.std(0)
