"""Tables: `.csv`, `.tsv`, `.parquet`, and pandas or polars frames."""

import csv
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from nasturtium.data.names import check_names
from nasturtium.data.raw import Found
from nasturtium.data.sources.arrays import role_arrays
from nasturtium.errors import DataError, hint

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
DELIMITERS = ",;\t|"


def read_table_file(path: Path) -> pd.DataFrame:
    """The table in a file. Delimiters `, ; tab |` are told apart by the header; text is UTF-8, else Latin-1."""
    try:
        return read_parquet(path) if path.suffix.lower() == ".parquet" else read_csv(path)
    except DataError:
        raise
    except (OSError, ValueError, pd.errors.ParserWarning) as error:  # pyarrow's errors are OSError or ValueError
        raise DataError(f"{str(path)!r} cannot be read as a table: {_first_line(error, path)}") from error


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
    options: dict[str, Any] = {"index_col": False, "low_memory": False}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # pandas would cut longer rows short
        table = pd.read_csv(path, sep=delimiter, encoding=encoding, skipinitialspace=True, **options)
    return table.rename(columns=lambda name: str(name).strip())


def _encoding(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            while lines.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _checked_columns(table: pd.DataFrame, where: str) -> pd.DataFrame:
    check_names([str(name) for name in table.columns], where)
    if any(name is not None for name in table.index.names):  # a named index holds data
        table = table.reset_index()
    return table.rename(columns=str).reset_index(drop=True)


def is_frame(source: object) -> bool:
    """A pandas frame, or a polars one, eager or lazy, told by what it can do and never imported."""
    polars = hasattr(source, "to_pandas") and hasattr(source, "columns")
    return isinstance(source, pd.DataFrame) or polars or is_lazy(source)


def is_lazy(source: object) -> bool:
    return hasattr(source, "collect_schema") and hasattr(source, "collect") and not hasattr(source, "to_pandas")


def to_pandas(frame: Any, where: str = "The frame") -> pd.DataFrame:
    if isinstance(frame, pd.DataFrame):
        return _checked_columns(frame, where)
    return _checked_columns((frame.collect() if is_lazy(frame) else frame).to_pandas(), where)


def found_in_table(table: pd.DataFrame, name: str, target: Any, roles: dict[str, Any], values: Any = None) -> Found:
    """Takes the target and the columns with a role (`group`, `time`, `split`) out of the features.

    target: the name of a column, or a list of names (several labels or amounts). values: the target itself, in place of
    a column. A role may be a value a row too. Raises `DataError` if a column is not there, naming the nearest.
    """
    columns = [str(column) for column in table.columns]
    targets = _names(target)
    if not targets and values is None:
        shown = ", ".join(columns[:12]) + (" …" if len(columns) > 12 else "")
        raise DataError(
            f"Which column of {name} is the target? Name it with --target (`target=` in Python). Columns: {shown}."
        )
    named = {role: given for role, given in roles.items() if isinstance(given, str)}
    taken = [*(("target", column) for column in targets), *named.items()]
    check_roles(taken, columns, name)
    features = table.drop(columns=[column for _, column in taken])
    if features.shape[1] == 0:
        raise DataError(f"{name} has no column left to predict the target from.")
    picked = role_arrays({role: table[given] if role in named else given for role, given in roles.items()})
    if values is not None:
        title = str(getattr(values, "name", None) or "target")
        return Found(name, features, values, title, roles=picked, drops_missing=isinstance(values, pd.Series))
    if len(targets) == 1:
        return Found(name, features, table[targets[0]], targets[0], roles=picked, drops_missing=True)
    answers = table[targets].to_numpy()
    return Found(name, features, answers, ", ".join(targets), tuple(targets), picked, drops_missing=True)


def _names(target: Any) -> list[str]:
    if target is None:
        return []
    return [str(name) for name in target] if isinstance(target, list | tuple) else [str(target)]


def check_roles(taken: list[tuple[str, str]], columns: list[str], name: str) -> None:
    """Raises `DataError` if a column is not there or has two roles."""
    for role, column in taken:
        if column not in columns:
            raise DataError(f"{name} has no column {column!r} for `{role}`. {hint(column, columns)}")
    twice = [column for column, count in Counter(column for _, column in taken).items() if count > 1]
    if twice:
        roles = " and ".join(f"`{role}`" for role, column in taken if column == twice[0])
        raise DataError(f"The column {twice[0]!r} cannot be {roles} at once.")


def _first_line(error: Exception, path: Path) -> str:
    """What the library says, without repeating the file's name."""
    said = str(error).replace(f"'{path}'", "it").strip() or type(error).__name__
    return said.splitlines()[0].rstrip(".") + "."
