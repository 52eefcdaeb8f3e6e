"""Real data, where the folder of it is here."""

from time import perf_counter

import numpy as np
import pytest

from nasturtium.data import input_statistics, load, prepare, profile, split


def ready(source, **options):
    raw = load(source, **options)
    parts = split(raw, 0)
    return raw, profile(raw, parts), *prepare(raw, parts)


def test_titanic_shows_its_leak(shared_data):
    _, seen, development, _ = ready(shared_data / "sets/titanic.parquet", target="survived")
    assert [leak.column for leak in seen.leaks] == ["alive"]
    assert development.task.input.tensor_shape == (14,)


@pytest.mark.parametrize(
    ("name", "target", "kind", "columns"),
    [
        ("adult_train", "income", "classification", (6, 8)),
        ("california_housing", "median_house_value", "regression", (8, 1)),
        ("credit_g", "class", "classification", (7, 13)),
        ("wine_white", "quality", "regression", (11, 0)),
        ("phoneme", "y", "classification", (5, 0)),
    ],
)
def test_tables_are_understood(shared_data, name, target, kind, columns):
    raw, seen, development, sealed = ready(shared_data / f"sets/{name}.parquet", target=target)
    signal = development.task.input
    assert (raw.kind, (signal.shape[0], len(signal.cardinalities))) == (kind, columns)
    assert seen.leaks == ()
    assert len(development) + len(sealed) == raw.rows
    statistics = input_statistics(development, development.fold("search")[0])
    assert np.isfinite(statistics.mean).all()


def test_fashion_mnist_loads_fast_with_its_own_test_set(shared_data):
    start = perf_counter()
    raw, seen, development, sealed = ready(shared_data / "sets/fashion_mnist.npz")
    assert perf_counter() - start < 30  # 4 s on a quiet machine; the aim is 10
    assert (development.inputs.shape, development.inputs.dtype) == ((60000, 1, 28, 28), np.uint8)
    assert len(sealed) == 10000
    assert seen.balance == {str(label): 7000 for label in range(10)}
    assert raw.own_split is not None


@pytest.mark.parametrize(("name", "length"), [("Gun_Point", 150), ("CBF", 128)])
def test_time_series_are_tables_unless_called_sequences(shared_data, name, length):
    path = shared_data / f"sets/ucr_{name}.npz"
    assert load(path).modality == "table"
    assert ready(path, modality="sequence")[2].task.input.shape == (1, length)
