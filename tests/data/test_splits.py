"""Splits and resplits: proportions, groups, time, equal rows, the user's own."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.data import load, prepare, split
from nasturtium.data.assignment import by_time, grouped, stratified
from nasturtium.errors import DataError

FRACTIONS = (0.6, 0.2, 0.2)


def table(rows=200, **more):
    rng = np.random.default_rng([11, rows])
    return pd.DataFrame({"x": rng.normal(size=rows), "y": rng.permutation(np.arange(rows) % 2), **more})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 5))
def test_every_stratum_is_shared_out_within_one_row_of_its_fractions(sizes, seed):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    part = stratified(strata, np.arange(len(strata)), FRACTIONS, np.random.default_rng([seed]))
    for stratum, size in enumerate(sizes):
        counts = np.bincount(part[strata == stratum], minlength=3)
        assert np.abs(counts - size * np.array(FRACTIONS)).max() <= 1
        assert counts[0] >= 1


@pytest.mark.parametrize(("size", "counts"), [(2, [1, 1, 0]), (3, [2, 0, 1]), (4, [2, 1, 1]), (5, [3, 1, 1])])
def test_rare_classes_are_shared_out(size, counts):
    part = stratified(np.zeros(size, int), np.arange(size), FRACTIONS, np.random.default_rng([0]))
    assert np.bincount(part, minlength=3).tolist() == counts


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 30), st.integers(0, 5))
def test_groups_are_never_parted_and_every_part_gets_one(count, seed):
    rng = np.random.default_rng([seed, count])
    groups = np.concatenate([np.arange(count), rng.integers(0, count, 10 * count)])
    part = grouped(rng.integers(0, 3, len(groups)), groups, FRACTIONS, rng)
    assert all(len(set(part[groups == group])) == 1 for group in range(count))
    assert set(part) == {0, 1, 2}


def test_many_small_groups_come_near_the_fractions_in_every_stratum():
    rng = np.random.default_rng([1])
    groups, strata = np.arange(900) // 3, rng.integers(0, 3, 900)
    part = grouped(strata, groups, FRACTIONS, rng)
    for stratum in range(3):
        shares = np.bincount(part[strata == stratum], minlength=3) / (strata == stratum).sum()
        assert np.abs(shares - FRACTIONS).max() < 0.03


def test_time_goes_from_old_to_new_and_moments_stay_together():
    times = np.random.default_rng([2]).integers(0, 40, 500).astype(float)
    part = by_time(times, FRACTIONS)
    assert times[part == 0].max() < times[part == 1].min()
    assert times[part == 1].max() < times[part == 2].min()
    assert np.abs(np.bincount(part) / 500 - FRACTIONS).max() < 0.05
    assert by_time(np.array([5.0, 6.0, 7.0]), FRACTIONS).tolist() == [0, 1, 2]


def test_the_default_split_is_stratified_seeded_and_complete():
    raw = load("digits")
    parts = split(raw, 3)
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(rows) == list(range(1797))
    assert [len(parts.train), len(parts.validation), len(parts.test)] == pytest.approx([1078, 359, 360], abs=2)
    assert split(raw, 3).fingerprint == parts.fingerprint
    assert split(raw, 4).fingerprint != parts.fingerprint
    counts = np.bincount(raw.target[parts.test])
    assert np.abs(counts - np.bincount(raw.target) * 0.2).max() <= 1


def test_amounts_are_stratified_by_quantile():
    raw = load("diabetes")
    parts = split(raw, 0)
    means = [raw.target[rows].mean() for rows in (parts.train, parts.validation, parts.test)]
    assert np.ptp(means) < 4  # of a deviation of 77


def test_equal_rows_stay_together_and_are_counted_across():
    frame = pd.concat([table(200), table(200).iloc[:30]], ignore_index=True)
    parts = split(load(frame, target="y"), 0)
    assert parts.together
    assert parts.across == 0
    development, _ = prepare(load(frame, target="y"), parts)
    train, score = development.fold("resplit-2")
    assert not set(development.inputs[train, 0]) & set(development.inputs[score, 0])


def test_equal_rows_of_a_coarse_table_are_parted_at_random_and_counted():
    frame = pd.DataFrame({"a": np.arange(300) % 4, "b": np.arange(300) % 3, "y": np.arange(300) % 2})
    parts = split(load(frame, target="y"), 0)
    assert not parts.together
    assert parts.across == 120


def test_no_group_crosses_parts_or_resplits():
    frame = table(200, who=np.arange(200) // 5)
    raw = load(frame, target="y", group="who")
    parts = split(raw, 0)
    seen = [set(raw.groups[rows]) for rows in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 40
    development, _ = prepare(raw, parts)
    assert "who" not in development.preprocessing.input.numbers
    for number in range(3):
        train, score = development.fold(f"resplit-{number}")
        assert not set(development.layout.units[train]) & set(development.layout.units[score])
        assert len(train) + len(score) == len(development)


def test_time_columns_order_the_parts_and_the_resplits():
    stamps = pd.date_range("2020-01-01", periods=200, freq="D")[np.random.default_rng([4]).permutation(200)]
    for when in (stamps, stamps.astype(str), stamps.year * 1000 + stamps.dayofyear):
        raw = load(table(200, when=when), target="y", time="when")
        parts = split(raw, 0)
        assert stamps[parts.train].max() < stamps[parts.validation].min()
        assert stamps[parts.validation].max() < stamps[parts.test].min()
    development, _ = prepare(raw, parts)
    windows = set()
    for number in range(4):
        train, score = development.fold(f"resplit-{number}")
        assert development.layout.times[train].max() < development.layout.times[score].min()
        windows.add(tuple(score))
    assert len(windows) == 4


@pytest.mark.parametrize("words", [("train", "val", "test"), ("Training", "valid", "TEST"), ("train", "dev", "test")])
def test_the_users_own_split_is_kept(words):
    where = np.repeat(words, [100, 60, 40])
    parts = split(load(table(200, part=where), target="y", split="part"), 0)
    assert parts.train.tolist() == list(range(100))
    assert parts.test.tolist() == list(range(160, 200))
    assert parts.how == "the user's own"


@pytest.mark.parametrize("absent", ["validation", "test"])
def test_a_part_that_the_users_split_lacks_is_carved_from_train(absent):
    other = "test" if absent == "validation" else "validation"
    where = np.repeat(["train", other], [160, 40])
    parts = split(load(table(200, part=where), target="y", split="part"), 0)
    assert getattr(parts, other).tolist() == list(range(160, 200))
    assert len(getattr(parts, absent)) == 40
    assert getattr(parts, absent).max() < 160
    assert f"{absent} taken from train" in parts.how


def test_copies_of_train_rows_in_the_users_test_are_counted():
    frame = pd.concat([table(100), table(100).iloc[:7]], ignore_index=True)
    frame["part"] = ["train"] * 80 + ["val"] * 20 + ["test"] * 7
    assert split(load(frame, target="y", split="part"), 0).across == 7


def test_resplits_differ_keep_proportions_and_repeat_with_the_seed():
    raw = load("digits")
    development, _ = prepare(raw, split(raw, 0))
    again, _ = prepare(raw, split(raw, 0))
    folds = [development.fold(f"resplit-{number}") for number in range(5)]
    assert len({tuple(score) for _, score in folds}) == 5
    for number, (train, score) in enumerate(folds):
        assert np.array_equal(again.fold(f"resplit-{number}")[1], score)
        assert sorted([*train, *score]) == list(range(len(development)))
        assert len(score) / len(development) == pytest.approx(0.25, abs=0.01)
    train, score = development.fold("search")
    assert len(train) + len(score) == len(development)
    train, score = development.fold("all")
    assert (len(train), len(score)) == (len(development), 0)
    with pytest.raises(ValueError, match="There is no fold 'resplit'"):
        development.fold("resplit")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: split(load("iris"), 0, (0.5, 0.5)), r"must be three positive numbers, not \(0\.5, 0\.5\)"),
        (lambda: split(load("iris"), 0, (0.8, 0.2, 0.0)), "must be three positive numbers"),
        (
            lambda: split(load(table(20, g=np.arange(20) // 10), target="y", group="g"), 0),
            "No row is left for|two or more groups",
        ),
        (
            lambda: split(load(table(20, part=["test"] * 20), target="y", split="part"), 0),
            "The split has no train rows",
        ),
        (lambda: split(load((np.arange(4.0)[:, None], [0, 0, 1, 1])), 0), "No row is left for test: 4 rows"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_a_class_that_only_the_test_rows_hold_is_refused():
    frame = table(60, part=["train"] * 40 + ["test"] * 20)
    frame.loc[50:, "y"] = 7
    with pytest.raises(DataError, match="The class '7' occurs in the test rows only"):
        split(load(frame, target="y", split="part"), 0)
