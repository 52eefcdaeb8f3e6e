"""Rows of a table to numbers: numeric columns (NaN = missing), then codes of categories (0 = missing or unknown)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from nasturtium.data.columns import MISSING_WORDS, spelled, tidy
from nasturtium.data.raw import Column
from nasturtium.data.sources.arrays import read_features, to_array
from nasturtium.data.sources.tabular import is_frame, read_table_file, to_pandas
from nasturtium.errors import DataError, hint
from nasturtium.task import Signal

MOST_CATEGORIES = 255
LEAST_COUNT = 2


@dataclass(frozen=True)
class Vocabulary:
    """A categorical column and its values; value i has the code i + 1."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class TableInput:
    """numbers: columns taken as they are. categories: columns taken by code. source: every feature column there was."""

    numbers: tuple[str, ...]
    categories: tuple[Vocabulary, ...]
    source: tuple[str, ...]

    @property
    def signal(self) -> Signal:
        return Signal("table", (len(self.numbers),), tuple(len(each.values) + 1 for each in self.categories))

    @staticmethod
    def from_fields(fields: dict[str, Any]) -> "TableInput":
        categories = tuple(Vocabulary(each["name"], tuple(each["values"])) for each in fields["categories"])
        return TableInput(tuple(fields["numbers"]), categories, tuple(fields["source"]))

    def encode(self, rows: Any) -> Float[np.ndarray, "rows columns"]:
        """A file, a frame, or an array with the source's columns (or just those used). Other columns are ignored."""
        table, where = self._table(rows)
        needed = [*self.numbers, *(each.name for each in self.categories)]
        lacking = [name for name in needed if name not in table.columns]
        if lacking:
            shown = ", ".join(repr(name) for name in lacking[:5]) + (" …" if len(lacking) > 5 else "")
            near = hint(lacking[0], [name for name in map(str, table.columns) if name not in needed])
            plural = "s" if len(lacking) > 1 else ""
            raise DataError(f"{where} lacks the column{plural} {shown} that the network needs. {near}".rstrip())
        return self.encode_tidy(tidy(table[needed]), where)

    def encode_tidy(self, table: pd.DataFrame, where: str) -> Float[np.ndarray, "rows columns"]:
        """A table whose columns `tidy` has already been through."""
        numbers = [_number(table[name], where) for name in self.numbers]
        codes = [_codes(table[each.name], each.values) for each in self.categories]
        return np.column_stack([*numbers, *codes]).astype(np.float32)

    def _table(self, rows: Any) -> tuple[pd.DataFrame, str]:
        if isinstance(rows, str | Path):
            path = Path(rows)
            if not path.exists():
                raise DataError(f"There is no file {str(path)!r}.")
            if path.suffix.lower() != ".npz":
                return read_table_file(path), path.name
            rows = read_features(path)
        if is_frame(rows):
            return to_pandas(rows), "The frame"
        values = to_array(rows, "The input")
        values = values[None] if values.ndim == 1 else values
        used = [*self.numbers, *(each.name for each in self.categories)]
        for names in (list(self.source), used):
            if values.ndim == 2 and values.shape[1] == len(names):
                return pd.DataFrame(values, columns=names), "The array"
        raise DataError(f"The network takes {len(self.source)} columns, but the array has the shape {values.shape}.")


def _number(column: pd.Series, where: str) -> Float[np.ndarray, " rows"]:
    if not pd.api.types.is_numeric_dtype(column):
        column = column.where(~column.astype(str).str.lower().isin(MISSING_WORDS))
    numbers = pd.to_numeric(column, errors="coerce")
    odd = numbers.isna() & column.notna()
    if odd.any():
        raise DataError(f"The column {column.name!r} of {where} must hold numbers, but holds {column[odd].iloc[0]!r}.")
    values = numbers.to_numpy(dtype=float, na_value=np.nan)
    if (np.abs(values) > np.finfo(np.float32).max).any():
        raise DataError(f"The column {column.name!r} of {where} is infinite (or beyond float32) in some rows.")
    return values


def _codes(column: pd.Series, values: tuple[str, ...]) -> Int[np.ndarray, " rows"]:
    found, distinct = pd.factorize(column)
    known = {value: code for code, value in enumerate(values, 1)}
    return np.array([*(known.get(spelled(value), 0) for value in distinct), 0])[found]


def fit_table_input(table: pd.DataFrame, columns: tuple[Column, ...], train: Int[np.ndarray, " rows"]) -> TableInput:
    """Used columns that vary over the training rows, and the vocabulary of each category.

    A vocabulary holds values seen at least twice (at most 255, the most frequent); rarer ones share code 0 with missing
    and unknown ones, so that the network meets that code in training.
    """
    seen = table.iloc[train]
    used = [column for column in columns if column.used and seen[column.name].nunique(dropna=False) > 1]
    numbers = tuple(column.name for column in used if column.kind != "category")
    found = (_vocabulary(seen[column.name]) for column in used if column.kind == "category")
    categories = tuple(each for each in found if each.values)
    if not numbers and not categories:
        apart = ", ".join(f"{column.name} ({column.kind})" for column in columns[:5])
        raise DataError(f"No column is left to learn from; all are constant or kept apart: {apart}.")
    return TableInput(numbers, categories, tuple(map(str, table.columns)))


def _vocabulary(column: pd.Series) -> Vocabulary:
    counts = column.dropna().map(spelled).value_counts()
    frequent = sorted(counts[counts >= LEAST_COUNT].items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_CATEGORIES]
    return Vocabulary(str(column.name), tuple(sorted(str(value) for value, _ in frequent)))
