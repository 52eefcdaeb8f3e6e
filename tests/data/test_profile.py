"""The profile and the suspected leaks."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from nasturtium.data import load, profile, split


def test_a_pleasant_profile_of_passengers(passengers):
    raw = load(passengers, target="Survived")
    seen = profile(raw, split(raw, 0))
    lines = seen.lines()
    text = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 80
    assert "300 rows, table of 10 columns; classification of 'Survived' (accuracy)" in text
    assert "Name (text): free text is not used yet (300 different values)" in text
    assert "Ticket (id): 300 different values in 300 rows" in text
    assert "PassengerId (id): a different whole number in every row" in text
    assert "Boarded (date): dates are not used yet" in text
    assert "Ship (constant): the same value in every row" in text
    assert "1 boolean, 2 categories, 2 numbers" in text
    assert "Leak?" not in text
    assert seen.missing["Age"] == pytest.approx(passengers["Age"].isna().mean())
    assert json.loads(seen.to_json())["balance"] == {
        str(value): int(count) for value, count in passengers["Survived"].value_counts().items()
    }


@pytest.mark.parametrize("form", ["copy", "renamed", "noisy", "present"])
def test_a_column_that_is_the_answer_is_suspected(passengers, form):
    answer = passengers["Survived"]
    leak = {
        "copy": answer,
        "renamed": answer.map({0: "no", 1: "yes"}),
        "noisy": answer * 10 + np.random.default_rng([0]).random(300),
        "present": pd.Series(np.random.default_rng([0]).random(300)).where(answer == 1),
    }[form]
    seen = profile(load(passengers.assign(boat=leak), target="Survived"))
    assert [found.column for found in seen.leaks] == ["boat"]
    assert seen.leaks[0].score == pytest.approx(1.0, abs=0.01)
    assert seen.leaks[0].majority == pytest.approx(max(answer.mean(), 1 - answer.mean()), abs=0.01)
    assert "'boat' alone predicts the target with accuracy 1.000" in " ".join(" ".join(seen.lines()).split())
    assert "boat" in [column.name for column in load(passengers.assign(boat=leak), target="Survived").columns]


def test_leaks_of_amounts_are_suspected_by_r2():
    raw = load("diabetes")
    frame = raw.features.assign(y=raw.target[:, 0], euro=raw.target[:, 0] * 0.9 + 3)
    seen = profile(load(frame, target="y"))
    assert [found.column for found in seen.leaks] == ["euro"]
    assert seen.leaks[0].measure == "R²"


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_no_column_of_the_bundled_sets_is_suspected(name):
    assert profile(load(name)).leaks == ()


def test_leaks_are_judged_without_the_test_rows():
    rng = np.random.default_rng([5])
    frame = pd.DataFrame({"x": rng.random(200), "y": rng.integers(0, 2, 200), "part": ["train"] * 100 + ["test"] * 100})
    frame.loc[100:, "x"] = frame.loc[100:, "y"]
    assert profile(load(frame, target="y", split="part")).leaks == ()


def test_equal_rows_and_contradictions_are_counted():
    frame = pd.DataFrame({"a": [1.5, 1.5, 1.5, 2, 3, 3], "b": list("xxxyzz"), "y": [0, 0, 1, 1, 0, 0]})
    seen = profile(load(frame, target="y"))
    assert (seen.duplicates, seen.conflicts) == (3, 3)


def test_missing_values_count_as_equal():
    frame = pd.DataFrame({"a": [None, None, 1.0, 2.0], "b": ["x", "x", None, None], "y": [0, 1, 0, 1]})
    assert profile(load(frame, target="y")).duplicates == 1


def test_the_fingerprint_is_of_content_and_target():
    base = load("wine")
    same = load(base.features.assign(y=base.target), target="y")
    assert profile(same).fingerprint == profile(load(base.features.assign(y=base.target), target="y")).fingerprint
    other = base.features.copy()
    other.iloc[3, 3] += 1
    changed = [
        load(other.assign(y=base.target), target="y"),
        load(base.features.assign(y=base.target[::-1]), target="y"),
        load(base.features.iloc[::-1].assign(y=base.target), target="y"),
        load(base.features.rename(columns={"ash": "soot"}).assign(y=base.target), target="y"),
    ]
    assert len({profile(raw).fingerprint for raw in [same, *changed]}) == 5


def test_the_fingerprint_is_the_same_in_another_process():
    code = "from nasturtium.data import load, profile; print(profile(load('digits')).fingerprint)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert printed == profile(load("digits")).fingerprint


def test_many_classes_and_columns_are_summed_up():
    rng = np.random.default_rng([6])
    frame = pd.DataFrame({f"c{number}": rng.random(200) for number in range(20)})
    frame = frame.mask(rng.random(frame.shape) < 0.1).assign(y=np.arange(200) % 20)
    text = " ".join(" ".join(profile(load(frame, target="y")).lines()).split())
    assert "Classes 20, 10 rows each" in text
    assert "and 12 more columns" in text
