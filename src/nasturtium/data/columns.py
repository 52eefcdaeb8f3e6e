"""What kind of thing each column of a table holds, and which columns are kept apart.

Only the column itself is looked at, never the target.
"""

import re

import numpy as np
import pandas as pd
from jaxtyping import Float
from pandas.api import types

from nasturtium.data.raw import Column, ColumnKind
from nasturtium.errors import DataError

MANY_VALUES = 20
DISTINCT_SHARE = 0.5
LONG_TEXT = 40
TEXT_WORDS = 2.5
_PLAIN = ("string", "integer", "floating", "mixed-integer", "mixed-integer-float", "empty")
MISSING_WORDS = frozenset({"?", "-", "--", ".", "na", "n/a", "nan", "none", "null", "missing", "unknown"})
_DATE = re.compile(r"^\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ]\d{1,2}:\d{2}.*)?\s*$")
_ID_NAME = re.compile(r"(^|[_\s.-])(id|index|idx|uuid|guid|key|row)$|^unnamed: 0$", re.IGNORECASE)


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """The table with text stripped, empty text missing, text that spells numbers turned into numbers."""
    return pd.DataFrame({name: _tidy(table[name]) for name in table.columns}, index=table.index)


def _tidy(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):  # declared a category, so numbers are names here
        return column.astype(object).map(spelled, na_action="ignore")
    if types.is_numeric_dtype(column) or types.is_datetime64_any_dtype(column):
        return column
    kind = types.infer_dtype(column, skipna=True)
    if kind == "boolean":
        return column.map({True: 1.0, False: 0.0}).astype(float) if column.isna().any() else column.astype(bool)
    if kind == "decimal":
        return column.astype(float)
    mixed = kind == "mixed" and all(isinstance(value, str | float | int) for value in column.dropna())
    return _tidy_values(column) if mixed or kind in _PLAIN else column


def _tidy_values(column: pd.Series) -> pd.Series:
    """Looks at every different value once, because text is slow."""
    codes, values = pd.factorize(column)
    text = pd.Series(values, dtype=object).astype(str).str.strip()
    tidied = as_numbers(text.mask(text == ""))
    if types.is_numeric_dtype(tidied):
        return pd.Series(np.append(tidied.to_numpy(dtype=float), np.nan)[codes], column.index, name=column.name)
    words = np.array([*(None if pd.isna(value) else value for value in tidied), None], dtype=object)
    return pd.Series(words[codes], column.index, dtype=object, name=column.name)


def as_numbers(text: pd.Series) -> pd.Series:
    """Numbers where every value spells one or is a usual word for missing ("?", "N/A" …), else the text itself."""
    words = text.where(~text.astype(str).str.lower().isin(MISSING_WORDS))
    numbers = pd.to_numeric(words, errors="coerce")
    spells = numbers.notna().sum() == words.notna().sum() > 0
    return numbers.astype(float) if spells else text


def spelled(value: object) -> str:
    """Text of a category; 3.0 and 3 are one."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def number_matrix(table: pd.DataFrame, where: str) -> Float[np.ndarray, "rows columns"]:
    """A table of numbers only, as an array. Raises `DataError` naming a column that holds anything else."""
    tidied = tidy(table)
    odd = [str(name) for name in tidied if not types.is_numeric_dtype(tidied[name])]
    if odd:
        raise DataError(f"The column {odd[0]!r} of {where} does not hold numbers, which images and sequences need.")
    return tidied.to_numpy(dtype=float, na_value=np.nan)


def describe(column: pd.Series) -> Column:
    """Kind of a tidy column, and why it is kept apart if it is."""
    kind, reason = _kind(column)
    return Column(str(column.name), kind, float(column.isna().mean()) if len(column) else 0.0, reason)


def _kind(column: pd.Series) -> tuple[ColumnKind, str]:
    if types.is_datetime64_any_dtype(column):
        return "date", "dates are not used yet"
    present = column.dropna()
    content = types.infer_dtype(present, skipna=True)
    if content in ("date", "datetime", "datetime64"):
        return "date", "dates are not used yet"
    if not types.is_numeric_dtype(column) and content not in ("string", "empty"):
        return "other", f"holds {type(present.iloc[0]).__name__} objects"
    distinct = int(present.nunique())
    if distinct == 0:
        return "constant", "every value is missing"
    if distinct == 1 and len(present) == len(column):
        return "constant", "the same value in every row"
    if types.is_bool_dtype(column):
        return "boolean", ""
    if types.is_numeric_dtype(column):
        return _number_kind(present, distinct)
    return _text_kind(present, distinct)


def _number_kind(present: pd.Series, distinct: int) -> tuple[ColumnKind, str]:
    """A number, or a running number: whole, all different, and without a gap or named like an id."""
    numbers = present.astype(float)
    whole = distinct == len(present) > MANY_VALUES and bool((numbers % 1 == 0).all())
    if whole and (numbers.max() - numbers.min() == distinct - 1 or looks_like_id(str(present.name))):
        return "id", "a different whole number in every row"
    return "number", ""


def looks_like_id(name: str) -> bool:
    """`customer_id`, `PassengerId`, `index`, `Unnamed: 0` …"""
    return bool(_ID_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)))


def _text_kind(present: pd.Series, distinct: int) -> tuple[ColumnKind, str]:
    text = pd.Series(present.unique()).astype(str)
    if float(text.str.match(_DATE).mean()) >= 0.95:
        return "date", "dates are not used yet"
    share = distinct / len(present)
    if distinct > MANY_VALUES and share > DISTINCT_SHARE / 2:
        words, length = float(text.map(lambda value: len(value.split())).mean()), float(text.str.len().mean())
        if length > LONG_TEXT or (share > DISTINCT_SHARE and words >= TEXT_WORDS):
            return "text", f"free text is not used yet ({distinct:,} different values)"
        if share > DISTINCT_SHARE:
            return "id", f"{distinct:,} different values in {len(present):,} rows"
    return "category", ""
