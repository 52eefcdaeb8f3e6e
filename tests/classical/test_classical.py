"""The simple models equal the scikit-learn estimators they come from, on real rows."""

import pickle
import time

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from nasturtium.classical import Classical, Fitted, _boosting, _kernel, _linear, applicable, fit, modules
from nasturtium.classical._features import fit_features
from nasturtium.classical._sample import thin
from nasturtium.errors import DataError, UserError
from nasturtium.task import Signal, Task

DIGITS = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")


def digits() -> tuple[np.ndarray, np.ndarray]:
    rows, targets = load_digits(return_X_y=True)
    return rows.reshape(-1, 1, 8, 8).astype(np.float32), targets.astype(np.int64)


def mixed_table(rows: int = 600, seed: int = 0) -> tuple[np.ndarray, Task]:
    """Three numbers (one with gaps, one constant), then two columns of codes in which 0 is unknown."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 3)).astype(np.float32) * (1, 100, 0) + (0, 2000, 5)
    numbers[rng.random(rows) < 0.3, 1] = np.nan
    codes = np.stack([rng.integers(0, 4, rows), rng.integers(0, 3, rows)], 1)
    task = Task("classification", Signal("table", (3,), (4, 3)), 2, "accuracy")
    return np.concatenate([numbers, codes], 1).astype(np.float32), task


def table_score(inputs: np.ndarray) -> np.ndarray:
    return inputs[:, 0] + np.isnan(inputs[:, 1]) + (inputs[:, 3] == 2) - (inputs[:, 4] == 0) * 0.5


def scores(fitted: Fitted, inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return fitted.module()(torch.from_numpy(np.ascontiguousarray(inputs))).double().numpy()


def features(inputs: np.ndarray, seen: np.ndarray, task: Task) -> np.ndarray:
    """Features of `inputs` as learned from `seen`."""
    learned = fit_features(seen, task)
    module = modules.Features(*learned.arguments)
    module.load_state_dict(learned.state)
    return module(torch.from_numpy(inputs)).double().numpy()


def test_logistic_regression_on_digits_equals_scikit_learn():
    inputs, targets = digits()
    train, test = slice(0, 1000), slice(1000, None)
    model = _linear.estimate_logistic(features(inputs[train], inputs[train], DIGITS), targets[train], 0)
    expected = model.decision_function(features(inputs[test], inputs[train], DIGITS))
    got = scores(fit(Classical("logistic"), inputs[train], targets[train], DIGITS, 0), inputs[test])
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert (got.argmax(1) == expected.argmax(1)).all()


def test_many_class_svc_votes_and_breaks_ties_like_scikit_learn():
    inputs, targets = digits()
    noisy = np.where(np.random.default_rng(0).random(len(targets)) < 0.5, np.roll(targets, 7), targets)
    train, test = slice(0, 700), slice(700, None)
    model = _kernel.estimate_classes(features(inputs[train], inputs[train], DIGITS), noisy[train], 0)
    hidden = features(inputs[test], inputs[train], DIGITS)
    got = scores(fit(Classical("svc"), inputs[train], noisy[train], DIGITS, 0), inputs[test])
    np.testing.assert_allclose(got, model.decision_function(hidden), atol=1e-4)
    assert (got.argmax(1) == model.predict(hidden)).all()
    votes = np.sort(np.round(got))
    assert (votes[:, -1] == votes[:, -2]).any(), "the noise was to make ties"


def test_two_class_svc_equals_scikit_learn():
    rows, targets = load_breast_cancer(return_X_y=True)
    inputs, task = rows.astype(np.float32), Task("classification", Signal("table", (30,)), 2, "accuracy")
    model = _kernel.estimate_classes(features(inputs[:300], inputs[:300], task), targets[:300], 0)
    hidden = features(inputs[300:], inputs[:300], task)
    got = scores(fit(Classical("svc"), inputs[:300], targets[:300], task, 0), inputs[300:])
    np.testing.assert_allclose(got[:, 1] - got[:, 0], model.decision_function(hidden), atol=1e-4)
    assert (got.argmax(1) == model.predict(hidden)).all()


def test_boosted_trees_on_digits_equal_scikit_learn():
    inputs, targets = digits()
    model = _boosting.estimate_classes(inputs[:900].reshape(900, -1), targets[:900], 0)
    flat = inputs[900:].reshape(-1, 64)
    got = scores(fit(Classical("boosting"), inputs[:900], targets[:900], DIGITS, 0), inputs[900:])
    np.testing.assert_allclose(got, model.decision_function(flat), atol=1e-4)
    assert (got.argmax(1) == model.predict(flat)).all()


def test_boosted_trees_send_missing_numbers_and_thresholds_the_same_way():
    inputs, task = mixed_table(2000)
    targets = (table_score(inputs) > 0.4).astype(np.int64)
    model = _boosting.estimate_classes(inputs[:1500], targets[:1500], 3)
    got = scores(fit(Classical("boosting"), inputs[:1500], targets[:1500], task, 3), inputs)
    np.testing.assert_allclose(got[:, 1] - got[:, 0], model.decision_function(inputs), atol=1e-4)
    # A gap in a column that had none in training goes where scikit-learn sends it.
    gaps = inputs.copy()
    gaps[::3, 0] = np.nan
    got = scores(fit(Classical("boosting"), inputs[:1500], targets[:1500], task, 3), gaps)
    np.testing.assert_allclose(got[:, 1] - got[:, 0], model.decision_function(gaps), atol=1e-4)


def test_thresholds_between_two_float32_values_split_exactly():
    step = np.float32(1.0)
    values = [step]
    for _ in range(39):
        values.append(np.nextafter(values[-1], np.float32(2)))
    inputs = np.repeat(np.array(values, dtype=np.float32), 20)[:, None]
    targets = (inputs[:, 0] > values[17]).astype(np.int64)
    task = Task("classification", Signal("table", (1,)), 2, "accuracy")
    got = scores(fit(Classical("boosting"), inputs, targets, task, 0), inputs)
    assert (got.argmax(1) == targets).all()


@pytest.mark.parametrize("name", ["ridge", "svr", "boosting"])
def test_regression_equals_scikit_learn_in_the_target_s_own_unit(name):
    rows, target = load_diabetes(return_X_y=True)
    inputs = rows.astype(np.float32)
    targets = np.stack([target, 1000 - 3 * target], 1).astype(np.float32)
    task = Task("regression", Signal("vector", (10,)), 2, "rmse")
    train, test = slice(0, 300), slice(300, None)
    got = scores(fit(Classical(name), inputs[train], targets[train], task, 0), inputs[test])
    hidden = features(inputs[test], inputs[train], task)
    learned = features(inputs[train], inputs[train], task)
    if name == "ridge":
        expected = _linear.estimate_ridge(learned, targets[train]).predict(hidden)
    elif name == "boosting":
        models = [_boosting.estimate_target(inputs[train], column, 0) for column in targets[train].T.astype(float)]
        expected = np.stack([model.predict(inputs[test]) for model in models], 1)
    else:
        expected = np.stack([svr_by_hand(learned, column, hidden) for column in targets[train].T.astype(float)], 1)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-2)


def svr_by_hand(rows: np.ndarray, target: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    part = _kernel.estimate_target(rows, target, 0)
    options = [
        TransformedTargetRegressor(SVR(C=strength), transformer=StandardScaler()).fit(rows, target)
        for strength in _kernel.STRENGTHS
    ]
    used = [model for model in options if np.array_equal(model.regressor_.support_, part.support)]
    return used[0].predict(hidden)


@pytest.mark.parametrize("name", ["majority", "logistic", "svc", "boosting"])
def test_labels_are_learned_one_by_one_and_a_constant_label_stays_constant(name):
    inputs, _ = mixed_table()
    score = table_score(inputs)
    targets = np.stack([score > 0.4, score < 1, np.ones(len(score)), np.zeros(len(score))], 1).astype(np.float32)
    task = Task("multi-label", Signal("table", (3,), (4, 3)), 4, "f1")
    got = scores(fit(Classical(name), inputs, targets, task, 0), inputs)
    assert ((got[:, 2] > 0) & (got[:, 3] < 0)).all()
    if name != "majority":
        assert ((got > 0) == (targets > 0)).mean() > 0.9


@pytest.mark.parametrize("name", ["logistic", "svc", "boosting", "majority"])
@pytest.mark.parametrize("seen", [(1, 3), (0, 2, 3)])
def test_a_class_without_training_rows_is_never_predicted(name, seen):
    rows, targets = load_wine(return_X_y=True)
    task = Task("classification", Signal("table", (13,)), 5, "accuracy")
    kept = targets < len(seen)
    renamed = np.array(seen)[targets[kept]]
    inputs = rows[kept].astype(np.float32)
    got = scores(fit(Classical(name), inputs, renamed, task, 0), inputs)
    assert got.shape == (kept.sum(), 5)
    assert set(got.argmax(1)) <= set(seen)
    if name != "majority":
        assert (got.argmax(1) == renamed).mean() > 0.97


def test_the_trivial_models_know_frequencies_and_means():
    inputs, task = mixed_table(10)
    targets = np.array([0, 1, 1, 1, 0, 1, 1, 1, 1, 1])
    got = scores(fit(Classical("majority"), inputs, targets, task, 0), inputs)
    np.testing.assert_allclose(np.exp(got[0]), [2.5 / 11, 8.5 / 11], rtol=1e-6)
    mean = Task("regression", task.input, 1, "rmse")
    got = scores(fit(Classical("mean"), inputs, np.arange(10, dtype=np.float32)[:, None], mean, 0), inputs)
    assert (got == 4.5).all()


def test_features_fill_flag_and_code_the_raw_columns():
    task = Task("classification", Signal("table", (2,), (3,)), 2, "accuracy")
    inputs = np.array([[1, 5, 0], [3, np.nan, 2], [np.nan, 7, 1]], dtype=np.float32)
    np.testing.assert_allclose(
        features(inputs, inputs, task),
        [[-1, -1, 0, 0, 1, 0, 0], [1, 0, 0, 1, 0, 0, 1], [0, 1, 1, 0, 0, 1, 0]],
        atol=1e-6,
    )


def test_a_column_that_is_always_missing_or_constant_is_harmless():
    inputs = np.array([[np.nan, 0.1, float(row)] for row in range(60)], dtype=np.float32)
    task = Task("classification", Signal("table", (3,)), 2, "accuracy")
    targets = (inputs[:, 2] > 29).astype(np.int64)
    for spec in applicable(task, 60):
        got = scores(fit(spec, inputs, targets, task, 0), inputs)
        assert np.isfinite(got).all()
        assert spec.family == "trivial" or (got.argmax(1) == targets).mean() > 0.9


def test_params_counts_every_stored_number():
    inputs, targets = digits()
    fitted = fit(Classical("logistic"), inputs, targets, DIGITS, 0)
    assert fitted.params == 64 * 10 + 10 + 2
    assert fitted.macs == 640
    for spec in applicable(DIGITS, len(inputs)):
        fitted = fit(spec, inputs[:400], targets[:400], DIGITS, 0)
        assert fitted.params == sum(part.numel() for part in fitted.module().parameters())


def test_a_fit_is_pickled_and_repeated_bit_for_bit():
    inputs, targets = digits()
    for spec in applicable(DIGITS, 400):
        first = fit(spec, inputs[:400], targets[:400], DIGITS, 5)
        again = fit(pickle.loads(pickle.dumps(spec)), inputs[:400], targets[:400], DIGITS, 5)
        copy = pickle.loads(pickle.dumps(first))
        for other in (again, copy):
            assert all(torch.equal(first.state[name], other.state[name]) for name in first.state)


def test_all_simple_models_of_digits_take_less_than_six_seconds():
    inputs, targets = digits()
    before = time.process_time()
    for spec in applicable(DIGITS, 1078):
        fit(spec, inputs[:1078], targets[:1078], DIGITS, 0)
    assert time.process_time() - before < 6


def test_what_applies_follows_the_task_and_its_size():
    assert [spec.name for spec in applicable(DIGITS, 1000)] == ["majority", "logistic", "svc", "boosting"]
    numbers = Task("regression", Signal("table", (8,)), 1, "rmse")
    assert [spec.name for spec in applicable(numbers, 1000)] == ["mean", "ridge", "svr", "boosting"]
    assert [spec.name for spec in applicable(numbers, 20_000)] == ["mean", "ridge", "boosting"]
    fashion = Task("classification", Signal("image", (1, 28, 28)), 10, "accuracy")
    assert applicable(fashion, 48_000) == (
        Classical("majority"),
        Classical("logistic"),
        Classical("boosting", max_rows=6_377),
    )


def test_a_subsample_is_stratified_and_named():
    inputs, targets = digits()
    fitted = fit(Classical("logistic", max_rows=300), inputs, targets, DIGITS, 0)
    assert fitted.note == f"fitted on {fitted.rows} of 1,797 training rows, to stay quick"
    assert abs(fitted.rows - 300) <= 5
    rare = np.array([0] * 995 + [1] * 5)
    assert (rare[thin(rare, 100, 0)] == 1).sum() == 3
    assert len(thin(np.zeros((50, 2)), 20, 0)) == 20


def test_one_class_is_refused_with_the_mend():
    inputs, task = mixed_table(30)
    with pytest.raises(DataError) as caught:
        fit(Classical("logistic"), inputs, np.ones(30, dtype=np.int64), task, 0)
    assert str(caught.value) == (
        "The 30 training rows of 'logistic' hold a single class (1). Use a stratified split, or more rows."
    )


def test_an_unknown_model_is_named_with_its_neighbours():
    with pytest.raises(UserError) as caught:
        Classical("logistics")
    assert str(caught.value) == "There is no simple model called 'logistics'. Did you mean 'logistic'?"
