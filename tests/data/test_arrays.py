"""Arrays and .npz files: what the axes mean."""

import numpy as np
import pandas as pd
import pytest
import torch

from nasturtium.data import load, prepare, split
from nasturtium.data.preprocessing import Preprocessing
from nasturtium.data.shapes import arrange
from nasturtium.errors import DataError

RNG = np.random.default_rng([5, 0])


@pytest.mark.parametrize(
    ("shape", "dtype", "modality", "kind", "row"),
    [
        ((6, 5), float, None, "table", (5,)),
        ((6,), float, None, "table", (1,)),
        ((6, 28, 28), float, None, "image", (1, 28, 28)),
        ((6, 28, 20), np.uint8, None, "image", (1, 28, 20)),
        ((6, 3, 100), np.uint8, None, "image", (1, 3, 100)),
        ((6, 128, 9), float, None, "sequence", (9, 128)),
        ((6, 9, 128), float, None, "sequence", (9, 128)),
        ((6, 28, 28), float, "sequence", "sequence", (28, 28)),
        ((6, 9, 128), float, "image", "image", (1, 9, 128)),
        ((6, 32, 30, 3), np.uint8, None, "image", (3, 32, 30)),
        ((6, 3, 32, 30), np.uint8, None, "image", (3, 32, 30)),
        ((6, 1, 8, 8), float, None, "image", (1, 8, 8)),
        ((6, 3, 32, 3), float, None, "image", (3, 32, 3)),
        ((6, 4, 4, 3), float, None, "image", (3, 4, 4)),
        ((6, 16, 9, 9), float, None, "image", (16, 9, 9)),
        ((6, 9, 9, 16), float, None, "image", (16, 9, 9)),
        ((6, 64), float, "image", "image", (1, 8, 8)),
        ((6, 150), float, "sequence", "sequence", (1, 150)),
        ((6, 4, 5), float, "table", "table", (20,)),
    ],
)
def test_axes_are_told_apart(shape, dtype, modality, kind, row):
    found, arranged = arrange((RNG.random(shape) * 255).astype(dtype), modality)
    assert (found, arranged.shape[1:]) == (kind, row)


def test_channels_last_are_moved_not_reshaped():
    images = RNG.integers(0, 255, (5, 9, 12, 3), dtype=np.uint8)
    assert np.array_equal(arrange(images)[1], images.transpose(0, 3, 1, 2))


def test_whole_numbers_of_eight_bits_are_kept_as_bytes():
    assert arrange(np.full((2, 8, 8), 255, dtype=np.int64))[1].dtype == np.uint8
    assert arrange(np.full((2, 8, 8), 256, dtype=np.int64))[1].dtype == np.float32
    assert arrange(np.ones((2, 8, 8)))[1].dtype == np.float32


@pytest.mark.parametrize(
    "keys", [("X", "y"), ("x", "Y"), ("data", "target"), ("images", "labels"), ("features", "label")]
)
def test_npz_keys_are_found_by_usual_names(tmp_path, keys):
    np.savez(tmp_path / "a.npz", **{keys[0]: RNG.random((20, 4)), keys[1]: np.arange(20) % 2})
    assert load(tmp_path / "a.npz").rows == 20


@pytest.mark.parametrize("form", ["{}_{}", "{}{}", "{1}_{0}"])
def test_npz_with_train_and_test_arrays_brings_its_own_split(tmp_path, form):
    held = {
        form.format("X", "train"): RNG.random((40, 4)),
        form.format("y", "train"): np.arange(40) % 2,
        form.format("X", "test"): RNG.random((10, 4)),
        form.format("y", "test"): np.arange(10) % 2,
    }
    np.savez(tmp_path / "a.npz", **held)
    parts = split(load(tmp_path / "a.npz"), 0)
    assert parts.test.tolist() == list(range(40, 50))
    assert (len(parts.train), len(parts.validation)) == (30, 10)


def test_roles_of_an_npz_name_keys(tmp_path):
    np.savez(tmp_path / "a.npz", X=RNG.random((30, 4)), y=np.arange(30) % 2, who=np.arange(30) // 3)
    raw = load(tmp_path / "a.npz", group="who")
    assert raw.groups.tolist() == (np.arange(30) // 3).tolist()


def test_tensors_lists_and_arrays_are_alike():
    x, y = RNG.random((20, 4)), np.arange(20) % 2
    loaded = [load(pair) for pair in ((x, y), (torch.tensor(x), torch.tensor(y)), (x.tolist(), y.tolist()))]
    assert all(np.array_equal(raw.features, loaded[0].features) for raw in loaded)


def test_new_arrays_are_encoded_in_the_units_and_axes_of_training(tmp_path):
    images = RNG.integers(0, 256, (40, 8, 10, 3), dtype=np.uint8)
    raw = load((images, np.arange(40) % 2))
    fitted = prepare(raw, split(raw, 0))[0].preprocessing
    fitted = Preprocessing.from_json(fitted.to_json())
    wanted = images.transpose(0, 3, 1, 2)
    np.savez(tmp_path / "new.npz", images)
    for rows in (images, wanted, images.astype(float), tmp_path / "new.npz"):
        assert np.array_equal(fitted.encode(rows), wanted)
    assert np.array_equal(fitted.encode(images[0]), wanted[:1])
    with pytest.raises(DataError, match=r"takes rows of the shape \(3, 8, 10\), but .* \(4, 9, 10\)"):
        fitted.encode(np.zeros((4, 9, 10)))


def test_new_sequences_are_encoded():
    series = RNG.normal(size=(30, 50, 2))
    raw = load((series, np.arange(30) % 2))
    fitted = prepare(raw, split(raw, 0))[0].preprocessing
    assert np.array_equal(fitted.encode(series), series.transpose(0, 2, 1).astype(np.float32))


def test_pixels_in_the_columns_of_a_table_are_images_if_asked(tmp_path):
    pixels = RNG.integers(0, 256, (40, 64))
    table = pd.DataFrame(pixels, columns=[f"p{n}" for n in range(64)])
    table.assign(digit=np.arange(40) % 2).to_csv(tmp_path / "t.csv", index=False)
    raw = load(tmp_path / "t.csv", target="digit", modality="image")
    fitted = prepare(raw, split(raw, 0))[0].preprocessing
    table.to_csv(tmp_path / "new.csv", index=False)
    wanted = pixels.reshape(40, 1, 8, 8)
    assert np.array_equal(raw.features, wanted)
    assert np.array_equal(fitted.encode(tmp_path / "new.csv"), wanted)
    assert np.array_equal(fitted.encode(table), wanted)
