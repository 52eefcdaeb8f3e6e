"""Image files to pixels, the same way in training and in prediction."""

import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Shaped, UInt8

from nasturtium.errors import DataError

DECODING_THREADS = 4

Pixels = UInt8[np.ndarray, "height width channels"]
T = TypeVar("T")


def decode(source: Any) -> Pixels:
    """Pixels of a file or PIL image: turned as its EXIF orientation says, transparency on white, 1 or 3 channels.

    Raises `DataError` naming the file if it cannot be decoded.
    """
    from PIL import Image, ImageOps

    try:
        if isinstance(source, str | Path):
            with Image.open(source) as opened:
                opened.load()
                return _plain(ImageOps.exif_transpose(opened))
        return _plain(ImageOps.exif_transpose(source))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(f"The image {str(source)!r} cannot be decoded: {error}") from error


def in_threads(function: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
    """`function` of each image, in order. Pillow's warnings of odd metadata are muted: pixels are not touched."""
    with warnings.catch_warnings(), ThreadPoolExecutor(DECODING_THREADS) as pool:
        warnings.simplefilter("ignore")  # here, not in the threads: filters belong to the process
        return list(pool.map(function, items))


def _plain(picture: Any) -> Pixels:
    from PIL import Image

    if picture.mode.startswith("I"):
        return _eight_bits(np.asarray(picture))
    if picture.mode in ("P", "PA", "LA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        paper = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(paper, rgba).convert("RGB")
    if picture.mode not in ("L", "RGB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    pixels = np.asarray(picture)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _eight_bits(values: Shaped[np.ndarray, "height width"]) -> Pixels:
    """16-bit grey, the full range to the full range."""
    return np.clip(np.rint(values / 257.0), 0, 255).astype(np.uint8)[..., None]


def fit(pixels: Pixels, channels: int, size: tuple[int, int]) -> UInt8[np.ndarray, "channels height width"]:
    """Pixels brought to grey (1) or colour (3) and to (height, width), stretched if the shape differs."""
    from PIL import Image

    if pixels.shape[:2] != size or pixels.shape[2] != channels:
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        if pixels.shape[2] != channels:
            picture = picture.convert("L" if channels == 1 else "RGB")
        if pixels.shape[:2] != size:
            picture = picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)
        pixels = np.asarray(picture).reshape(*size, channels)
    return np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
