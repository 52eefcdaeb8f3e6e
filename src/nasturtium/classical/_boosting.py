"""Histogram gradient boosting (Ke et al. 2017, LightGBM; scikit-learn's implementation), converted to `TreeEnsemble`.

Trees read the raw input: missing numbers have a direction of their own, codes are taken as ordered numbers.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from nasturtium.classical._fitted import Fitted
from nasturtium.classical._spec import Classical
from nasturtium.task import Task

ROUNDS = 200
"""Most rounds of one decision value; several classes share `CLASS_ROUNDS`, since each round grows a tree a class."""
CLASS_ROUNDS = 100
EARLY_ROWS = 500
"""Early stopping on a tenth of the rows needs at least this many; below it a third of the rounds are made."""


def fit_boosting(
    spec: Classical, inputs: Float[np.ndarray, "rows ..."], targets: np.ndarray, task: Task, seed: int
) -> Fitted:
    """Boosted trees; labels and targets get an ensemble each."""
    rows = inputs.reshape(len(inputs), -1)
    # scikit-learn cannot bin a column without a number; as a constant it is never asked for.
    rows = np.where(np.isnan(rows).all(0), np.float32(0), rows)
    seen: tuple[int, ...] = ()
    if task.kind == "classification":
        model = estimate_classes(rows, targets, seed)
        seen = tuple(int(label) for label in model.classes_)
        forest = [[step[value] for step in model._predictors] for value in range(len(model._predictors[0]))]
        bias = np.asarray(model._baseline_prediction).reshape(-1)
    elif task.kind == "regression":
        models = [estimate_target(rows, column, seed) for column in targets.T.astype(np.float64)]
        forest = [[step[0] for step in model._predictors] for model in models]
        bias = np.array([np.asarray(model._baseline_prediction).item() for model in models])
    else:
        pairs = [estimate_label(rows, column, seed) for column in targets.T.astype(np.int64)]
        forest, bias = [trees for trees, _ in pairs], np.array([constant for _, constant in pairs])
    return _convert(spec, rows, task, forest, bias, seen)


def estimate_classes(rows: np.ndarray, targets: np.ndarray, seed: int) -> HistGradientBoostingClassifier:
    """One tree a round for two classes, otherwise one for each class."""
    counts = np.unique(targets, return_counts=True)[1]
    rounds = ROUNDS if len(counts) == 2 else max(CLASS_ROUNDS * 10 // max(len(counts), 10), 10)
    return HistGradientBoostingClassifier(**_settings(len(rows), rounds, seed, counts.min() >= 10)).fit(rows, targets)


def estimate_target(rows: np.ndarray, target: np.ndarray, seed: int) -> HistGradientBoostingRegressor:
    """Squared error of one target."""
    return HistGradientBoostingRegressor(**_settings(len(rows), ROUNDS, seed, True)).fit(rows, target)


def estimate_label(rows: np.ndarray, labels: np.ndarray, seed: int) -> tuple[list[Any], float]:
    """Trees and constant of one label; one that never varies gets no tree and a constant of +10 or -10."""
    if len(np.unique(labels)) == 1:
        return [], 10.0 if labels[0] else -10.0
    model = estimate_classes(rows, labels, seed)
    return [step[0] for step in model._predictors], float(np.asarray(model._baseline_prediction).item())


def _settings(rows: int, rounds: int, seed: int, enough: bool) -> dict[str, Any]:
    early = enough and rows >= EARLY_ROWS
    return {
        "max_iter": rounds if early else max(rounds // 3, 20),
        "learning_rate": 0.1,
        "max_leaf_nodes": 15,
        "max_depth": 8,
        "min_samples_leaf": min(20, max(rows // 50, 2)),
        "l2_regularization": 1.0,
        "early_stopping": early,
        "n_iter_no_change": 8,
        "random_state": seed,
    }


def _convert(
    spec: Classical, rows: np.ndarray, task: Task, forest: list[list[Any]], bias: np.ndarray, seen: tuple[int, ...]
) -> Fitted:
    trees = [_flatten(tree.nodes) for value in forest for tree in value]
    sizes = [len(tree["child"]) for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if trees else np.zeros(0, dtype=np.int64)
    for root, tree in zip(roots, trees, strict=True):
        tree["child"][tree["child"] > 0] += root
    types = {"column": torch.int64, "number": torch.float32, "child": torch.int64, "missing_left": torch.bool}
    state = {
        name: torch.tensor(np.concatenate([tree[name] for tree in trees]) if trees else np.zeros(0), dtype=kind)
        for name, kind in types.items()
    }
    state |= {"root": torch.tensor(roots), "bias": torch.tensor(bias, dtype=torch.float32)}
    kwargs = {
        "width": rows.shape[1],
        "nodes": sum(sizes),
        "depth": max((int(tree.nodes["depth"].max()) for value in forest for tree in value), default=0),
        "trees": tuple(len(value) for value in forest),
        "outputs": task.outputs,
        "seen": seen,
    }
    chosen = {"rounds": float(max(len(value) for value in forest))}
    return Fitted(spec, "TreeEnsemble", kwargs, state, 0, len(rows), chosen)


def _flatten(nodes: np.ndarray) -> dict[str, np.ndarray]:
    """One tree in breadth-first order, so that a right child follows its left one."""
    order = [0]
    child = np.zeros(len(nodes), dtype=np.int64)
    for place in range(len(nodes)):
        node = nodes[order[place]]
        if not node["is_leaf"]:
            child[place] = len(order)
            order += [int(node["left"]), int(node["right"])]
    ordered = nodes[order]
    leaf = ordered["is_leaf"].astype(bool)
    threshold = ordered["num_threshold"].astype(np.float32)
    # scikit-learn compares in float64. For float32 input, x <= t is x <= (t rounded down to float32), exactly.
    with np.errstate(over="ignore"):
        above = threshold.astype(np.float64) > ordered["num_threshold"]
    threshold = np.where(above, np.nextafter(threshold, np.float32(-np.inf)), threshold)
    return {
        "column": np.where(leaf, 0, ordered["feature_idx"]).astype(np.int64),
        "number": np.where(leaf, ordered["value"].astype(np.float32), threshold),
        "child": child,
        "missing_left": ordered["missing_go_to_left"].astype(bool),
    }
