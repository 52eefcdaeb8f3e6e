"""What there is to know of a data set before a search."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from nasturtium.data.hashing import data_fingerprint, row_hashes
from nasturtium.data.leaks import Leak, suspected_leaks
from nasturtium.data.profile_lines import profile_lines
from nasturtium.data.raw import SPLIT_NAMES, TEST, Column, Images, RawData
from nasturtium.data.splits import Splits

Amounts = Mapping[str, float]


@dataclass(frozen=True)
class Profile:
    """Printed before a search, and recorded with it.

    shape: of one row as found (of images of mixed size: the smallest and largest, as height and width).
    balance: rows by class or label. amounts: min, mean, max, standard deviation of a regression's first target.
    missing: share of missing values by column, where there are any. kinds: number of used columns of each kind.
    duplicates: rows that repeat the features of an earlier one. conflicts: rows with the features of another row but
    a different target. across: rows outside train that also occur in train; None before the split.
    fingerprint: sha256 over the content. split, split_fingerprint: how it was parted, "" before.
    """

    name: str
    rows: int
    modality: str
    shape: tuple[int, ...]
    largest: tuple[int, ...]
    task: str
    metric: str
    target: str
    balance: Mapping[str, int]
    amounts: Amounts
    kinds: Mapping[str, int]
    missing: Mapping[str, float]
    kept_apart: tuple[Column, ...]
    leaks: tuple[Leak, ...]
    duplicates: int
    conflicts: int
    across: int | None
    dropped_rows: Mapping[str, int]
    notes: tuple[str, ...]
    fingerprint: str
    split: str = ""
    split_rows: tuple[int, ...] = ()
    split_fingerprint: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    def lines(self) -> list[str]:
        """For a terminal of 80 columns."""
        return profile_lines(asdict(self))


def profile(raw: RawData, splits: Splits | None = None) -> Profile:
    """Looks at everything but judges leaks on rows that are not test rows (with `splits`: on train rows)."""
    duplicates, conflicts = _duplicates(raw)
    smallest, largest = _shapes(raw)
    used = [column.kind for column in raw.columns if column.used]
    if splits is not None:
        judged = splits.train
    else:
        judged = np.arange(raw.rows) if raw.own_split is None else np.flatnonzero(raw.own_split != TEST)
    return Profile(
        name=raw.name,
        rows=raw.rows,
        modality=raw.modality,
        shape=smallest,
        largest=largest,
        task=raw.kind,
        metric=raw.metric,
        target=raw.target_name,
        balance=_balance(raw),
        amounts=_amounts(raw),
        kinds={kind: used.count(kind) for kind in sorted(set(used))},
        missing={column.name: column.missing for column in raw.columns if column.used and column.missing > 0},
        kept_apart=tuple(column for column in raw.columns if not column.used),
        leaks=suspected_leaks(raw, judged),
        duplicates=duplicates,
        conflicts=conflicts,
        across=None if splits is None else splits.across,
        dropped_rows=dict(raw.dropped_rows),
        notes=raw.notes,
        fingerprint=data_fingerprint(raw),
        split="" if splits is None else splits.how,
        split_rows=() if splits is None else tuple(len(getattr(splits, name)) for name in SPLIT_NAMES),
        split_fingerprint="" if splits is None else splits.fingerprint,
    )


def _shapes(raw: RawData) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(raw.features, Images):
        channels = 1 if bool(raw.features.grey.all()) else 3
        low, high = raw.features.sizes.min(axis=0), raw.features.sizes.max(axis=0)
        return (channels, int(low[0]), int(low[1])), (channels, int(high[0]), int(high[1]))
    shape = tuple(int(size) for size in raw.features.shape[1:])
    return shape, shape


def _balance(raw: RawData) -> dict[str, int]:
    if raw.kind == "classification":
        counts = np.bincount(raw.target, minlength=len(raw.classes)).tolist()
    else:
        counts = raw.target.sum(axis=0).tolist() if raw.kind == "multi-label" else []
    return {name: int(count) for name, count in zip(raw.classes, counts, strict=True)}


def _amounts(raw: RawData) -> dict[str, float]:
    if raw.kind != "regression":
        return {}
    first = raw.target[:, 0]
    return {
        "min": float(first.min()),
        "mean": float(first.mean()),
        "max": float(first.max()),
        "std": float(first.std()),
    }


def _duplicates(raw: RawData) -> tuple[int, int]:
    """Rows that repeat earlier features; rows that share their features with a row of another target."""
    features = pd.Series(row_hashes(raw.features))
    targets = pd.Series(row_hashes(raw.target))
    repeated = features.duplicated(keep=False)
    several = targets[repeated].groupby(features[repeated]).transform("nunique") > 1
    return int(features.duplicated().sum()), int(several.sum())
