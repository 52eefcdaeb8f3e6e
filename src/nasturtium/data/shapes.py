"""What an array of features holds, told by its shape and type."""

import numpy as np
from jaxtyping import Shaped

from nasturtium.data.raw import Modality
from nasturtium.errors import DataError

COLOUR_CHANNELS = (1, 3, 4, 2)
LEAST_IMAGE_SIDE = 8
WIDEST_IMAGE = 2.0

Rows = Shaped[np.ndarray, "rows ..."]


def arrange(features: Rows, modality: Modality | None = None) -> tuple[Modality, Rows]:
    """The modality, and the array as `[rows, columns]`, `[rows, channels, length]`, `[rows, channels, height, width]`.

    By default two axes are a table and four are images. Three axes are grey images `[rows, height, width]` if they are
    uint8, or if both sides are 8 or more and the longer is at most twice the shorter; else sequences, whose shorter
    axis is the channels (equal ones: the first). `modality` overrides all of that: two axes as "sequence" are one
    channel, as "image" squares; everything can be a "table".

    Raises `DataError` for a shape or type that cannot be used and, except in tables, for values that are not finite.
    """
    values = _numbers(features, modality)
    if values.ndim == 1:
        values = values[:, None]
    if values.size == 0:
        raise DataError(f"X is empty: its shape is {values.shape}.")
    kind = modality or _guess(values)
    if kind == "table":
        return kind, values.reshape(len(values), -1)
    arranged = _image(values) if kind == "image" else _sequence(values)
    if arranged.dtype != np.uint8 and not np.isfinite(arranged).all():
        bad = int((~np.isfinite(arranged.reshape(len(arranged), -1))).any(axis=1).sum())
        raise DataError(f"X holds NaN or infinite values in {bad:,} of {len(arranged):,} rows. Mend or leave them out.")
    return kind, np.ascontiguousarray(arranged)


def _numbers(features: Rows, modality: Modality | None) -> Rows:
    """uint8 stays, other integers from 0 to 255 become uint8 unless they are a table, the rest are floats."""
    if features.dtype == object or features.dtype.kind not in "buif":
        raise DataError(
            f"X must hold numbers, not {features.dtype}. Give tables with text as a frame, .csv or .parquet."
        )
    if features.dtype.kind == "b":
        return features.astype(np.uint8)
    table = modality == "table" or (features.ndim <= 2 and modality is None)
    whole = features.dtype.kind in "ui" and not table and features.size > 0
    if whole and features.min() >= 0 and features.max() <= 255:
        return features.astype(np.uint8)
    return features if features.dtype.kind == "f" else features.astype(np.float64)


def _guess(values: Rows) -> Modality:
    if values.ndim == 2:
        return "table"
    if values.ndim == 4:
        return "image"
    if values.ndim != 3:
        raise DataError(f"X has {values.ndim} axes (shape {values.shape}); tables have 2, sequences 3, images 3 or 4.")
    short, long = sorted(values.shape[1:])
    picture = values.dtype == np.uint8 or (short >= LEAST_IMAGE_SIDE and long <= WIDEST_IMAGE * short)
    return "image" if picture else "sequence"


def _image(values: Rows) -> Rows:
    if values.ndim == 2:
        side = round(values.shape[1] ** 0.5)
        if side * side != values.shape[1]:
            raise DataError(f"{values.shape[1]} columns are no square image. Give X as [rows, height, width].")
        values = values.reshape(len(values), side, side)
    if values.ndim == 3:
        values = values[:, None]
    if values.ndim != 4:
        raise DataError(f"Images need 3 or 4 axes, but X has the shape {values.shape}.")
    values = np.moveaxis(values, _channel_axis(values.shape), 1)
    return values if values.dtype == np.uint8 else values.astype(np.float32)


def _channel_axis(shape: tuple[int, ...]) -> int:
    """1 for NCHW, 3 for NHWC: the axis of 1 to 4 channels; of two such the one that leaves the squarer picture."""
    first, last = shape[1] in COLOUR_CHANNELS, shape[3] in COLOUR_CHANNELS
    if first and last:
        return 1 if abs(shape[2] - shape[3]) <= abs(shape[1] - shape[2]) else 3
    if first or last:
        return 1 if first else 3
    if (shape[2] == shape[3]) == (shape[1] == shape[2]):
        raise DataError(f"Which axis of X (shape {shape}) are the channels? Give images of 1, 3 or 4 channels.")
    return 1 if shape[2] == shape[3] else 3


def _sequence(values: Rows) -> Rows:
    if values.ndim == 2:
        values = values[:, None]
    if values.ndim != 3:
        raise DataError(f"Sequences need 2 or 3 axes, but X has the shape {values.shape}.")
    arranged = values if values.shape[1] <= values.shape[2] else np.swapaxes(values, 1, 2)
    return arranged.astype(np.float32)
