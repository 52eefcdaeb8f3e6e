"""Folders of images: one sub-folder per class, or `train/ val/ test/` folders of such."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from nasturtium.data.pixels import decode, in_threads
from nasturtium.data.raw import Found, Images, Roles
from nasturtium.errors import DataError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
TOLERATED_SHARE = 0.01
PART_FOLDERS = ("train", "training", "val", "valid", "validation", "test", "testing")

Pixels = UInt8[np.ndarray, "height width channels"]
Described = tuple[Path | Pixels, tuple[int, int], bool, int]


def read_folder(folder: Path) -> Found:
    """Decodes every image once, to check and describe it. Hidden files and files of other kinds are left aside.

    Up to 1 % of the images may be corrupt: they are left out, counted and named. Raises `DataError` beyond that, and
    for a folder without classes or images.
    """
    parts = _parts(folder)
    files, labels, words, empty = [], [], [], []
    for part, place in parts.items():
        for label in _sub_folders(place):
            inside = list_images(label)
            if not inside:
                empty.append(str(label.relative_to(folder)))
            files += inside
            labels += [label.name] * len(inside)
            words += [part] * len(inside)
    if not files:
        kinds = ", ".join(IMAGE_SUFFIXES)
        raise DataError(f"The folder {str(folder)!r} has no sub-folders with images ({kinds}), one for each class.")
    described, corrupt = _describe_all(files, folder)
    good = [number for number, entry in enumerate(described) if entry is not None]
    names = tuple(sorted(set(labels)))
    numbers = {name: number for number, name in enumerate(names)}
    return Found(
        folder.resolve().name,
        stack_images([entry for entry in described if entry is not None]),
        np.array([numbers[labels[number]] for number in good]),
        "folder",
        names,
        Roles(split=np.array(words)[good]) if "" not in parts else Roles(),
        notes=corrupt + tuple(f"The sub-folder {name} holds no images" for name in empty),
    )


def list_images(folder: Path) -> list[Path]:
    """Image files below a folder in the order of their paths, hidden ones left out."""
    try:
        inside = sorted(folder.rglob("*"))
    except OSError as error:
        raise DataError(f"The folder {str(folder)!r} cannot be read: {error.strerror}.") from error
    return [
        file for file in inside if file.suffix.lower() in IMAGE_SUFFIXES and _shown(file, folder) and file.is_file()
    ]


def _shown(file: Path, folder: Path) -> bool:
    return not any(part.startswith(".") for part in file.relative_to(folder).parts)


def _sub_folders(folder: Path) -> list[Path]:
    try:
        return sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith((".", "__")))
    except OSError as error:
        raise DataError(f"The folder {str(folder)!r} cannot be read: {error.strerror}.") from error


def _parts(folder: Path) -> dict[str, Path]:
    """`{"": folder}`, or the folders of the user's own split if there are no others."""
    inside = _sub_folders(folder)
    own = {place.name.lower(): place for place in inside}
    split = len(inside) > 1 and set(own) <= set(PART_FOLDERS) and any(name.startswith("train") for name in own)
    return own if split and all(_sub_folders(place) for place in inside) else {"": folder}


def _describe_all(files: Sequence[Path], folder: Path) -> tuple[list[Described | None], tuple[str, ...]]:
    described = in_threads(_describe, files)
    corrupt = [str(file.relative_to(folder)) for file, entry in zip(files, described, strict=True) if entry is None]
    if not corrupt:
        return described, ()
    shown = ", ".join(corrupt[:3]) + (" …" if len(corrupt) > 3 else "")
    if len(corrupt) > TOLERATED_SHARE * len(files):
        raise DataError(
            f"{len(corrupt):,} of {len(files):,} images cannot be decoded ({shown}); at most 1 % may be. "
            f"Mend or remove them."
        )
    return described, (f"{len(corrupt):,} corrupt images left out: {shown}",)


def _describe(file: Path) -> Described | None:
    """None if the file cannot be decoded."""
    try:
        pixels = decode(file)
    except DataError:
        return None
    return (file, *_facts(pixels))


def _facts(pixels: Pixels) -> tuple[tuple[int, int], bool, int]:
    grey = pixels.shape[2] == 1 or bool((pixels == pixels[..., :1]).all())
    plain = np.ascontiguousarray(pixels[..., :1] if grey else pixels)
    key = blake2b(repr(plain.shape).encode() + plain.tobytes(), digest_size=8).digest()
    return pixels.shape[:2], grey, int.from_bytes(key, "little")


def image_of_pixels(picture: Any) -> Described:
    """A PIL image, kept as pixels."""
    pixels = decode(picture)
    return (pixels, *_facts(pixels))


def stack_images(described: Iterable[Described]) -> Images:
    items, sizes, grey, digests = zip(*described, strict=True)
    return Images(items, np.array(sizes), np.array(grey), np.array(digests, dtype=np.uint64))
