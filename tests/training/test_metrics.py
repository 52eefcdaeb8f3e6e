"""Each metric against scikit-learn, on random scores with ties and absent classes."""

import numpy as np
import pytest
import sklearn.metrics as oracle

from nasturtium.errors import UserError
from nasturtium.training.metrics import METRICS, default_metric, find_metric, probabilities


def _classes(seed: int, rows: int = 200, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=(rows, classes)), 1).astype(np.float32)
    return scores, rng.integers(0, classes, rows)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [2, 4, 7])
def test_classification_metrics_equal_those_of_scikit_learn(seed: int, classes: int) -> None:
    scores, targets = _classes(seed, classes=classes)
    guess, chance = scores.argmax(1), probabilities(scores, "classification")
    area = (
        oracle.roc_auc_score(targets, chance[:, 1])
        if classes == 2
        else oracle.roc_auc_score(targets, chance, multi_class="ovr")
    )
    expected = {
        "accuracy": oracle.accuracy_score(targets, guess),
        "balanced-accuracy": oracle.balanced_accuracy_score(targets, guess),
        "macro-f1": oracle.f1_score(targets, guess, average="macro"),
        "micro-f1": oracle.f1_score(targets, guess, average="micro"),
        "log-loss": oracle.log_loss(targets, chance),
        "auc": area,
        "mcc": oracle.matthews_corrcoef(targets, guess),
    }
    for name, value in expected.items():
        assert METRICS[name].function(scores, targets) == pytest.approx(value, abs=1e-9), name


def test_top_5_accuracy_equals_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, targets = rng.normal(size=(300, 12)), rng.integers(0, 12, 300)
    assert METRICS["top-5-accuracy"].function(scores, targets) == oracle.top_k_accuracy_score(targets, scores, k=5)


def test_macro_f1_counts_only_classes_that_occur() -> None:
    scores, targets = _classes(5, classes=6)
    scores[:, 5] = -9.0
    targets = targets % 4
    expected = oracle.f1_score(targets, scores.argmax(1), average="macro")
    assert METRICS["macro-f1"].function(scores, targets) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_multi_label_metrics_equal_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=(150, 5)), 1).astype(np.float32)
    targets = (rng.random((150, 5)) < 0.3).astype(np.float32)
    guess, chance = (scores > 0).astype(int), probabilities(scores, "multi-label")
    expected = {
        "accuracy": oracle.accuracy_score(targets, guess),
        "label-accuracy": 1 - oracle.hamming_loss(targets, guess),
        "macro-f1": oracle.f1_score(targets, guess, average="macro"),
        "micro-f1": oracle.f1_score(targets, guess, average="micro"),
        "log-loss": np.mean([oracle.log_loss(targets[:, k], chance[:, k]) for k in range(5)]),
        "auc": oracle.roc_auc_score(targets, chance, average="macro"),
    }
    for name, value in expected.items():
        assert METRICS[name].function(scores, targets) == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize("outputs", [1, 3])
def test_regression_metrics_equal_those_of_scikit_learn(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    targets = rng.normal(5, 2, size=(80, outputs))
    scores = targets + rng.normal(size=(80, outputs))
    expected = {
        "rmse": oracle.root_mean_squared_error(targets, scores),
        "mse": oracle.mean_squared_error(targets, scores),
        "mae": oracle.mean_absolute_error(targets, scores),
        "median-absolute-error": oracle.median_absolute_error(targets, scores),
        "r2": oracle.r2_score(targets, scores),
    }
    for name, value in expected.items():
        assert METRICS[name].function(scores, targets) == pytest.approx(value, abs=1e-9), name


def test_regression_targets_may_be_flat() -> None:
    assert METRICS["rmse"].function(np.array([[1.0], [3.0]]), np.array([1.0, 1.0])) == pytest.approx(2**0.5)


def test_r2_of_a_constant_target_is_that_of_scikit_learn() -> None:
    constant = np.full((5, 1), 2.0)
    assert METRICS["r2"].function(constant, constant) == oracle.r2_score(constant, constant) == 1.0
    assert METRICS["r2"].function(constant + 1, constant) == oracle.r2_score(constant, constant + 1) == 0.0


def test_auc_without_two_classes_is_nan_and_absent_classes_are_left_out() -> None:
    assert np.isnan(METRICS["auc"].function(np.zeros((4, 2)), np.zeros(4, int)))
    scores, targets = _classes(1, classes=3)
    wider = np.concatenate([scores, np.full((len(scores), 1), -50.0)], axis=1)
    assert METRICS["auc"].function(wider, targets) == pytest.approx(METRICS["auc"].function(scores, targets))


def test_mcc_of_a_constant_guess_is_zero() -> None:
    assert METRICS["mcc"].function(np.array([[1.0, 0.0]] * 4), np.array([0, 1, 0, 1])) == 0.0


def test_log_loss_of_huge_logits_is_finite() -> None:
    assert METRICS["log-loss"].function(np.array([[1e4, -1e4]], np.float32), np.array([1])) == pytest.approx(2e4)


def test_an_unknown_metric_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(UserError, match=r"Unknown metric 'acuracy' for classification\. Did you mean 'accuracy'"):
        find_metric("acuracy", "classification")


def test_an_unfitting_metric_is_refused_with_those_that_fit() -> None:
    with pytest.raises(UserError, match=r"'rmse' does not fit classification\. Those that do: accuracy, balanced"):
        find_metric("rmse", "classification")


def test_underscores_and_capitals_in_names_are_accepted() -> None:
    assert find_metric("Balanced_Accuracy", "classification").name == "balanced-accuracy"


@pytest.mark.parametrize("kind", ["classification", "multi-label", "regression"])
def test_the_default_metric_fits_its_task(kind: str) -> None:
    assert kind in find_metric(default_metric(kind), kind).kinds  # type: ignore[arg-type]


def test_nan_is_never_better() -> None:
    rmse = METRICS["rmse"]
    assert rmse.better(1.0, 2.0)
    assert not rmse.better(2.0, 1.0)
    assert rmse.better(2.0, float("nan"))
    assert not rmse.better(float("nan"), 2.0)
    assert not rmse.better(float("nan"), float("nan"))
