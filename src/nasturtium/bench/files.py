"""Tables from files: where they are looked for, and what is wrong with them, in words."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from nasturtium.errors import DataError, hint

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".csv")
SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
"""Others than the comma, in words."""


def is_table(name: str) -> bool:
    """Is it the name of a file with a plain table?"""
    return Path(name).suffix.lower() in SUFFIXES


def data_folder(given: str | None) -> Path:
    """The folder with the tables of the benchmarks: what is given, NASTURTIUM_DATA, ./data or ../shared/data.

    Raises `DataError` where a folder that was named is not there, or none was found.
    """
    named = given or os.environ.get("NASTURTIUM_DATA")
    if named is not None:
        if not Path(named).is_dir():
            how = "--data" if given else "NASTURTIUM_DATA"
            raise DataError(f"The data folder {named!r} of {how} is not there. Name the folder that holds the tables.")
        return Path(named)
    for folder in (Path("data"), Path("../shared/data")):
        if folder.is_dir():
            return folder
    raise DataError(
        "The tables of the benchmarks were not found: there is no ./data and no ../shared/data. "
        "Name their folder with --data FOLDER or NASTURTIUM_DATA."
    )


def find(folder: Path, name: str, suffixes: Sequence[str] = SUFFIXES) -> Path:
    """The file `name` with one of the suffixes, in the folder or in its `benchmarks`. Raises `DataError`."""
    for place in (folder, folder / "benchmarks"):
        for suffix in suffixes:
            if (place / f"{name}{suffix}").is_file():
                return place / f"{name}{suffix}"
    wanted = " or ".join(f"{name}{suffix}" for suffix in suffixes)
    raise DataError(
        f"{wanted} is neither in {str(folder)!r} nor in its folder 'benchmarks'. "
        "Name the folder that holds it with --data FOLDER or NASTURTIUM_DATA."
    )


def read(path: Path) -> "pd.DataFrame":
    """A table as it stands in the file. Raises `DataError` where it cannot be read or has no rows."""
    import pandas as pd

    if not path.is_file():
        there = f"{str(path)!r} is a folder." if path.is_dir() else f"There is no file {str(path)!r}."
        raise DataError(f"{there} Give the path of a .parquet or .csv file.")
    try:
        table = _read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except DataError:
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise DataError(f"{str(path)!r} cannot be read as {path.suffix[1:]}: {first.rstrip('.')}.") from error
    if not len(table):
        raise DataError(f"{str(path)!r} has no rows.")
    # pandas keeps an index in a parquet file: one that has a name is a column like any other.
    kept = [name for name in table.index.names if name is not None and name not in table.columns]
    return (table.reset_index(level=kept) if kept else table).rename(columns=str)


def _read_csv(path: Path) -> "pd.DataFrame":
    """Raises `DataError` for a header that has another separator, as spreadsheets write it in many languages."""
    import pandas as pd

    with path.open(encoding="utf-8", errors="replace") as lines:
        header = lines.readline()
    found = max(SEPARATORS, key=header.count)
    if found in header and "," not in header:
        raise DataError(
            f"The columns of {str(path)!r} are separated by {SEPARATORS[found]}, and a bench reads commas. Write the "
            f"table anew: pandas.read_csv({str(path)!r}, sep={found!r}).to_csv('{path.stem}-commas.csv', index=False)."
        )
    return pd.read_csv(path)


def fingerprint(*paths: Path) -> str:
    """12 hexadecimal digits of the files' contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def column(table: "pd.DataFrame", name: str, where: str, purpose: str) -> "pd.Series":
    """A column. Raises `DataError` naming the nearest that there are."""
    if name not in table.columns:
        raise DataError(f"{where} has no column {name!r}, {purpose}. {hint(name, table.columns)}")
    return table[name]


def numbers(table: "pd.DataFrame", name: str, where: str, purpose: str) -> Float[np.ndarray, " rows"]:
    """A column of finite numbers. Raises `DataError` for text, and for rows without a value."""
    import pandas as pd

    found = column(table, name, where, purpose)
    if not pd.api.types.is_numeric_dtype(found) or pd.api.types.is_bool_dtype(found):
        example = found[found.notna()].astype(str).head(1).tolist()
        told = f", such as {example[0]!r}" if example else ""
        raise DataError(
            f"Column {name!r} of {where} holds {found.dtype} values{told}: {purpose}, so numbers are needed."
        )
    values = found.to_numpy(dtype=float, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"Column {name!r} of {where} has no finite number in {len(bad):,} of {len(values):,} rows, first in row "
            f"{bad[0]} (counted from 0). Fill these rows or leave them out."
        )
    return values


def refuse_duplicates(codes: Sequence[tuple[int, ...]], described: Sequence[str], where: str) -> None:
    """Raises `DataError` where the same decisions stand in several rows: which of their scores would be the answer?"""
    first: dict[tuple[int, ...], int] = {}
    twice = [(row, first[key]) for row, key in enumerate(codes) if first.setdefault(key, row) != row]
    if twice:
        row, earlier = twice[0]
        raise DataError(
            f"{where} has {len(twice):,} {'row' if len(twice) == 1 else 'rows'} whose decisions stand in an earlier "
            f"row too: rows {earlier} and {row} (counted from 0) both have {described[row]}. Keep one row of each, or "
            "their mean."
        )
