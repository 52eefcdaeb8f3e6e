"""Which task a target poses."""

import numpy as np
import pandas as pd
import pytest

from nasturtium.data.task_inference import infer_kind, read_target, strata

RNG = np.random.default_rng([3, 0])


@pytest.mark.parametrize(
    ("target", "modality", "kind"),
    [
        (np.array(["a", "b"] * 5), "table", "classification"),
        (np.array([True, False] * 5), "table", "classification"),
        (np.arange(100) % 20, "table", "classification"),
        (np.arange(100) % 21, "table", "regression"),
        (np.arange(8), "table", "regression"),
        (np.arange(1000) % 100, "image", "classification"),
        (np.arange(1000) % 100 * 7, "image", "regression"),
        (np.array([0.0, 1.0] * 5), "table", "classification"),
        (np.array([1.0, 2.0, 3.0] * 5), "table", "regression"),
        (RNG.random(50), "image", "regression"),
        (RNG.integers(0, 2, (30, 4)), "table", "multi-label"),
        (RNG.random((30, 4)), "table", "regression"),
        (pd.Series(["a", "b"] * 5, dtype="category"), "table", "classification"),
        (pd.Series([1, 2, 3] * 5, dtype="Int64"), "table", "classification"),
    ],
)
def test_the_task_is_inferred_from_type_and_distinct_values(target, modality, kind):
    assert infer_kind(target, modality) == kind


def test_class_numbers_follow_the_order_of_the_values():
    read = read_target(np.array([10, 2, 2, 10, 3, 3]), "y", "table", "classification", ())
    assert read.classes == ("2", "3", "10")
    assert read.values.tolist() == [2, 0, 0, 2, 1, 1]
    assert read.values.dtype == np.int64


def test_declared_names_are_used_and_absent_classes_fall_away():
    read = read_target(np.array([0, 2, 2, 0]), "y", "image", None, ("cat", "dog", "eel"))
    assert read.classes == ("cat", "eel")


def test_amounts_become_a_matrix():
    assert read_target(np.array([0.5, 1.5]), "y", "table", None, ()).values.shape == (2, 1)


def test_strata_of_amounts_are_deciles():
    layers = strata(np.arange(1000.0)[:, None], "regression")
    assert np.bincount(layers).tolist() == [100] * 10


def test_rare_patterns_of_labels_are_pooled():
    labels = np.array([[0, 0]] * 6 + [[0, 1]] * 2 + [[1, 0]] * 2, dtype=np.float32)
    assert strata(labels, "multi-label").tolist() == [0] * 6 + [3] * 4
