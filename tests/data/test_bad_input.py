"""What cannot be used is refused in one or two sentences that name the value and the mend."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nasturtium.data import load
from nasturtium.errors import DataError

X, Y = np.random.default_rng([1]).random((20, 3)), np.arange(20) % 2


def refused(message: str, *args, **options) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(*args, **options)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def frame(**more) -> pd.DataFrame:
    return pd.DataFrame({"width": np.arange(20) ** 1.5, "kind": ["a", "b"] * 10, **more})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("digit", "There is no file, folder or bundled data set 'digit'. Did you mean 'digits'?"),
        ("breast-cancr", "Did you mean 'breast_cancer'?"),
        ("zzz", "Known: breast_cancer, diabetes, digits, iris, wine."),
        ("absent.csv", "There is no file or folder 'absent.csv'"),
        ("some/where", "There is no file or folder 'some/where'"),
        (Path("digits"), "There is no file or folder 'digits'"),
        (42, "A source of the type int cannot be read. Give a path"),
        (None, "A source of the type NoneType cannot be read"),
        ([1, 2], "A source of the type list cannot be read"),
    ],
)
def test_sources_that_are_not_there_or_of_no_known_type(source, message):
    refused(message.replace("?", r"\?"), source)


def test_files_that_are_no_data(tmp_path, csv_file):
    other = tmp_path / "notes.docx"
    other.write_text("x")
    refused("'notes.docx' is of no known kind. Give a folder of images, or a .csv", other)
    refused("is empty", csv_file(""), target="y")
    refused("t.csv has no rows", csv_file("x,y\n", "t.csv"), target="y")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"nothing")
    refused("broken.parquet' cannot be read as a table: ", broken, target="y")
    fake = tmp_path / "fake.npz"
    fake.write_bytes(b"nothing")
    refused("fake.npz cannot be read as .npz", fake)
    refused("long.csv' cannot be read as a table", csv_file("a,y\n1,2,3\n1,2,3\n", "long.csv"), target="y")
    refused(
        "ragged.csv' cannot be read as a table: .*EOF inside",
        csv_file('a,y\n"1,2\n', "ragged.csv"),
        target="y",
    )


def test_an_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "locked.csv"
    path.write_text("x,y\n1,2\n")

    def locked(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)  # root may read everything, so a mode alone would not do
    refused("locked.csv' cannot be read as a table: .*Permission denied", path, target="y")


def test_folders_without_images(tmp_path):
    refused("has no sub-folders with images", tmp_path)
    (tmp_path / "cats").mkdir()
    refused("has no sub-folders with images", tmp_path)


def test_targets_that_are_not_there():
    refused(
        "Which column of the frame is the target\\? Name it with --target \\(`target=` in Python\\). "
        "Columns: width, kind",
        frame(),
    )
    refused("the frame has no column 'widht' for `target`. Did you mean 'width'\\?", frame(), target="widht")
    refused("the frame has no column 'g' for `group`", frame(), target="kind", group="g")
    refused("The column 'kind' cannot be `target` and `group` at once", frame(), target="kind", group="kind")
    refused("has no column left to predict the target from", frame()[["kind"]], target="kind")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([None] * 20, "The target 't' of the frame is missing in every row"),
        (["a"] * 20, "The target 't' holds one class only, 'a'"),
        (["a"] * 19 + ["b"], "The class 'b' of the target 't' has one example only"),
        ([1.5, np.inf] + [2.5] * 18, "The target 't' is NaN or infinite in 1 of 20 rows"),
        ([1.5] * 20, "The target 't' is 1.5 in every row"),
    ],
)
def test_targets_that_cannot_be_learnt(values, message):
    refused(message, frame(t=values), target="t")


def test_amounts_in_arrays_must_be_finite():
    refused(r"The target 'target' is missing \(NaN\) in 1 of 20 rows", (X, np.r_[np.nan, X[1:, 0]]))
    refused("The target 'target' is NaN or infinite in 1 of 20 rows", (X, np.r_[np.inf, X[1:, 0]]))
    refused("Regression needs numbers, but the target 'kind' holds text", frame(), target="kind", task="regression")


def test_shapes_that_disagree(tmp_path):
    refused("X has 20 rows, but y has 19. They must agree", (X, Y[:19]))
    refused("X has 20 rows, but group has 3. They must agree", (X, Y), group=np.arange(3))
    refused(r"y has the shape \(20, 1, 1\)", (X, Y.reshape(20, 1, 1)))
    refused(r"X has 5 axes \(shape \(2, 2, 2, 2, 2\)\)", (np.zeros((2,) * 5), [0, 1]))
    refused(r"Which axis of X \(shape \(20, 9, 8, 7\)\) are the channels", (np.zeros((20, 9, 8, 7)), Y))
    refused("X is empty", (np.zeros((20, 0)), Y))
    refused("the arrays has no rows|X is empty", (np.zeros((0, 3)), []))
    refused("3 columns are no square image", (X, Y), modality="image")
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X[:, :2], y_test=Y)
    refused("The parts of a.npz have rows of different shapes", tmp_path / "a.npz")


def test_values_that_are_not_finite():
    refused("The column 'w' of the frame is infinite .* in 1 rows", frame(w=[np.inf] + [1.5] * 19), target="kind")
    refused("The column 'w' of the frame is infinite", frame(w=[1e39] + [1.5] * 19), target="kind")
    images = np.zeros((20, 8, 8))
    images[3, 0, 0] = np.nan
    refused("X holds NaN or infinite values in 1 of 20 rows", (images, Y))


def test_duplicated_columns(csv_file):
    refused("table.csv has more than one column named 'x'", csv_file("x,y,x\n1,2,3\n"), target="y")
    twice = pd.DataFrame(np.ones((4, 2)), columns=["x", "x"])
    refused("The frame has more than one column named 'x'", twice, target="x")


def test_options_that_do_not_exist(csv_file):
    refused("There is no task 'clasification'. Did you mean 'classification'", (X, Y), task="clasification")
    refused("There is no modality 'images'. Did you mean 'image'", (X, Y), modality="images")
    refused("Split by `group` or by `time`, not by both", frame(), target="kind", group="width", time="width")
    refused("`group` names a column, and digits has none", "digits", group="x")
    refused("`image_size` is for image files", "digits", image_size=8)
    refused("The split column holds 'holdout'", frame(s=["holdout"] * 20), target="kind", split="s")
    refused("The time column cannot be read as numbers or dates in 20", frame(s=[*"xy"] * 10), target="kind", time="s")
    refused("`group` is 'who', but arrays have no column names", (X, Y), group="who")


def test_arrays_of_objects_and_absent_keys(tmp_path):
    np.savez(tmp_path / "objects.npz", X=np.array([{}, None] * 10), y=Y)
    refused("The array 'X' of objects.npz holds Python objects, which cannot be read safely", tmp_path / "objects.npz")
    np.savez(tmp_path / "keys.npz", stuff=X, y=Y)
    refused("keys.npz has no array 'X' .*It holds: stuff, y", tmp_path / "keys.npz")
    np.savez(tmp_path / "keys.npz", X=X, colour=Y)
    refused("keys.npz has no array 'y' .*It holds: X, colour", tmp_path / "keys.npz")
    refused("keys.npz has no array 'color'. Did you mean 'colour'", tmp_path / "keys.npz", target="color")
    refused("keys.npz has no array 'who' for `group`", tmp_path / "keys.npz", target="colour", group="who")
    np.savez(tmp_path / "half.npz", X_train=X, y_train=Y, X_test=X)
    refused("half.npz has 'X_test' but no target for it, such as 'y_test'", tmp_path / "half.npz")
    refused("X must hold numbers, not <U1", (np.array([["a"]] * 20), Y))


def test_images_are_no_table_and_text_is_no_image(tmp_path):
    with_text = frame(word=["x", "y"] * 10)
    refused("The column 'word' of the frame does not hold numbers", with_text, target="kind", modality="image")
    Image.new("L", (9, 9)).save(tmp_path / "0.png")
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(2):
            Image.new("L", (9, 9)).save(tmp_path / label / f"{number}.png")
    refused("holds images; it cannot be read as 'table'", tmp_path, modality="table")
