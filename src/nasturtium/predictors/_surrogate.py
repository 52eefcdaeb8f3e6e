"""What a surrogate is: a frozen spec that is fitted to features and losses, and says how sure it is."""

from typing import Protocol, TypeVar

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError

Inputs_contra = TypeVar("Inputs_contra", contravariant=True)
Matrix = Float[np.ndarray, "rows columns"]
Prediction = tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]
"""Mean, and its epistemic deviation (>= 0, in the unit of the losses): what more rows of training would reduce."""


class Fitted(Protocol[Inputs_contra]):
    """A surrogate that has seen its training rows."""

    def predict(self, features: Inputs_contra) -> Prediction:
        """Mean and deviation of each row. Raises `RunError` for values that are not finite."""
        ...


class Surrogate(Protocol[Inputs_contra]):
    """A frozen spec. `Inputs_contra` is a matrix, one row an architecture; for graph networks a sequence of graphs."""

    @property
    def name(self) -> str: ...

    def fit(self, features: Inputs_contra, losses: Float[np.ndarray, " rows"], seed: int) -> Fitted[Inputs_contra]:
        """Fit to at least one row. The same rows in the same order and the same seed give the same predictions.

        Raises `RunError` for values that are not finite and for lengths that differ.
        """
        ...


def checked_matrix(features: Matrix, columns: int | None = None) -> Matrix:
    """The features as a float matrix. columns: how many are expected, None for any.

    Raises `RunError` naming the first value that is not finite, or the wrong shape.
    """
    matrix = np.asarray(features, dtype=float)
    if matrix.ndim != 2:
        raise RunError(f"Features have shape {matrix.shape}: a matrix is needed, one row an architecture.")
    if columns is not None and matrix.shape[1] != columns:
        raise RunError(f"Features have {matrix.shape[1]} columns, and the surrogate was fitted to {columns}.")
    wrong = np.argwhere(~np.isfinite(matrix))
    if len(wrong):
        row, column = map(int, wrong[0])
        raise RunError(
            f"Feature {column} of row {row} is {matrix[row, column]}: surrogates need finite numbers; "
            "`assemble` fills gaps."
        )
    return matrix


def checked_losses(losses: Float[np.ndarray, " rows"], rows: int) -> Float[np.ndarray, " rows"]:
    """The losses as floats. rows: number of rows of features. Raises `RunError` if not finite or too few."""
    values = np.asarray(losses, dtype=float)
    if values.shape != (rows,):
        raise RunError(
            f"There are {rows} rows of features and losses of shape {values.shape}: one loss a row is needed."
        )
    if rows == 0:
        raise RunError("A surrogate cannot be fitted to no rows: at least 1 scored trial is needed.")
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise RunError(f"Loss {wrong[0]} is {values[wrong[0]]}: leave failed trials out, or give them a finite loss.")
    return values


def spread_of(losses: Float[np.ndarray, " rows"]) -> float:
    """Standard deviation, 1 where all are equal: what losses are divided by before a network is trained on them."""
    return float(np.std(losses)) or 1.0
