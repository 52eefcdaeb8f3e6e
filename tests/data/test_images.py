"""Folders of images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasturtium.data import image_files, load, prepare, profile, split
from nasturtium.data.pixels import decode
from nasturtium.data.preprocessing import Preprocessing
from nasturtium.errors import DataError

RNG = np.random.default_rng([9, 0])


def write(path: Path, pixels: np.ndarray, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def random_pixels(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def fill(folder: Path, count: int = 10, shape: tuple[int, ...] = (12, 12), classes: str = "ab") -> Path:
    for label in classes:
        for number in range(count):
            write(folder / label / f"{number:03}.png", random_pixels(*shape))
    return folder


def development_of(folder: Path, **options):
    raw = load(folder, **options)
    return prepare(raw, split(raw, 0))[0]


def test_a_folder_of_digits_gives_the_pixels_back(tmp_path):
    raw = load("digits")
    for row in range(200):
        write(tmp_path / str(raw.target[row]) / f"{row:04}.png", raw.features[row, 0])
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "0" / ".DS_Store").write_text("x")
    (tmp_path / "0" / "notes.txt").write_text("x")
    found = load(tmp_path)
    assert (found.rows, found.modality, found.kind) == (200, "image", "classification")
    assert found.classes == tuple("0123456789")
    development, sealed = prepare(found, split(found, 0))
    assert development.task.input.shape == (1, 8, 8)
    pixels = np.concatenate([development.inputs, sealed.open("test")[0]])
    assert sorted(row.tobytes() for row in pixels) == sorted(row.tobytes() for row in raw.features[:200])


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "bmp", "PNG"])
def test_every_format_is_read(tmp_path, suffix):
    for label, value in (("dark", 20), ("light", 220)):
        for number in range(5):
            write(tmp_path / label / f"{number}.{suffix}", np.full((9, 9, 3), value + number, dtype=np.uint8))
    development = development_of(tmp_path)
    assert development.task.input.shape == (1, 9, 9)
    assert np.abs(development.inputs.reshape(len(development), -1).mean(1) - (22 + 200 * development.targets)).max() < 4


def test_mixed_sizes_become_a_square_of_the_median_side(tmp_path):
    fill(tmp_path, 10, (20, 20, 3), "a")
    fill(tmp_path, 10, (30, 40, 3), "b")
    fill(tmp_path, 10, (20, 20, 3), "c")
    assert development_of(tmp_path).task.input.shape == (3, 20, 20)


def test_large_images_are_capped_at_64_unless_asked(tmp_path):
    fill(tmp_path, 5, (100, 100))
    assert development_of(tmp_path).task.input.shape == (1, 64, 64)
    assert development_of(tmp_path, image_size=80).task.input.shape == (1, 80, 80)
    assert development_of(tmp_path, image_size=(10, 20)).task.input.shape == (1, 10, 20)


def test_equal_sizes_keep_their_shape(tmp_path):
    assert development_of(fill(tmp_path, 5, (10, 14))).task.input.shape == (1, 10, 14)


def test_one_colour_image_in_training_makes_three_channels(tmp_path):
    fill(tmp_path / "train", 5)
    fill(tmp_path / "test", 5)
    write(tmp_path / "test" / "a" / "colour.png", random_pixels(12, 12, 3))
    assert development_of(tmp_path).task.input.shape[0] == 1
    for number in range(4):  # a quarter of these rows is carved off for validation: some stay in training
        write(tmp_path / "train" / "a" / f"colour{number}.png", random_pixels(12, 12, 3))
    assert development_of(tmp_path).task.input.shape[0] == 3


def test_train_val_and_test_folders_are_the_users_split(tmp_path):
    for part, count in (("train", 6), ("val", 3), ("test", 2)):
        fill(tmp_path / part, count)
    parts = split(load(tmp_path), 0)
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [12, 6, 4]
    assert parts.how == "the user's own"


def test_sub_folders_without_images_are_named(tmp_path):
    fill(tmp_path, 5)
    (tmp_path / "empty").mkdir()
    assert load(tmp_path).notes == ("The sub-folder empty holds no images",)


def test_classes_that_are_called_train_and_test_without_sub_folders_are_classes(tmp_path):
    fill(tmp_path, 5, classes=("train", "tram"))
    assert load(tmp_path).classes == ("train", "tram")


def test_orientation_in_exif_is_obeyed(tmp_path):
    pixels = np.zeros((8, 16, 3), dtype=np.uint8)
    pixels[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    write(tmp_path / "a.png", pixels, exif=exif)
    turned = decode(tmp_path / "a.png")
    assert turned.shape == (16, 8, 3)
    assert turned[:8].min() == 255
    assert turned[8:].max() == 0


def test_transparency_lies_on_white_and_palettes_are_resolved(tmp_path):
    rgba = np.zeros((4, 4, 4), dtype=np.uint8)
    rgba[:2, :, 3] = 255
    write(tmp_path / "alpha.png", rgba)
    seen = decode(tmp_path / "alpha.png")
    assert seen.shape == (4, 4, 3)
    assert (seen[:2].max(), seen[2:].min()) == (0, 255)
    Image.fromarray(random_pixels(6, 6, 3)).quantize(4).save(tmp_path / "palette.png")
    Image.fromarray(random_pixels(6, 6)).convert("1").save(tmp_path / "bits.png")
    assert decode(tmp_path / "palette.png").shape == (6, 6, 3)
    assert set(decode(tmp_path / "bits.png").ravel()) <= {0, 255}


def test_sixteen_bit_grey_keeps_its_range(tmp_path):
    Image.fromarray(np.array([[0, 65535], [32896, 257]], dtype=np.uint16)).save(tmp_path / "deep.png")
    assert decode(tmp_path / "deep.png")[..., 0].tolist() == [[0, 255], [128, 1]]


def test_few_corrupt_images_are_left_out_counted_and_named(tmp_path):
    fill(tmp_path, 100)
    (tmp_path / "a" / "050.png").write_bytes(b"no image")
    whole = (tmp_path / "b" / "007.png").read_bytes()
    (tmp_path / "b" / "007.png").write_bytes(whole[: len(whole) // 2])
    raw = load(tmp_path)
    assert raw.rows == 198
    assert raw.notes == ("2 corrupt images left out: a/050.png, b/007.png",)
    assert "2 corrupt images left out" in "\n".join(profile(raw).lines())


def test_more_than_one_in_a_hundred_corrupt_images_are_refused(tmp_path):
    fill(tmp_path, 100)
    for number in range(3):
        (tmp_path / "a" / f"{number:03}.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"3 of 200 images cannot be decoded \(a/000.png, a/001.png, a/"):
        load(tmp_path)


def test_copies_of_an_image_are_found_whatever_their_format(tmp_path):
    fill(tmp_path, 8)
    pixels = np.asarray(Image.open(tmp_path / "a" / "003.png"))
    write(tmp_path / "a" / "copy.bmp", np.stack([pixels] * 3, axis=2))
    raw = load(tmp_path)
    assert profile(raw).duplicates == 1
    parts = split(raw, 0)
    assert profile(raw, parts).across == 0


def test_new_images_are_encoded_from_files_folders_and_arrays(tmp_path):
    development = development_of(fill(tmp_path / "data", 5, (12, 12, 3)))
    fitted = Preprocessing.from_json(development.preprocessing.to_json())
    new = tmp_path / "new"
    for name, shape in (("b.png", (12, 12, 3)), ("a.png", (30, 20)), ("sub/c.jpg", (12, 12, 3))):
        write(new / name, random_pixels(*shape))
    assert [file.name for file in image_files(new)] == ["a.png", "b.png", "c.jpg"]
    encoded = fitted.encode(new)
    assert encoded.shape == (3, 3, 12, 12)
    assert encoded.dtype == np.uint8
    assert np.array_equal(fitted.encode(new / "b.png"), encoded[1:2])
    assert np.array_equal(fitted.encode(Image.open(new / "b.png")), encoded[1:2])
    pixels = np.asarray(Image.open(new / "b.png"))
    assert np.array_equal(fitted.encode(pixels), encoded[1:2])
    with pytest.raises(DataError, match=r"There is no file or folder"):
        fitted.encode(tmp_path / "absent.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no images"):
        fitted.encode(tmp_path / "empty")


def test_a_network_of_eight_bit_arrays_takes_image_files_but_one_of_floats_refuses(tmp_path):
    write(tmp_path / "a.png", random_pixels(8, 8))
    images, target = random_pixels(40, 8, 8), np.arange(40) % 2
    raw = load((images, target))
    fitted = prepare(raw, split(raw, 0))[0].preprocessing
    assert np.array_equal(fitted.encode(tmp_path / "a.png")[0, 0], np.asarray(Image.open(tmp_path / "a.png")))
    raw = load((images / 255.0, target))
    with pytest.raises(DataError, match=r"trained on arrays of the shape \(1, 8, 8\); give it an .npz or an array"):
        prepare(raw, split(raw, 0))[0].preprocessing.encode(tmp_path / "a.png")
