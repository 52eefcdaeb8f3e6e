"""Hashes of rows and of whole data sets, the same in every run and process."""

from hashlib import blake2b, sha256

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped, UInt64

from nasturtium.data.raw import Features, Images, RawData


def row_hashes(features: Features) -> UInt64[np.ndarray, " rows"]:
    """One hash a row; equal rows have equal hashes (missing values count as equal)."""
    if isinstance(features, Images):
        return features.digests
    matrix = table_numbers(features) if isinstance(features, pd.DataFrame) else features
    flat = np.ascontiguousarray(matrix.reshape(len(matrix), -1))
    digests = b"".join(blake2b(row, digest_size=8).digest() for row in flat)
    return np.frombuffer(digests, dtype="<u8")


def table_numbers(table: pd.DataFrame) -> Float[np.ndarray, "rows columns"]:
    """Every column as float64: numbers themselves, anything else by order of first appearance, NaN where missing."""
    columns = [_numbers(table.iloc[:, place]) for place in range(table.shape[1])]
    matrix = np.column_stack(columns) if columns else np.zeros((len(table), 0))
    matrix[np.isnan(matrix)] = np.nan  # one bit pattern for every missing value
    return matrix


def _numbers(column: pd.Series) -> Float[np.ndarray, " rows"]:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan) + 0.0  # -0.0 equals 0.0
    codes, _ = pd.factorize(_hashable(column))
    return np.where(codes < 0, np.nan, codes.astype(float))


def data_fingerprint(raw: RawData) -> str:
    """sha256 (64 hex digits) over the features in their order, the target and the names of columns and classes."""
    digest = sha256(repr((raw.modality, raw.kind, raw.classes)).encode())
    if isinstance(raw.features, Images):
        digest.update(raw.features.digests.astype("<u8").tobytes())
    elif isinstance(raw.features, pd.DataFrame):
        for place, name in enumerate(raw.features.columns):
            digest.update(repr(name).encode())
            digest.update(_column_bytes(raw.features.iloc[:, place]))
    else:
        digest.update(_array_bytes(raw.features))
    digest.update(_array_bytes(raw.target))
    return digest.hexdigest()


def array_fingerprint(*arrays: Shaped[np.ndarray, "..."]) -> str:
    """sha256 (64 hex digits) over arrays, their types and shapes."""
    digest = sha256()
    for array in arrays:
        digest.update(_array_bytes(array))
    return digest.hexdigest()


def _array_bytes(array: Shaped[np.ndarray, "..."]) -> bytes:
    return repr((array.dtype.str, array.shape)).encode() + array.tobytes()


def _column_bytes(column: pd.Series) -> bytes:
    """Content of a column, independent of how pandas stores it."""
    if pd.api.types.is_numeric_dtype(column):
        return _numbers(column).astype("<f8").tobytes()
    codes, values = pd.factorize(_hashable(column))
    return codes.astype("<i8").tobytes() + repr([str(value) for value in values]).encode()


def _hashable(column: pd.Series) -> pd.Series:
    """Lists and the like as text; pandas cannot tell them apart otherwise."""
    plain = pd.api.types.infer_dtype(column, skipna=True) != "mixed"
    return column if plain else column.where(column.isna(), column.astype(str))
