"""Linear models: logistic regression (one-vs-rest for labels) and ridge, regularised by an inner validation."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from nasturtium.classical._features import FittedFeatures, fit_features
from nasturtium.classical._fitted import Fitted
from nasturtium.classical._sample import thin
from nasturtium.classical._spec import Classical
from nasturtium.task import Task

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Values of C tried, from strong to weak regularisation."""
ALPHAS = tuple(10.0**power for power in range(-3, 6))
SELECTION_ROWS = 1_500
ITERATIONS = 150


def fit_linear(
    spec: Classical, inputs: Float[np.ndarray, "rows ..."], targets: np.ndarray, task: Task, seed: int
) -> Fitted:
    """Logistic regression or ridge, on `modules.Features`."""
    features = fit_features(inputs, task)
    if task.kind == "regression":
        ridge = estimate_ridge(features.rows, targets)
        chosen = {"alpha": float(np.median(ridge.alpha_))}
        return _convert(spec, features, task, ridge.coef_, ridge.intercept_, (), chosen)
    if task.kind == "classification":
        model = estimate_logistic(features.rows, targets, seed)
        seen = tuple(int(label) for label in model.classes_)
        return _convert(spec, features, task, model.coef_, model.intercept_, seen, {"C": float(model.C)})
    models = [estimate_label(features.rows, column, seed) for column in targets.T.astype(np.int64)]
    weight = np.concatenate([coefficients for coefficients, _ in models])
    bias = np.array([intercept for _, intercept in models])
    return _convert(spec, features, task, weight, bias, ())


def estimate_ridge(rows: Float[np.ndarray, "rows features"], targets: Float[np.ndarray, "rows targets"]) -> RidgeCV:
    """Ridge with alpha by leave-one-out error, one for each target (closed form, one decomposition)."""
    return RidgeCV(alphas=ALPHAS, alpha_per_target=True).fit(rows, targets.astype(np.float64))


def estimate_logistic(
    rows: Float[np.ndarray, "rows features"], targets: Int[np.ndarray, " rows"], seed: int
) -> LogisticRegression:
    """Multinomial logistic regression; C by the log loss of three folds of at most `SELECTION_ROWS` training rows."""
    some = thin(targets, SELECTION_ROWS, seed)
    strength = _best_strength(rows[some], targets[some], seed)
    return _solve(LogisticRegression(C=strength, max_iter=ITERATIONS), rows, targets)


def estimate_label(
    rows: Float[np.ndarray, "rows features"], labels: Int[np.ndarray, " rows"], seed: int
) -> tuple[Float[np.ndarray, "1 features"], float]:
    """Coefficients of one label against the rest; a label that never varies gets a constant of +10 or -10."""
    if len(np.unique(labels)) == 1:
        return np.zeros((1, rows.shape[1])), 10.0 if labels[0] else -10.0
    model = estimate_logistic(rows, labels, seed)
    return model.coef_, float(model.intercept_[0])


def _best_strength(rows: np.ndarray, targets: np.ndarray, seed: int) -> float:
    if np.bincount(targets)[np.unique(targets)].min() < 3:
        return 1.0
    losses = np.zeros(len(STRENGTHS))
    for train, score in StratifiedKFold(3, shuffle=True, random_state=seed).split(rows, targets):
        model = LogisticRegression(max_iter=ITERATIONS, tol=1e-3, warm_start=True)
        for index, strength in enumerate(STRENGTHS):
            _solve(model.set_params(C=strength), rows[train], targets[train])
            losses[index] += log_loss(targets[score], model.predict_proba(rows[score]), labels=model.classes_)
    return STRENGTHS[int(losses.argmin())]


def _solve(model: LogisticRegression, rows: np.ndarray, targets: np.ndarray) -> LogisticRegression:
    with warnings.catch_warnings():
        # Separable data have no optimum to reach; the iterations are the second regulariser, and enough.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, targets)


def _convert(
    spec: Classical,
    features: FittedFeatures,
    task: Task,
    weight: np.ndarray,
    bias: Sequence[float] | np.ndarray,
    seen: tuple[int, ...],
    chosen: dict[str, float] | None = None,
) -> Fitted:
    table = np.asarray(weight, dtype=np.float64).reshape(-1, features.rows.shape[1])
    state = features.prefixed("features") | {
        "weight": torch.tensor(table, dtype=torch.float32),
        "bias": torch.tensor(np.asarray(bias, dtype=np.float64).reshape(-1), dtype=torch.float32),
    }
    kwargs = {"features": features.arguments, "values": len(table), "outputs": task.outputs, "seen": seen}
    return Fitted(spec, "LinearModel", kwargs, state, table.size, len(features.rows), chosen or {})
