"""Arrays of images or sequences, brought to the axes that the network takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from nasturtium.data.columns import number_matrix
from nasturtium.data.raw import Modality
from nasturtium.data.shapes import arrange
from nasturtium.data.sources.arrays import read_features, to_array
from nasturtium.data.sources.tabular import TABLE_SUFFIXES, is_frame, read_table_file, to_pandas
from nasturtium.errors import DataError
from nasturtium.task import Signal


@dataclass(frozen=True)
class ArrayInput:
    """kind: image or sequence. shape: of one row, channels first. dtype: uint8 or float32, in the user's own units."""

    kind: Modality
    shape: tuple[int, ...]
    dtype: str

    @property
    def signal(self) -> Signal:
        return Signal("image" if self.kind == "image" else "sequence", self.shape)

    @staticmethod
    def from_fields(fields: dict[str, Any]) -> "ArrayInput":
        return ArrayInput(fields["kind"], tuple(fields["shape"]), fields["dtype"])

    def encode(self, rows: Any) -> Shaped[np.ndarray, "rows ..."]:
        """An `.npz`, an array or a table of numbers; image files too, where the network was trained on 8-bit pixels."""
        picture = isinstance(rows, str | Path) and Path(rows).suffix.lower() not in (".npz", *TABLE_SUFFIXES)
        if not picture and not hasattr(rows, "getexif"):
            return encode_arrays(rows, self.kind, self.shape, self.dtype)
        if self.kind == "image" and self.dtype == "uint8" and self.shape[0] in (1, 3):
            from nasturtium.data.image_input import ImageInput  # which itself falls back on arrays

            return ImageInput(*self.shape).encode(rows)
        raise DataError(f"This network was trained on arrays of the shape {self.shape}; give it an .npz or an array.")


def encode_arrays(rows: Any, kind: Modality, shape: tuple[int, ...], dtype: str) -> Shaped[np.ndarray, "rows ..."]:
    """Rows of an `.npz` or array as `[rows, *shape]`; channels first or last, the grey axis present or not."""
    values = _values(rows)
    lone = values.shape == shape or (len(shape) == 3 and values.shape in (shape[1:], (*shape[1:], shape[0])))
    if lone and values.shape[1:] != shape:  # one row, without the axis of rows
        values = values[None]
    if values.shape[1:] == shape:
        arranged = values
    else:
        _, arranged = arrange(values, kind)
    if arranged.shape[1:] != shape:
        raise DataError(f"The network takes rows of the shape {shape}, but the input has the shape {values.shape}.")
    if dtype == "uint8" and (arranged.min() < 0 or arranged.max() > 255):
        raise DataError("The network was trained on pixels from 0 to 255, but the input goes beyond.")
    if not np.isfinite(arranged).all():
        raise DataError("The input holds NaN or infinite values.")
    return np.ascontiguousarray(arranged.astype(dtype))


def _values(rows: Any) -> Shaped[np.ndarray, "rows ..."]:
    if isinstance(rows, str | Path):
        path = Path(rows)
        if path.suffix.lower() not in TABLE_SUFFIXES:
            return read_features(path)
        rows = read_table_file(path)
    return number_matrix(to_pandas(rows), "the input") if is_frame(rows) else to_array(rows, "The input")
