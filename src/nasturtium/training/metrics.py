"""Metrics of model scores, in NumPy. Tests compare each with scikit-learn.

Scores are what a network gives: logits [rows, classes] (classification), logits [rows, labels] (multi-label), or values
in the target's own unit [rows, targets] (regression). Targets are class numbers [rows], 0/1 [rows, labels], or values
[rows, targets].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Shaped

from nasturtium.errors import UserError, hint
from nasturtium.task import TaskKind

Scores = Float[np.ndarray, "rows outputs"]
Targets = Shaped[np.ndarray, "rows ..."]


@dataclass(frozen=True)
class Metric:
    """A way to judge scores. kinds: the tasks that it fits. Called as `metric.function(scores, targets)`."""

    name: str
    direction: Literal["maximize", "minimize"]
    kinds: tuple[TaskKind, ...]
    function: Callable[[Scores, Targets], float]

    def better(self, a: float, b: float) -> bool:
        """Is `a` strictly better than `b`? NaN is never better, and anything is better than NaN."""
        if np.isnan(a) or np.isnan(b):
            return bool(np.isnan(b) and not np.isnan(a))
        return a > b if self.direction == "maximize" else a < b


def find_metric(name: str, kind: TaskKind) -> Metric:
    """The metric of that name (underscores count as hyphens). Raises `UserError` if unknown or unfit for the task."""
    metric = METRICS.get(name.lower().replace("_", "-"))
    fitting = [known.name for known in METRICS.values() if kind in known.kinds]
    if metric is None:
        raise UserError(f"Unknown metric {name!r} for {kind}. {hint(name, fitting)}")
    if kind not in metric.kinds:
        raise UserError(f"The metric {name!r} does not fit {kind}. Those that do: {', '.join(fitting)}.")
    return metric


def default_metric(kind: TaskKind) -> str:
    """Accuracy, macro-F1 for several labels, RMSE for values."""
    return {"classification": "accuracy", "multi-label": "macro-f1", "regression": "rmse"}[kind]


def probabilities(scores: Scores, kind: TaskKind) -> Float[np.ndarray, "rows outputs"]:
    """Softmax over classes, or the logistic function of each label; float64."""
    logits = np.asarray(scores, dtype=np.float64)
    if kind == "multi-label":
        return np.exp(-np.logaddexp(0.0, -logits))
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _accuracy(scores: Scores, targets: Targets) -> float:
    """Share of rows whose class, or whose every label, is right."""
    if targets.ndim == 2:
        return float(((scores > 0) == (targets > 0.5)).all(axis=1).mean())
    return float((scores.argmax(axis=1) == targets).mean())


def _label_accuracy(scores: Scores, targets: Targets) -> float:
    return float(((scores > 0) == (targets > 0.5)).mean())


def _balanced_accuracy(scores: Scores, targets: Targets) -> float:
    """Mean recall over the classes that occur."""
    right = scores.argmax(axis=1) == targets
    return float(np.mean([right[targets == label].mean() for label in np.unique(targets)]))


def _one_hot(scores: Scores, targets: Targets) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true membership [rows, outputs]."""
    if targets.ndim == 2:
        return scores > 0, targets > 0.5
    labels = np.arange(scores.shape[1])
    return scores.argmax(axis=1)[:, None] == labels, targets[:, None] == labels


def _f1(right: np.ndarray, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    total = predicted + true
    return np.where(total > 0, 2 * right / np.maximum(total, 1), 0.0)


def _macro_f1(scores: Scores, targets: Targets) -> float:
    """Mean F1 over the outputs that occur in targets or predictions; labels that never occur count 0."""
    predicted, true = _one_hot(scores, targets)
    score = _f1((predicted & true).sum(0), predicted.sum(0), true.sum(0))
    seen = np.ones(len(score), bool) if targets.ndim == 2 else (predicted.sum(0) + true.sum(0)) > 0
    return float(score[seen].mean())


def _micro_f1(scores: Scores, targets: Targets) -> float:
    predicted, true = _one_hot(scores, targets)
    return float(_f1((predicted & true).sum(), predicted.sum(), true.sum()))


def _log_loss(scores: Scores, targets: Targets) -> float:
    """Mean negative log likelihood in nats; for labels, averaged over labels too."""
    logits = np.asarray(scores, dtype=np.float64)
    if targets.ndim == 2:
        return float((np.logaddexp(0.0, logits) - targets * logits).mean())
    top = logits.max(axis=1, keepdims=True)
    log_total = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return float((log_total - logits[np.arange(len(targets)), targets]).mean())


def _auc_of(score: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve by the rank-sum statistic, ties counted half; NaN if one class is absent."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((rank[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _auc(scores: Scores, targets: Targets) -> float:
    """Two classes: of the second one. More: one against the rest, mean over classes; labels: mean over labels.

    Outputs whose class is absent (or the only one) are left out of the mean.
    """
    if targets.ndim == 2:
        columns, positive = np.asarray(scores, dtype=np.float64), targets > 0.5
    elif scores.shape[1] == 2:
        return _auc_of(np.asarray(scores[:, 1], dtype=np.float64) - scores[:, 0], targets == 1)
    else:
        columns = probabilities(scores, "classification")
        positive = targets[:, None] == np.arange(scores.shape[1])
    areas = np.array([_auc_of(columns[:, k], positive[:, k]) for k in range(columns.shape[1])])
    return float(np.nanmean(areas)) if not np.isnan(areas).all() else float("nan")


def _top5(scores: Scores, targets: Targets) -> float:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    return float((best == targets[:, None]).any(axis=1).mean())


def _mcc(scores: Scores, targets: Targets) -> float:
    """Matthews' correlation, the multi-class form of Gorodkin 2004; 0 where undefined."""
    predicted, true = (part.astype(np.float64) for part in _one_hot(scores, targets))
    rows, right = len(true), (predicted * true).sum()
    p, t = predicted.sum(0), true.sum(0)
    spread = np.sqrt((rows**2 - p @ p) * (rows**2 - t @ t))
    return float((right * rows - p @ t) / spread) if spread > 0 else 0.0


def _errors(scores: Scores, targets: Targets) -> np.ndarray:
    return np.asarray(scores, dtype=np.float64) - np.asarray(targets, dtype=np.float64).reshape(scores.shape)


def _rmse(scores: Scores, targets: Targets) -> float:
    """Root of the mean squared error of each target, then the mean over targets."""
    return float(np.sqrt((_errors(scores, targets) ** 2).mean(axis=0)).mean())


def _mse(scores: Scores, targets: Targets) -> float:
    return float((_errors(scores, targets) ** 2).mean())


def _mae(scores: Scores, targets: Targets) -> float:
    return float(np.abs(_errors(scores, targets)).mean())


def _median_error(scores: Scores, targets: Targets) -> float:
    return float(np.median(np.abs(_errors(scores, targets)), axis=0).mean())


def _r2(scores: Scores, targets: Targets) -> float:
    """Share of the variance explained, mean over targets; a constant target counts 1 if met exactly, else 0."""
    residual = (_errors(scores, targets) ** 2).sum(axis=0)
    values = np.asarray(targets, dtype=np.float64).reshape(scores.shape)
    total = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    constant = np.where(residual > 0, 0.0, 1.0)
    return float(np.where(total > 0, 1 - residual / np.where(total > 0, total, 1.0), constant).mean())


_CLASSES: tuple[TaskKind, ...] = ("classification",)
_LABELS: tuple[TaskKind, ...] = ("multi-label",)
_BOTH: tuple[TaskKind, ...] = ("classification", "multi-label")
_VALUES: tuple[TaskKind, ...] = ("regression",)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "maximize", _BOTH, _accuracy),
        Metric("balanced-accuracy", "maximize", _CLASSES, _balanced_accuracy),
        Metric("label-accuracy", "maximize", _LABELS, _label_accuracy),
        Metric("macro-f1", "maximize", _BOTH, _macro_f1),
        Metric("micro-f1", "maximize", _BOTH, _micro_f1),
        Metric("log-loss", "minimize", _BOTH, _log_loss),
        Metric("auc", "maximize", _BOTH, _auc),
        Metric("mcc", "maximize", _CLASSES, _mcc),
        Metric("top-5-accuracy", "maximize", _CLASSES, _top5),
        Metric("rmse", "minimize", _VALUES, _rmse),
        Metric("mse", "minimize", _VALUES, _mse),
        Metric("mae", "minimize", _VALUES, _mae),
        Metric("median-absolute-error", "minimize", _VALUES, _median_error),
        Metric("r2", "maximize", _VALUES, _r2),
    )
}
"""Every metric by its name."""
