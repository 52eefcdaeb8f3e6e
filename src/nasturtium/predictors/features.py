"""From features in groups to the matrix that surrogates read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from nasturtium.errors import RunError, hint
from nasturtium.roles import Features


@dataclass(frozen=True)
class Assembly:
    """What the training rows decided: which columns there are, and how they are scaled.

    names: of the columns of the matrix, "group.place", with "?" behind it for the column that says where a value was
    missing. groups: read, in this order. lengths: of each.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    lengths: tuple[int, ...]
    kept: Bool[np.ndarray, " columns"]
    fill: Float[np.ndarray, " raw"]
    centre: Float[np.ndarray, " columns"]
    spread: Float[np.ndarray, " columns"]

    def matrix(self, rows: Sequence[Features]) -> Float[np.ndarray, "rows kept"]:
        """Standardised features; what is missing or not finite is put at the training rows' median.

        Raises `RunError` where a row lacks a group or has another number of features in it.
        """
        raw = _raw(rows, self.groups, self.lengths)
        return (_filled(raw, self.fill)[:, self.kept] - self.centre) / self.spread


def assemble(rows: Sequence[Features], groups: Collection[str] | None = None) -> Assembly:
    """Learn columns and scales from training rows.

    groups: those to be read; None: all that the first row has. Columns that are constant (or never finite) are
    dropped. A column with gaps gets a second one beside it that is 1 where it has one. Raises `RunError` for no rows,
    unknown groups, and rows that differ in shape.
    """
    if not rows:
        raise RunError("There are no rows to learn the features' scales from: at least 1 is needed.")
    for group in groups or ():
        if group not in rows[0]:
            raise RunError(f"There is no group of features {group!r}. {hint(group, rows[0])}")
    chosen = tuple(sorted(rows[0] if groups is None else groups))
    lengths = tuple(len(rows[0][group]) for group in chosen)
    raw = _raw(rows, chosen, lengths)
    fill = np.array([np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else 0.0 for column in raw.T])
    filled = _filled(raw, fill)
    # Not the deviation: of equal values it may be 1e-17, and dividing by it would make noise of nothing.
    kept = filled.min(0) < filled.max(0)
    plain = [f"{group}.{place}" for group, length in zip(chosen, lengths, strict=True) for place in range(length)]
    names = np.array([*plain, *(f"{name}?" for name in plain)], dtype=object)[kept]
    inside = filled[:, kept]
    return Assembly(tuple(names), chosen, lengths, kept, fill, inside.mean(0), inside.std(0))


def _raw(rows: Sequence[Features], groups: tuple[str, ...], lengths: tuple[int, ...]) -> Float[np.ndarray, "rows raw"]:
    for at, row in enumerate(rows):
        for group, length in zip(groups, lengths, strict=True):
            if group not in row or len(row[group]) != length:
                found = len(row[group]) if group in row else "none"
                raise RunError(f"Row {at} needs {length} features in the group {group!r} and has {found}.")
    parts = [np.concatenate([np.zeros(0), *(np.asarray(row[group], dtype=float) for group in groups)]) for row in rows]
    return np.array(parts).reshape(len(rows), sum(lengths))


def _filled(raw: Float[np.ndarray, "rows raw"], fill: Float[np.ndarray, " raw"]) -> Float[np.ndarray, "rows columns"]:
    """The values with their gaps filled, then a column for each that says where the gaps were."""
    missing = ~np.isfinite(raw)
    return np.concatenate([np.where(missing, fill, raw), missing.astype(float)], axis=1)
