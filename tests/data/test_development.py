"""Development data, the sealed test set, statistics."""

import copy
import pickle

import numpy as np
import pytest

from nasturtium.data import Development, input_statistics, load, prepare, split
from nasturtium.errors import DataError


@pytest.fixture(scope="module")
def digits():
    raw = load("digits")
    return raw, *prepare(raw, split(raw, 0))


def test_development_holds_train_and_validation_and_nothing_of_the_test(digits):
    raw, development, _ = digits
    parts = split(raw, 0)
    assert len(development) == len(parts.train) + len(parts.validation)
    written = pickle.dumps(development)
    rows = [raw.features[row].tobytes() for row in parts.test]
    assert not any(row in written for row in rows)
    assert raw.features[parts.train[0]].tobytes() in written


def test_saved_development_pickles_as_a_folder_name_and_is_mapped(digits, tmp_path):
    _, development, _ = digits
    saved = development.save(tmp_path / "data")
    assert isinstance(saved.inputs, np.memmap)
    written = pickle.dumps(saved)
    assert len(written) < 500
    for other in (pickle.loads(written), Development.open(tmp_path / "data")):
        assert np.array_equal(other.inputs, development.inputs)
        assert np.array_equal(other.targets, development.targets)
        assert other.task == development.task
        for fold in ("search", "resplit-3", "all"):
            for ours, theirs in zip(other.fold(fold), development.fold(fold), strict=True):
                assert np.array_equal(ours, theirs)


def test_saved_files_hold_no_test_row(digits, tmp_path):
    raw, development, _ = digits
    development.save(tmp_path)
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(raw.features[row].tobytes() in written for row in split(raw, 0).test)


def test_a_folder_without_saved_data_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no saved development data"):
        Development.open(tmp_path)


def test_the_sealed_test_counts_and_records_its_openings(digits):
    raw = digits[0]
    _, sealed = prepare(raw, split(raw, 0))
    assert sealed.openings == ()
    inputs, targets = sealed.open("final report")
    assert np.array_equal(targets, raw.target[split(raw, 0).test])
    assert np.array_equal(inputs, raw.features[split(raw, 0).test])
    sealed.open("again")
    assert sealed.openings == ("final report", "again")
    assert repr(sealed) == f"SealedTest({len(targets)} rows, opened 2 times)"
    with pytest.raises(ValueError, match="read-only"):
        inputs[0] = 0
    with pytest.raises(ValueError, match="needs a reason"):
        sealed.open(" ")


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_the_sealed_test_cannot_leave_the_process(digits, duplicate):
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        duplicate(digits[2])


def test_statistics_are_those_of_numpy_over_the_given_rows(digits):
    _, development, _ = digits
    rows = development.fold("search")[0]
    stats = input_statistics(development, rows)
    assert stats.mean == pytest.approx((development.inputs[rows].mean(),))
    assert stats.std == pytest.approx((development.inputs[rows].std(),))
    assert stats.target_mean == ()


def test_statistics_of_tables_ignore_missing_values_and_codes():
    rng = np.random.default_rng([1, 1])
    x = rng.normal(1e6, 3, (90, 3))
    x[::7, 0] = np.nan
    x[:, 2] = 5.0
    x[0, 2] = 5.5
    raw = load((x, rng.normal(100, 20, 90)))
    development, _ = prepare(raw, split(raw, 0))
    rows = np.arange(1, len(development))
    rows = rows[development.inputs[rows, 2] == 5.0]
    stats = input_statistics(development, rows)
    picked = development.inputs[rows].astype(float)
    assert stats.mean == pytest.approx(np.nanmean(picked, axis=0))
    assert stats.std == pytest.approx([*np.nanstd(picked[:, :2], axis=0), 1.0])
    assert stats.target_mean == pytest.approx(development.targets[rows].mean(axis=0))
    assert stats.target_std == pytest.approx(development.targets[rows].std(axis=0))
