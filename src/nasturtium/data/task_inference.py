"""Which task a target poses, and the target in numbers."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from nasturtium.data.raw import Modality
from nasturtium.errors import DataError, hint
from nasturtium.task import TaskKind

TASK_KINDS: tuple[TaskKind, ...] = get_args(TaskKind)
DEFAULT_METRICS: dict[TaskKind, str] = {"classification": "accuracy", "multi-label": "macro-f1", "regression": "rmse"}
FEW_CLASSES = 20
ROWS_PER_CLASS = 5


@dataclass(frozen=True, eq=False)
class Target:
    """kind: the task. values: int64 `[rows]`, float32 `[rows, labels]` or float64 `[rows, targets]`. classes: names."""

    kind: TaskKind
    values: Shaped[np.ndarray, "rows ..."]
    classes: tuple[str, ...] = ()


def infer_kind(target: pd.Series | Shaped[np.ndarray, "rows ..."], modality: Modality) -> TaskKind:
    """The task that the target seems to pose.

    Text, booleans and categories are classes. Integers are classes where at most 20 values occur, each 2 times on
    average; for images and sequences also where the values run without a gap and occur 5 times on average. Floats are
    amounts, unless they are just the two values 0 and 1. A matrix of 0 and 1 is multi-label; any other is regression.
    """
    if target.ndim == 2:
        return "multi-label" if np.isin(np.asarray(target), (0, 1)).all() else "regression"
    series = pd.Series(target)
    if not pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return "classification"
    values = np.unique(series.to_numpy(dtype=float))
    if not pd.api.types.is_integer_dtype(series):
        return "classification" if set(values) == {0.0, 1.0} else "regression"
    if len(values) <= FEW_CLASSES and len(series) >= 2 * len(values):
        return "classification"
    gapless = values[-1] - values[0] == len(values) - 1
    if modality != "table" and gapless and len(series) >= ROWS_PER_CLASS * len(values):
        return "classification"
    return "regression"


def read_target(
    target: pd.Series | Shaped[np.ndarray, "rows ..."],
    name: str,
    modality: Modality,
    asked: str | None,
    declared: tuple[str, ...],
) -> Target:
    """The target in numbers, as the task `asked` for (default: inferred) needs it. Missing values are already gone.

    Raises `DataError` for an unknown task, one class only, a class with one example, amounts that are not finite.
    """
    if asked is not None and asked not in TASK_KINDS:
        raise DataError(f"There is no task {asked!r}. {hint(asked, TASK_KINDS)}")
    kind = infer_kind(target, modality) if asked is None else next(known for known in TASK_KINDS if known == asked)
    if kind == "classification":
        return _classes(target, name, declared)
    if kind == "multi-label":
        return Target(kind, _labels(target, name), declared or _label_names(target))
    return Target(kind, _amounts(target, name, asked))


def _classes(target: pd.Series | Shaped[np.ndarray, "rows ..."], name: str, declared: tuple[str, ...]) -> Target:
    if target.ndim != 1:
        raise DataError(f"Classification needs one class a row, but the target {name!r} has the shape {target.shape}.")
    found, codes = np.unique(_plain(pd.Series(target)), return_inverse=True)
    names = tuple(_class_name(value, declared) for value in found)
    if len(names) < 2:
        only = f"one class only, {names[0]!r}" if names else "no class"
        raise DataError(f"The target {name!r} holds {only}. There is nothing to tell apart.")
    counts = np.bincount(codes)
    if counts.min() < 2:
        lonely = names[int(counts.argmin())]
        raise DataError(
            f"The class {lonely!r} of the target {name!r} has one example only. Every class needs two or more: leave "
            f"the class out, join it to another, or ask for regression if the target is an amount."
        )
    return Target("classification", codes.astype(np.int64).reshape(-1), names)


def _plain(series: pd.Series) -> Shaped[np.ndarray, " rows"]:
    """Values of one type that sort: numbers, booleans or text."""
    if pd.api.types.is_bool_dtype(series):
        return series.to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(dtype=np.int64 if pd.api.types.is_integer_dtype(series) else float)
    return series.astype(str).to_numpy(dtype=str)


def _class_name(value: object, declared: tuple[str, ...]) -> str:
    if declared and isinstance(value, np.integer) and 0 <= value < len(declared):
        return declared[int(value)]
    return str(int(value)) if isinstance(value, np.floating) and value.is_integer() else str(value)


def _labels(target: pd.Series | Shaped[np.ndarray, "rows ..."], name: str) -> Float[np.ndarray, "rows labels"]:
    values = np.asarray(target)
    if values.ndim != 2 or not np.isin(values, (0, 1)).all():
        raise DataError(
            f"Multi-label needs a target of the shape [rows, labels] that holds only 0 and 1; {name!r} has the shape "
            f"{values.shape}" + (" and other values." if values.ndim == 2 else ".")
        )
    return values.astype(np.float32)


def _label_names(target: pd.Series | Shaped[np.ndarray, "rows ..."]) -> tuple[str, ...]:
    return tuple(f"label {number}" for number in range(target.shape[1] if target.ndim == 2 else 1))


def _amounts(
    target: pd.Series | Shaped[np.ndarray, "rows ..."], name: str, asked: str | None
) -> Float[np.ndarray, "rows targets"]:
    try:
        values = np.asarray(target, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"Regression needs numbers, but the target {name!r} holds text.") from None
    values = values.reshape(len(values), -1)
    bad = int((~np.isfinite(values)).any(axis=1).sum())
    if bad:
        raise DataError(
            f"The target {name!r} is NaN or infinite in {bad} of {len(values)} rows. Mend or leave them out."
        )
    if (values == values[0]).all():
        raise DataError(f"The target {name!r} is {values[0, 0]:g} in every row. There is nothing to predict.")
    return values


def strata(values: Shaped[np.ndarray, "rows ..."], kind: TaskKind) -> Int[np.ndarray, " rows"]:
    """Number of the stratum of each row: its class, its pattern of labels (rare ones pooled), or its quantile bin.

    Amounts are cut at the deciles of the first target, with at least 5 rows a bin.
    """
    if kind == "classification":
        return values.astype(np.int64)
    if kind == "multi-label":
        _, codes, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
        codes = codes.reshape(-1)
        return np.where(counts[codes] >= ROWS_PER_CLASS, codes, len(counts)).astype(np.int64)
    bins = int(np.clip(len(values) // ROWS_PER_CLASS, 1, 10))
    edges = np.quantile(values[:, 0], np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, values[:, 0], side="right").astype(np.int64)
