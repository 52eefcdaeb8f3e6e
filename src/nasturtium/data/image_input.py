"""Image files to `[rows, channels, height, width]` uint8."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from nasturtium.data.array_input import encode_arrays
from nasturtium.data.pixels import decode, fit, in_threads
from nasturtium.data.raw import Images
from nasturtium.data.sources.images import IMAGE_SUFFIXES, list_images
from nasturtium.errors import DataError
from nasturtium.task import Signal

SIZE_CAP = 64
LEAST_SIDE = 8
Pictures = UInt8[np.ndarray, "rows channels height width"]


@dataclass(frozen=True)
class ImageInput:
    """channels: 1 grey, 3 colour. height, width: pixels that every image is brought to."""

    channels: int
    height: int
    width: int

    @property
    def signal(self) -> Signal:
        return Signal("image", (self.channels, self.height, self.width))

    @staticmethod
    def from_fields(fields: dict[str, Any]) -> "ImageInput":
        return ImageInput(**fields)

    def encode(self, rows: Any) -> Pictures:
        """A file, a folder, PIL images in a list, an `.npz`, or an array of this size."""
        if isinstance(rows, str | Path) and Path(rows).suffix.lower() != ".npz":
            return self.decoded(image_files(Path(rows)))
        if hasattr(rows, "getexif"):
            return self.decoded([rows])
        if isinstance(rows, list) and rows and all(hasattr(row, "getexif") for row in rows):
            return self.decoded(rows)
        return encode_arrays(rows, "image", self.signal.shape, "uint8")

    def decoded(self, items: Any) -> Pictures:
        """Files, PIL images or pixels `[height, width, channels]` in this size and colour."""
        return np.stack(in_threads(self._one, items))

    def _one(self, item: Any) -> UInt8[np.ndarray, "channels height width"]:
        return fit(item if isinstance(item, np.ndarray) else decode(item), self.channels, (self.height, self.width))


def image_files(path: Path) -> list[Path]:
    """The image files at a path: the file itself, or those below a folder in the order of their paths."""
    if not path.exists():
        raise DataError(f"There is no file or folder {str(path)!r}.")
    files = list_images(path) if path.is_dir() else [path]
    if not files:
        raise DataError(f"The folder {str(path)!r} holds no images ({', '.join(IMAGE_SUFFIXES)}).")
    return files


def fit_image_input(images: Images, train: Int[np.ndarray, " rows"], asked: tuple[int, int] | None) -> ImageInput:
    """Grey if all training images are; the size that they share, if no side is over 64; else a square.

    The square's side is the median of all sides of the training images, rounded, from 8 to 64.
    """
    sizes = images.sizes[train]
    channels = 1 if bool(images.grey[train].all()) else 3
    if asked is not None:
        return ImageInput(channels, *asked)
    if (sizes == sizes[0]).all() and sizes[0].min() >= LEAST_SIDE and sizes[0].max() <= SIZE_CAP:
        return ImageInput(channels, int(sizes[0, 0]), int(sizes[0, 1]))
    side = int(np.clip(round(float(np.median(sizes))), LEAST_SIDE, SIZE_CAP))
    return ImageInput(channels, side, side)
