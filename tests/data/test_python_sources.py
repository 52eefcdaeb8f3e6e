"""Frames, torch data sets and Hugging Face data sets."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, TensorDataset

from nasturtium.data import load, prepare, split
from nasturtium.errors import DataError

RNG = np.random.default_rng([13, 0])


class Pictures(Dataset):
    """Like torchvision's: PIL images, class numbers, `classes`."""

    classes = ("cat", "dog")

    def __init__(self, shapes):
        self.pixels = [RNG.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, number):
        return Image.fromarray(self.pixels[number]), number % 2


class FakeHub:
    """What we rely on of `datasets.Dataset`."""

    def __init__(self, columns, features):
        self.columns, self.features = columns, features

    @property
    def column_names(self):
        return list(self.columns)

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key):
        return self.columns[key]

    def to_pandas(self):
        return pd.DataFrame(self.columns)


class ClassLabel(SimpleNamespace):
    pass


def hub(rows, offset=0):
    pictures = [Image.fromarray(RNG.integers(0, 256, (10, 10), dtype=np.uint8)) for _ in range(rows)]
    labels = [(number + offset) % 2 for number in range(rows)]
    features = {"image": type("Image", (), {})(), "label": ClassLabel(names=["cat", "dog"])}
    return FakeHub({"image": pictures, "label": labels}, features)


def test_pandas_and_polars_frames_are_alike(passengers):
    polars = pytest.importorskip("polars")
    pandas_raw = load(passengers, target="Survived")
    polars_raw = load(polars.from_pandas(passengers), target="Survived")
    arrays = [prepare(raw, split(raw, 0))[0].inputs for raw in (pandas_raw, polars_raw)]
    assert np.array_equal(*arrays, equal_nan=True)
    lazy = polars.from_pandas(passengers).lazy()
    assert load(lazy, target="Survived").target.tolist() == pandas_raw.target.tolist()
    answers = polars.Series("Survived", passengers["Survived"])
    pair = load((polars.from_pandas(passengers.drop(columns="Survived")), answers))
    assert pair.target.tolist() == pandas_raw.target.tolist()
    assert pair.target_name == "Survived"


def test_a_frame_and_a_series_are_matched_by_position(passengers):
    shuffled = passengers["Survived"].set_axis(np.arange(300)[::-1])
    raw = load((passengers.drop(columns="Survived"), shuffled))
    assert raw.target.tolist() == passengers["Survived"].tolist()


def test_groups_of_a_frame_may_be_given_as_values(passengers):
    assert load(passengers, target="Survived", group=np.arange(300) // 3).groups.max() == 99


def test_torch_tensors_arrive_as_arrays():
    x, y = torch.randn(30, 3, 8, 8), torch.arange(30) % 3
    raw = load(TensorDataset(x, y))
    assert raw.modality == "image"
    assert np.array_equal(raw.features, x.numpy())
    assert raw.target.tolist() == y.tolist()


def test_torch_pictures_of_mixed_sizes_are_resized():
    raw = load(Pictures([(8, 8), (8, 8), (12, 16)] * 10))
    assert raw.classes == ("cat", "dog")
    assert prepare(raw, split(raw, 0))[0].task.input.shape == (1, 8, 8)


def test_hugging_face_images_are_read():
    raw = load(hub(30))
    assert (raw.modality, raw.classes, raw.target_name) == ("image", ("cat", "dog"), "label")


def test_a_dict_of_hugging_face_splits_is_the_users_split():
    parts = split(load({"train": hub(30), "test": hub(10)}), 0)
    assert parts.test.tolist() == list(range(30, 40))


def test_hugging_face_tables_are_read():
    columns = {"x": RNG.random(40).tolist(), "kind": ["a", "b"] * 20, "label": [0, 1] * 20}
    raw = load(FakeHub(columns, {"x": None, "kind": None, "label": ClassLabel(names=["no", "yes"])}))
    assert (raw.modality, raw.classes) == ("table", ("no", "yes"))
    with pytest.raises(DataError, match="has no column 'lable'"):
        load(FakeHub(columns, {"x": None, "kind": None, "label": None}), target="lable")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "The data set list_ has no rows"),
        ([(np.zeros(3), 0), (np.zeros(4), 1)], "Items of the data set list_ differ in shape"),
        ([np.zeros(3), np.ones(3)], r"must be pairs \(x, y\), not ndarray"),
    ],
)
def test_torch_data_sets_of_other_forms_are_refused(items, message):
    kind = type("list_", (), {"__len__": lambda self: len(items), "__getitem__": lambda self, n: items[n]})
    with pytest.raises(DataError, match=message):
        load(kind())
