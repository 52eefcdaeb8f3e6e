"""The door of the room: any source in, cleaned `RawData` out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int, Shaped

from nasturtium.data.columns import describe, number_matrix, tidy
from nasturtium.data.raw import MODALITIES, SPLIT_NAMES, Features, Found, Images, Modality, RawData
from nasturtium.data.shapes import arrange
from nasturtium.data.sources.reader import Request, read
from nasturtium.data.task_inference import DEFAULT_METRICS, read_target
from nasturtium.errors import DataError, hint

_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), 0),
    **dict.fromkeys(("val", "valid", "validation", "dev"), 1),
    **dict.fromkeys(("test", "testing"), 2),
}


def load(
    source: Any,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    modality: str | None = None,
    group: Any = None,
    time: Any = None,
    split: Any = None,
    drop: Sequence[str] | None = None,
    metric: str | None = None,
    image_size: int | tuple[int, int] | None = None,
) -> RawData:
    """Reads and cleans a data set.

    source: the name of a bundled set (`digits`, `breast_cancer`, `diabetes`, `iris`, `wine`); a folder with a
        sub-folder of images per class, or `train/ val/ test/` folders of such; a `.csv`, `.tsv` or `.parquet`; an
        `.npz`; `(X, y)`; a pandas or polars frame; a torch `Dataset` of `(x, y)`; a Hugging Face `Dataset` or
        `DatasetDict`.
    target: name of the target column (tables, Hugging Face) or key (`.npz`); found by itself where a source says it.
        Several columns of a table are several labels (if all 0 and 1) or amounts.
    task: classification, multi-label or regression; inferred by default (see `infer_kind`).
    modality: image, sequence or table; inferred by default (see `arrange`).
    group: a column (arrays: a value a row) whose rows must not be parted by a split. time: one that orders the rows.
    split: one that says train, validation or test of each row.
    drop: columns of a table that are left out, such as one that is not known when predictions are made.
    metric: name of the primary metric; accuracy, macro-f1 or rmse by default. Not checked here.
    image_size: side, or (height, width), that a folder's images are brought to; by default the median side, at most 64.

    Raises `DataError` for whatever cannot be used, in one or two sentences.
    """
    if modality is not None and modality not in MODALITIES:
        raise DataError(f"There is no modality {modality!r}. {hint(modality, MODALITIES)}")
    if group is not None and time is not None:
        raise DataError("Split by `group` or by `time`, not by both.")
    found = _without(read(source, Request(target, group, time, split)), drop or ())
    found, dropped = _without_missing_targets(found)
    roles = found.roles
    wanted = next((known for known in MODALITIES if known == modality), None)
    kind_of_data, features = _features(found, wanted)
    read_out = read_target(found.target, found.target_name, kind_of_data, task, found.classes)
    return RawData(
        name=found.name,
        modality=kind_of_data,
        features=features,
        kind=read_out.kind,
        target=read_out.values,
        classes=read_out.classes,
        metric=metric or DEFAULT_METRICS[read_out.kind],
        target_name=found.target_name,
        own_split=None if roles.split is None else own_split(roles.split),
        groups=None if roles.group is None else _groups(roles.group),
        times=None if roles.time is None else _times(roles.time),
        columns=tuple(describe(features[name]) for name in features) if isinstance(features, pd.DataFrame) else (),
        dropped_rows=dropped,
        image_size=_image_size(image_size, features),
        notes=found.notes,
    )


def _without(found: Found, drop: Sequence[str]) -> Found:
    """Without these columns. Raises `DataError` for one that is not there and where none is left."""
    if not drop:
        return found
    if not isinstance(found.features, pd.DataFrame):
        raise DataError(f"`drop` names columns, and {found.name} has none.")
    columns = [str(column) for column in found.features.columns]
    for column in drop:
        if column not in columns:
            raise DataError(f"{found.name} has no column {column!r} to drop. {hint(column, columns)}")
    if len(set(drop)) == len(columns):
        raise DataError(f"{found.name} has no column left to predict the target from: all are dropped.")
    return replace(found, features=found.features.drop(columns=list(drop)))


def _without_missing_targets(found: Found) -> tuple[Found, dict[str, int]]:
    """Leaves out rows whose target is missing, where the source allows it, and checks that lengths agree."""
    rows = len(found.features)
    roles = found.roles
    for name, values in (("y", found.target), ("split", roles.split), ("group", roles.group), ("time", roles.time)):
        if values is not None and len(values) != rows:
            raise DataError(f"X has {rows:,} rows, but {name} has {len(values):,}. They must agree.")
    if rows == 0:
        raise DataError(f"{found.name} has no rows.")
    missing = np.asarray(pd.isna(pd.DataFrame(found.target)).any(axis=1))
    if missing.all():
        raise DataError(f"The target {found.target_name!r} of {found.name} is missing in every row.")
    if not missing.any():
        return found, {}
    if not found.drops_missing:
        raise DataError(
            f"The target {found.target_name!r} is missing (NaN) in {int(missing.sum()):,} of {rows:,} rows. "
            f"Mend or leave them out."
        )
    return take(found, np.flatnonzero(~missing)), {"target missing": int(missing.sum())}


def take(found: Found, rows: Int[np.ndarray, " taken"]) -> Found:
    """The given rows of everything."""
    target, features = found.target, found.features
    return replace(
        found,
        features=take_rows(features, rows),
        target=target.iloc[rows].reset_index(drop=True) if isinstance(target, pd.Series) else target[rows],
        roles=found.roles.take(rows),
    )


def take_rows(features: Features, rows: Int[np.ndarray, " taken"]) -> Features:
    if isinstance(features, Images):
        return features.take(rows)
    if isinstance(features, pd.DataFrame):
        return features.iloc[rows].reset_index(drop=True)
    return features[rows]


def _features(found: Found, wanted: Modality | None) -> tuple[Modality, Features]:
    features = found.features
    if isinstance(features, Images):
        if wanted not in (None, "image"):
            raise DataError(f"{found.name} holds images; it cannot be read as {wanted!r}.")
        return "image", features
    if isinstance(features, np.ndarray):
        kind, arranged = arrange(features, wanted)
        if kind != "table":
            return kind, arranged
        features = pd.DataFrame(arranged, columns=[f"x{number}" for number in range(arranged.shape[1])])
    elif wanted in ("image", "sequence"):
        return arrange(number_matrix(features, found.name), wanted)
    table = tidy(features)
    _refuse_infinite(table, found.name)
    return "table", table


def _refuse_infinite(table: pd.DataFrame, name: str) -> None:
    """Infinite, or too large for the float32 that networks take."""
    for column in table.columns[[pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]]:
        values = table[column].to_numpy(dtype=float, na_value=np.nan)
        bad = int((np.abs(values) > np.finfo(np.float32).max).sum())
        if bad:
            raise DataError(
                f"The column {column!r} of {name} is infinite (or beyond float32) in {bad:,} rows. Mend them."
            )


def own_split(words: Shaped[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
    """Split numbers from words such as "train", "val" or "test"."""
    plain = pd.Series(words).astype(str).str.strip().str.lower()
    codes = plain.map(_SPLIT_WORDS)
    if codes.isna().any():
        odd = str(np.asarray(words)[int(codes.isna().argmax())])
        raise DataError(f"The split column holds {odd!r}. Use {', '.join(SPLIT_NAMES[:-1])} or {SPLIT_NAMES[-1]}.")
    return codes.to_numpy(dtype=np.int8)


def _groups(values: Shaped[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
    """A number a group; a row without a group is one of its own."""
    codes = pd.factorize(pd.Series(values))[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max() + 1 + np.arange(int(alone.sum()))
    return codes


def _times(values: Shaped[np.ndarray, " rows"]) -> Shaped[np.ndarray, " rows"]:
    series = pd.Series(values)
    if not pd.api.types.is_numeric_dtype(series):
        try:
            stamps = pd.to_datetime(series, errors="coerce", format="mixed", utc=True)
        except (ValueError, TypeError):
            stamps = pd.Series([pd.NaT] * len(series))
        series = stamps.map(lambda stamp: stamp.timestamp() if stamp is not pd.NaT else np.nan)
    times = series.to_numpy(dtype=float, na_value=np.nan)
    bad = int((~np.isfinite(times)).sum())
    if bad:
        raise DataError(f"The time column cannot be read as numbers or dates in {bad:,} of {len(times):,} rows.")
    return times


def _image_size(asked: int | tuple[int, int] | None, features: Features) -> tuple[int, int] | None:
    if asked is None:
        return None
    if not isinstance(features, Images):
        raise DataError("`image_size` is for image files; arrays keep their size.")
    size = (asked, asked) if isinstance(asked, int) else (int(asked[0]), int(asked[1]))
    if not all(1 <= side <= 1024 for side in size):
        raise DataError(f"`image_size` must be from 1 to 1024 pixels, not {asked!r}.")
    return size
