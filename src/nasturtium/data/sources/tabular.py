"""Tables: `.csv`, `.tsv`, `.parquet`, and pandas or polars frames."""

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from nasturtium.data.raw import Found, Roles
from nasturtium.errors import DataError, hint

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
DELIMITERS = ",;\t|"


def read_table_file(path: Path) -> pd.DataFrame:
    """The table in a file. Delimiters `, ; tab |` are told apart by the header; text is UTF-8, else Latin-1."""
    try:
        return read_parquet(path) if path.suffix.lower() == ".parquet" else read_csv(path)
    except DataError:
        raise
    except (OSError, ValueError, pd.errors.ParserError) as error:  # pyarrow's errors are OSError or ValueError
        raise DataError(f"{str(path)!r} cannot be read as a table: {_first_line(error)}") from error


def read_parquet(path: Path) -> pd.DataFrame:
    return _checked_columns(pd.read_parquet(path), path.name)


def read_csv(path: Path) -> pd.DataFrame:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as lines:
        first = lines.readline()
        if not first.strip():
            raise DataError(f"{str(path)!r} is empty.")
        delimiter = max(DELIMITERS, key=first.count)
        lines.seek(0)
        header = next(csv.reader(lines, delimiter=delimiter))
    # pandas renames the second of two equal columns silently, so the header itself is looked at
    check_names([name.strip() for name in header if name.strip()], path.name)
    table = pd.read_csv(
        path, sep=delimiter, encoding=encoding, skipinitialspace=True, index_col=False, low_memory=False
    )
    return table.rename(columns=lambda name: str(name).strip())


def _encoding(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            while lines.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def check_names(names: Iterable[str], where: str) -> None:
    """Raises `DataError` if two columns have one name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        shown = ", ".join(repr(name) for name in twice[:5])
        raise DataError(f"{where} has more than one column named {shown}. Give every column a name of its own.")


def _checked_columns(table: pd.DataFrame, where: str) -> pd.DataFrame:
    check_names([str(name) for name in table.columns], where)
    if any(name is not None for name in table.index.names):  # a named index holds data
        table = table.reset_index()
    return table.rename(columns=str).reset_index(drop=True)


def is_frame(source: object) -> bool:
    """A pandas or polars frame (polars is told by its shape of a thing, never imported)."""
    return isinstance(source, pd.DataFrame) or (hasattr(source, "to_pandas") and hasattr(source, "columns"))


def to_pandas(frame: Any, where: str = "The frame") -> pd.DataFrame:
    if isinstance(frame, pd.DataFrame):
        return _checked_columns(frame, where)
    if type(frame).__name__ == "LazyFrame":
        frame = frame.collect()
    return _checked_columns(frame.to_pandas(), where)


def found_in_table(
    table: pd.DataFrame,
    name: str,
    target: str | pd.Series | Shaped[np.ndarray, "rows ..."] | None,
    roles: dict[str, str | None],
) -> Found:
    """Takes the target and the columns with a role (`group`, `time`, `split`) out of the features.

    Raises `DataError` if the target or a role's column is not there, naming the nearest.
    """
    columns = [str(column) for column in table.columns]
    if target is None:
        shown = ", ".join(columns[:12]) + (" …" if len(columns) > 12 else "")
        raise DataError(f"Which column of {name} is the target? Name it with `target`. Columns: {shown}")
    taken = {role: column for role, column in roles.items() if column is not None}
    if isinstance(target, str):
        taken["target"] = target
    for role, column in taken.items():
        if column not in columns:
            raise DataError(f"{name} has no column {column!r} for `{role}`. {hint(column, columns)}")
    check_roles(taken)
    values = table[target] if isinstance(target, str) else target
    features = table.drop(columns=list(taken.values()))
    if features.shape[1] == 0:
        raise DataError(f"{name} has no column left to predict the target from.")
    picked = {role: table[column].to_numpy() for role, column in taken.items() if role != "target"}
    named = target if isinstance(target, str) else str(getattr(target, "name", None) or "target")
    return Found(name, features, values, named, roles=Roles(**picked), drops_missing=isinstance(values, pd.Series))


def check_roles(taken: dict[str, str]) -> None:
    twice = [column for column, count in Counter(taken.values()).items() if count > 1]
    if twice:
        roles = " and ".join(f"`{role}`" for role, column in taken.items() if column == twice[0])
        raise DataError(f"The column {twice[0]!r} cannot be {roles} at once.")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") + "." if str(error).strip() else type(error).__name__ + "."
