"""The one door: fit a simple model on raw rows."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Shaped
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nasturtium.classical._fitted import Fitted
from nasturtium.classical._sample import thin
from nasturtium.classical._spec import Classical
from nasturtium.classical._trivial import fit_constant
from nasturtium.errors import DataError
from nasturtium.task import Task


def fit(
    spec: Classical,
    inputs: Shaped[np.ndarray, "rows ..."],
    targets: Shaped[np.ndarray, "rows ..."],
    task: Task,
    seed: int,
) -> Fitted:
    """Fit `spec` on these rows, on one thread.

    inputs: the network's raw input `[rows, *task.input.tensor_shape]`; NaN is missing, code 0 is unknown.
    targets: int64 class ids `[rows]`, 0/1 `[rows, labels]` or numbers `[rows, targets]`.
    seed: of the subsample, the inner folds and boosting's early-stopping rows.
    Raises `DataError` where the rows hold a single class and the model needs two.
    """
    kept = thin(targets, spec.max_rows or len(targets), seed)
    rows = np.ascontiguousarray(inputs[kept], dtype=np.float32)
    goals = np.asarray(targets)[kept]
    if spec.family == "trivial":
        return fit_constant(spec, goals, task)
    if task.kind == "classification" and len(np.unique(goals)) < 2:
        raise DataError(
            f"The {len(goals)} training rows of {spec.name!r} hold a single class ({goals[0]}). "
            "Use a stratified split, or more rows."
        )
    with threadpool_limits(1):
        fitted = _fitter(spec.family)(spec, rows, goals, task, seed)
    if len(kept) == len(targets):
        return fitted
    return replace(fitted, note=f"fitted on {len(kept):,} of {len(targets):,} training rows, to stay quick")


def _fitter(family: str) -> Callable[..., Fitted]:
    """Each brings its part of scikit-learn, which nothing else needs: those who only name models do not wait for it."""
    if family == "linear":
        from nasturtium.classical._linear import fit_linear

        return fit_linear
    if family == "kernel":
        from nasturtium.classical._kernel import fit_kernel

        return fit_kernel
    from nasturtium.classical._boosting import fit_boosting

    return fit_boosting
