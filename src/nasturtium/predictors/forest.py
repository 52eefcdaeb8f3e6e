"""Random forest and extremely randomised trees, with the deviation between the trees.

Breiman, "Random Forests", Machine Learning 45, 2001; Geurts, Ernst and Wehenkel, "Extremely Randomized Trees", Machine
Learning 63, 2006. Spread between trees as uncertainty: Hutter, Xu, Hoos and Leyton-Brown, "Algorithm Runtime
Prediction", Artificial Intelligence 206, 2014, section 4.3.2 (first term of its variance: the second is noise).
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from nasturtium.predictors._surrogate import Matrix, Prediction, checked_losses, checked_matrix

Kind = Literal["random-forest", "extra-trees"]


@dataclass(frozen=True)
class Forest:
    """Trees on bootstrap samples.

    kind: "random-forest" searches the best threshold of each feature; "extra-trees" draws it, and so is smoother
    between the training rows. share: part of the features tried at a split. Both bootstrap here (Geurts et al. did
    not): trees that all have seen a row agree about it entirely, and would call themselves sure.
    """

    kind: Kind = "extra-trees"
    trees: int = 200
    least_leaf: int = 1
    share: float = 0.5

    @property
    def name(self) -> str:
        return self.kind

    def fit(self, features: Matrix, losses: Float[np.ndarray, " rows"], seed: int) -> "FittedForest":
        from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

        matrix = checked_matrix(features)
        values = checked_losses(losses, len(matrix))
        make = RandomForestRegressor if self.kind == "random-forest" else ExtraTreesRegressor
        model = make(
            n_estimators=self.trees,
            min_samples_leaf=self.least_leaf,
            max_features=self.share,
            bootstrap=True,
            random_state=seed % 2**32,
        )
        return FittedForest(tuple(model.fit(matrix.astype(np.float32), values).estimators_), matrix.shape[1])


@dataclass(frozen=True)
class FittedForest:
    trees: tuple[Any, ...]
    columns: int

    def predict(self, features: Matrix) -> Prediction:
        matrix = checked_matrix(features, self.columns).astype(np.float32)
        each = np.stack([tree.predict(matrix) for tree in self.trees])
        return each.mean(0), each.std(0)
