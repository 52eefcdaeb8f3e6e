"""Which reader a source needs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nasturtium.data.raw import Found
from nasturtium.data.sources.arrays import read_arrays, read_npz, to_array
from nasturtium.data.sources.bundled import BUNDLED, read_bundled
from nasturtium.data.sources.images import read_folder
from nasturtium.data.sources.tabular import TABLE_SUFFIXES, found_in_table, is_frame, read_table_file, to_pandas
from nasturtium.data.sources.torch_hf import is_hugging_face, is_map_style, read_hugging_face, read_torch
from nasturtium.errors import DataError


@dataclass(frozen=True, eq=False)
class Request:
    """What the user says of a source: names of columns or keys, or a value a row."""

    target: Any = None
    group: Any = None
    time: Any = None
    split: Any = None

    @property
    def roles(self) -> dict[str, Any]:
        return {"group": self.group, "time": self.time, "split": self.split}


def read(source: Any, request: Request) -> Found:
    """What `source` holds. Raises `DataError` for a source of an unknown type or one that is not there."""
    if isinstance(source, str | Path):
        return _read_path(source, request)
    if isinstance(source, tuple) and len(source) == 2:
        if not is_frame(source[0]):
            return read_arrays(*source, request.roles)
        return found_in_table(to_pandas(source[0]), "the frame", None, request.roles, _target_values(source[1]))
    if is_hugging_face(source):
        return read_hugging_face(source, request.target, request.roles)
    if is_frame(source):
        return found_in_table(to_pandas(source), "the frame", request.target, request.roles)
    if is_map_style(source):
        return read_torch(source, request.roles)
    raise DataError(
        f"A source of the type {type(source).__name__} cannot be read. Give a path, the name of a bundled set, (X, y), "
        f"a frame, or a torch or Hugging Face data set."
    )


def _target_values(values: Any) -> Any:
    """A series with a fresh index, or an array."""
    if isinstance(values, pd.Series):
        return values.reset_index(drop=True)
    return values.to_pandas() if hasattr(values, "to_pandas") else to_array(values, "y")


def _read_path(source: str | Path, request: Request) -> Found:
    path = Path(source).expanduser()
    suffix = path.suffix.lower()
    if isinstance(source, str) and source in BUNDLED:  # ./digits is the folder
        return _without_roles(read_bundled(source), request)
    if path.is_dir():
        return _without_roles(read_folder(path), request)
    if not path.exists():
        if suffix or len(path.parts) > 1 or isinstance(source, Path):
            raise DataError(f"There is no file or folder {str(path)!r}.")
        return _without_roles(read_bundled(str(source)), request)
    if suffix in TABLE_SUFFIXES:
        return found_in_table(read_table_file(path), path.name, request.target, request.roles)
    if suffix == ".npz":
        return read_npz(path, request.target, request.roles)
    raise DataError(
        f"{path.name!r} is of no known kind. Give a folder of images, or a .csv, .tsv, .parquet or .npz file."
    )


def _without_roles(found: Found, request: Request) -> Found:
    """Bundled sets and folders have no columns to name."""
    named = next((role for role, value in request.roles.items() if value is not None), None)
    if named is not None:
        raise DataError(f"`{named}` names a column, and {found.name} has none.")
    return found
