"""Support vector machines with a radial kernel (libsvm; Chang & Lin 2011), converted to `modules.RadialKernel`."""

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.svm import SVC, SVR
from torch import Tensor

from nasturtium.classical._features import FittedFeatures, fit_features
from nasturtium.classical._fitted import Fitted
from nasturtium.classical._sample import thin
from nasturtium.classical._spec import Classical
from nasturtium.task import Task

STRENGTHS = (1.0, 10.0)
"""Values of C tried; gamma is 1 / (features x variance), scikit-learn's "scale"."""
SELECTION_ROWS = 1_500


def fit_kernel(
    spec: Classical, inputs: Float[np.ndarray, "rows ..."], targets: np.ndarray, task: Task, seed: int
) -> Fitted:
    """SVC or SVR; labels and targets get a machine each, which share the stored vectors."""
    features = fit_features(inputs, task)
    if task.kind == "classification":
        return _convert_classes(spec, features, estimate_classes(features.rows, targets, seed), task)
    if task.kind == "regression":
        machines = [estimate_target(features.rows, column, seed) for column in targets.T.astype(np.float64)]
    else:
        machines = [estimate_label(features.rows, column, seed) for column in targets.T.astype(np.int64)]
    return _convert_sums(spec, features, machines, task)


def estimate_classes(rows: Float[np.ndarray, "rows features"], targets: Int[np.ndarray, " rows"], seed: int) -> SVC:
    """SVC whose prediction is the largest value of its decision function (ties of votes broken by confidence)."""
    some = thin(targets, SELECTION_ROWS, seed)
    strength = _best_strength(SVC(), rows[some], targets[some], seed)
    return SVC(C=strength, break_ties=len(np.unique(targets)) > 2).fit(rows, targets)


class Sum:
    """One decision value: coefficients of training rows, and a constant, in the target's own unit."""

    def __init__(self, machine: SVC | SVR | None, mean: float = 0.0, scale: float = 1.0) -> None:
        self.support = machine.support_ if machine is not None else np.zeros(0, dtype=np.int64)
        self.weight = machine.dual_coef_[0] * scale if machine is not None else np.zeros(0)
        self.bias = mean + (float(machine.intercept_[0]) * scale if machine is not None else 0.0)
        self.gamma = float(machine._gamma) if machine is not None else 1.0


def estimate_target(rows: Float[np.ndarray, "rows features"], target: Float[np.ndarray, " rows"], seed: int) -> Sum:
    """SVR on the standardised target."""
    mean, scale = float(target.mean()), float(target.std()) or 1.0
    scaled = (target - mean) / scale
    some = thin(scaled, SELECTION_ROWS, seed)
    strength = _best_strength(SVR(), rows[some], scaled[some], seed)
    return Sum(SVR(C=strength).fit(rows, scaled), mean, scale)


def estimate_label(rows: Float[np.ndarray, "rows features"], labels: Int[np.ndarray, " rows"], seed: int) -> Sum:
    """One label against the rest; a label that never varies gets a constant of +1 or -1."""
    if len(np.unique(labels)) == 1:
        return Sum(None, 1.0 if labels[0] else -1.0)
    return Sum(estimate_classes(rows, labels, seed))


def _best_strength(machine: SVC | SVR, rows: np.ndarray, targets: np.ndarray, seed: int) -> float:
    classes = isinstance(machine, SVC)
    if len(rows) < 9 or (classes and np.bincount(targets)[np.unique(targets)].min() < 3):
        return STRENGTHS[0]
    folds = (StratifiedKFold if classes else KFold)(3, shuffle=True, random_state=seed)
    gained = np.zeros(len(STRENGTHS))
    for train, score in folds.split(rows, targets):
        for index, strength in enumerate(STRENGTHS):
            fitted = machine.set_params(C=strength).fit(rows[train], targets[train])
            gained[index] += fitted.score(rows[score], targets[score])
    return STRENGTHS[int(gained.argmax())]


def _kernel_state(features: FittedFeatures, support: np.ndarray, gamma: float) -> dict[str, Tensor]:
    return features.prefixed("kernel.features") | {
        "kernel.vectors": torch.tensor(features.rows[support], dtype=torch.float32),
        "kernel.gamma": torch.tensor([gamma], dtype=torch.float32),
    }


def _convert_classes(spec: Classical, features: FittedFeatures, machine: SVC, task: Task) -> Fitted:
    seen = tuple(int(label) for label in machine.classes_)
    state = _kernel_state(features, machine.support_, float(machine._gamma)) | {
        "weight": torch.tensor(machine.dual_coef_, dtype=torch.float32),
        "bias": torch.tensor(machine.intercept_, dtype=torch.float32),
    }
    kwargs = {"features": features.arguments, "outputs": task.outputs, "seen": seen}
    macs = len(machine.support_) * (features.rows.shape[1] + len(machine.dual_coef_))
    chosen = {"C": float(machine.C), "gamma": float(machine._gamma)}
    if len(seen) == 2:
        kwargs |= {"vectors": len(machine.support_), "values": 1}
        return Fitted(spec, "KernelMachine", kwargs, state, macs, len(features.rows), chosen)
    kwargs |= {"counts": tuple(int(count) for count in machine.n_support_)}
    return Fitted(spec, "KernelVotes", kwargs, state, macs, len(features.rows), chosen)


def _convert_sums(spec: Classical, features: FittedFeatures, machines: list[Sum], task: Task) -> Fitted:
    support = np.unique(np.concatenate([machine.support for machine in machines]))
    weight = np.zeros((len(machines), len(support)))
    for row, machine in zip(weight, machines, strict=True):
        row[np.searchsorted(support, machine.support)] = machine.weight
    # "scale" gives every machine the same gamma: it depends on the rows alone.
    gamma = next((machine.gamma for machine in machines if len(machine.support)), 1.0)
    state = _kernel_state(features, support, gamma) | {
        "weight": torch.tensor(weight, dtype=torch.float32),
        "bias": torch.tensor([machine.bias for machine in machines], dtype=torch.float32),
    }
    kwargs = {
        "features": features.arguments,
        "vectors": len(support),
        "values": len(machines),
        "outputs": task.outputs,
    }
    macs = len(support) * (features.rows.shape[1] + len(machines))
    return Fitted(spec, "KernelMachine", kwargs, state, macs, len(features.rows), {"gamma": gamma})
