"""Tables: reading, kinds of columns, encoding."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasturtium.data import load, prepare, profile, split
from nasturtium.data.columns import describe, looks_like_id, tidy
from nasturtium.data.preprocessing import Preprocessing
from nasturtium.errors import DataError


def kinds(table):
    tidied = tidy(table)
    return {name: describe(tidied[name]).kind for name in tidied}


def test_every_kind_of_column_is_recognised(passengers):
    assert kinds(passengers.drop(columns="Survived")) == {
        "PassengerId": "id",
        "Name": "text",
        "Sex": "category",
        "Age": "number",
        "Ticket": "id",
        "Fare": "number",
        "Embarked": "category",
        "Boarded": "date",
        "Alone": "boolean",
        "Ship": "constant",
    }


def test_text_that_spells_numbers_becomes_numbers_and_question_marks_become_missing():
    tidied = tidy(pd.DataFrame({"a": ["1", " 2.5", "?", "N/A"], "b": ["x", "", " y ", None]}))
    assert np.array_equal(tidied["a"], [1, 2.5, np.nan, np.nan], equal_nan=True)
    assert tidied["b"].tolist()[0::2] == ["x", "y"]
    assert tidied["b"].isna().tolist() == [False, True, False, True]


def test_an_unknown_in_a_column_of_words_stays_a_category():
    assert tidy(pd.DataFrame({"a": ["red", "unknown", "blue"]}))["a"].tolist() == ["red", "unknown", "blue"]


@pytest.mark.parametrize("dates", [["2020-01-31", "1999-12-01"], ["31/01/2020", "1.12.1999"], ["2020-01-31 10:20"] * 2])
def test_dates_in_text_are_kept_apart(dates):
    assert kinds(pd.DataFrame({"when": dates * 15 + ["2001-01-01"]}))["when"] == "date"


@pytest.mark.parametrize("name", ["id", "customer_id", "PassengerId", "Unnamed: 0", "uuid", "row"])
def test_names_of_ids_are_recognised(name):
    assert looks_like_id(name)


@pytest.mark.parametrize("name", ["width", "paid", "humid", "monkey", "arrow", "Fare", "centroid"])
def test_names_that_only_end_like_ids_are_not(name):
    assert not looks_like_id(name)


def test_whole_numbers_that_are_all_different_are_amounts_unless_gapless_or_named_id():
    scattered = np.random.default_rng([0, 1]).choice(10**6, 50, replace=False)
    assert kinds(pd.DataFrame({"weight": scattered, "house_id": scattered, "n": np.arange(50)[::-1]})) == {
        "weight": "number",
        "house_id": "id",
        "n": "id",
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_files_with_other_delimiters_and_a_byte_order_mark_are_read(csv_file, delimiter):
    rows = "\n".join(delimiter.join([str(i / 2), "ab"[i % 2]]) for i in range(20))
    raw = load(csv_file(f"\ufeffx{delimiter}y\n{rows}\n"), target="y")
    assert raw.classes == ("a", "b")
    assert raw.features["x"].tolist() == [i / 2 for i in range(20)]


def test_latin_1_files_are_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + "\n".join(f"{i},{'né'[i % 2]}" for i in range(20)).encode("latin-1"))
    assert load(path, target="y").classes == ("n", "é")


def test_csv_and_parquet_give_the_same_data(tmp_path, passengers):
    passengers.to_csv(tmp_path / "t.csv", index=False)
    passengers.to_parquet(tmp_path / "t.parquet")
    arrays = []
    for name in ("t.csv", "t.parquet"):
        raw = load(tmp_path / name, target="Survived")
        arrays.append(prepare(raw, split(raw, 0))[0].inputs)
    assert np.array_equal(*arrays, equal_nan=True)


def test_numbers_come_first_then_codes_with_zero_for_missing_and_unknown(passengers):
    raw = load(passengers, target="Survived")
    splits = split(raw, 0)
    development, _ = prepare(raw, splits)
    fitted = development.preprocessing
    assert fitted.input.numbers == ("Age", "Fare", "Alone")
    assert [each.name for each in fitted.input.categories] == ["Sex", "Embarked"]
    assert fitted.task.input.shape == (3,)
    assert fitted.task.input.cardinalities == (3, 4)
    new = pd.DataFrame(
        {"Fare": [1.0, 2.0], "Age": [None, 5.0], "Alone": [True, False], "Sex": ["male", "?!"], "Embarked": [None, "S"]}
    )
    assert np.array_equal(fitted.encode(new), [[np.nan, 1, 1, 2, 0], [5, 2, 0, 0, 3]], equal_nan=True)


def test_the_vocabulary_comes_from_train_rows_only_and_leaves_out_values_seen_once():
    letters = ["a", "b"] * 10 + ["once"] + ["late"] * 5
    where = ["train"] * 21 + ["val"] * 3 + ["test"] * 2
    table = pd.DataFrame({"c": letters, "x": np.arange(26) ** 1.5, "y": [0, 1] * 13, "part": where})
    raw = load(table, target="y", split="part")
    development, _ = prepare(raw, split(raw, 0))
    assert development.preprocessing.input.categories[0].values == ("a", "b")
    assert development.inputs[20:, 1].tolist() == [0, 0, 0, 0]


def test_columns_constant_over_the_train_rows_are_not_used():
    table = pd.DataFrame({"c": [1.0] * 20 + [2.0] * 10, "x": np.arange(30) ** 1.5, "y": [0, 1] * 15})
    table["part"] = ["train"] * 20 + ["val"] * 5 + ["test"] * 5
    raw = load(table, target="y", split="part")
    assert prepare(raw, split(raw, 0))[0].preprocessing.input.numbers == ("x",)


def test_encoding_takes_files_frames_and_arrays_alike(tmp_path):
    raw = load("wine")
    development, _ = prepare(raw, split(raw, 0))
    fitted = Preprocessing.from_json(development.preprocessing.to_json())
    assert fitted == development.preprocessing
    raw.features.to_csv(tmp_path / "new.csv", index=False)
    np.savez(tmp_path / "new.npz", X=raw.features.to_numpy())
    wanted = raw.features.to_numpy(dtype=np.float32)
    for rows in (tmp_path / "new.csv", str(tmp_path / "new.npz"), raw.features[raw.features.columns[::-1]], wanted):
        assert np.array_equal(fitted.encode(rows), wanted)


def test_new_rows_without_a_needed_column_are_refused_by_name():
    raw = load("wine")
    fitted = prepare(raw, split(raw, 0))[0].preprocessing
    new = raw.features.rename(columns={"alcohol": "alcohol_pct"}).drop(columns="ash")
    with pytest.raises(DataError, match=r"The frame lacks the columns 'alcohol', 'ash' that the network needs"):
        fitted.encode(new)
    with pytest.raises(DataError, match=r"The network takes 13 columns, but the array has the shape \(2, 5\)"):
        fitted.encode(np.zeros((2, 5)))
    with pytest.raises(DataError, match="'alcohol' of The frame must hold numbers, but holds 'strong'"):
        fitted.encode(raw.features.astype(object).assign(alcohol="strong"))


def test_words_for_missing_are_missing_in_new_rows_too():
    raw = load("wine")
    fitted = prepare(raw, split(raw, 0))[0].preprocessing
    assert np.isnan(fitted.encode(raw.features.astype(object).assign(ash="?"))[:, 2]).all()


def test_numbers_that_are_declared_categories_stay_categories():
    codes = pd.Series([3, 7] * 20, dtype="category")
    raw = load(pd.DataFrame({"zone": codes, "x": np.arange(40) ** 1.5, "y": [0, 1] * 20}), target="y")
    fitted = prepare(raw, split(raw, 0))[0].preprocessing
    assert fitted.input.categories[0].values == ("3", "7")
    assert fitted.encode(pd.DataFrame({"zone": [7, 8], "x": [1, 2]}))[:, 1].tolist() == [2, 0]


def test_date_objects_and_decimals_are_recognised():
    dates = pd.Series([date(2020, 1, day) for day in range(1, 31)])
    assert kinds(pd.DataFrame({"d": dates, "m": [Decimal(n) / 7 for n in range(30)]})) == {"d": "date", "m": "number"}


def test_columns_of_lists_are_kept_apart():
    frame = pd.DataFrame({"tags": [["a"], ["b", "c"]] * 10, "x": np.arange(20) ** 1.5, "y": [0, 1] * 10})
    raw = load(frame, target="y")
    assert [(column.kind, column.reason) for column in raw.columns[:1]] == [("other", "holds list objects")]
    assert profile(raw, split(raw, 0)).duplicates == 0


def test_several_target_columns_of_zero_and_one_are_multi_label():
    rng = np.random.default_rng([0, 2])
    table = pd.DataFrame({"x": rng.random(60), "wet": rng.integers(0, 2, 60), "cold": rng.integers(0, 2, 60)})
    raw = load(table, target=["wet", "cold"])
    assert (raw.kind, raw.classes, raw.metric) == ("multi-label", ("wet", "cold"), "macro-f1")
    assert prepare(raw, split(raw, 0))[0].targets.dtype == np.float32


def test_rows_with_a_missing_target_are_left_out_and_counted():
    table = pd.DataFrame({"x": np.arange(40) ** 1.5, "y": [1, 0, None, 1] * 10})
    raw = load(table, target="y")
    assert raw.rows == 30
    assert raw.dropped_rows == {"target missing": 10}
    assert raw.classes == ("0", "1")


def test_dropped_columns_are_not_seen(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "leak": [0, 1, 0, 1], "b": [4, 3, 2, 1], "y": ["n", "p", "n", "p"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for source in (tmp_path / "t.csv", frame):
        assert list(load(source, target="y", drop=["leak", "b"]).features) == ["a"]
    with pytest.raises(DataError, match=r"has no column 'leek' to drop\..*leak"):
        load(frame, target="y", drop=["leek"])
    with pytest.raises(DataError, match="no column 'y' to drop"):
        load(frame, target="y", drop=["y"])
    with pytest.raises(DataError, match="no column left to predict the target from: all are dropped"):
        load(frame, target="y", drop=["a", "b", "leak"])
    with pytest.raises(DataError, match="`drop` names columns, and digits has none"):
        load("digits", drop=["x1"])
