"""What a source holds: first as found, then cleaned and understood. The vocabulary of this room."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped, UInt64

from nasturtium.task import TaskKind

Modality = Literal["image", "sequence", "table"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
ColumnKind = Literal["number", "boolean", "category", "date", "text", "id", "constant", "other"]
USED_KINDS: tuple[ColumnKind, ...] = ("number", "boolean", "category")
TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Images:
    """Images that may differ in size and colour; decoded when they are used.

    items: a file, or pixels `[height, width, channels]` uint8. sizes: (height, width) after EXIF orientation.
    grey: every pixel has equal colours. digests: a hash of each image's pixels.
    """

    items: tuple[Path | Shaped[np.ndarray, "height width channels"], ...]
    sizes: Int[np.ndarray, "rows 2"]
    grey: Bool[np.ndarray, " rows"]
    digests: UInt64[np.ndarray, " rows"]

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Int[np.ndarray, " taken"]) -> "Images":
        items = tuple(self.items[row] for row in rows)
        return Images(items, self.sizes[rows], self.grey[rows], self.digests[rows])


Features = Images | Shaped[np.ndarray, "rows ..."] | pd.DataFrame


@dataclass(frozen=True)
class Column:
    """A column of a table: its kind, the share of its values that are missing, and why it is not used ("" if it is)."""

    name: str
    kind: ColumnKind
    missing: float = 0.0
    reason: str = ""

    @property
    def used(self) -> bool:
        return self.kind in USED_KINDS


@dataclass(frozen=True, eq=False)
class Roles:
    """What decides the split, a value a row: train/val/test words, groups, times. None where it plays no part."""

    split: Shaped[np.ndarray, " rows"] | None = None
    group: Shaped[np.ndarray, " rows"] | None = None
    time: Shaped[np.ndarray, " rows"] | None = None

    def take(self, rows: Int[np.ndarray, " taken"]) -> "Roles":
        held = {"split": self.split, "group": self.group, "time": self.time}
        return Roles(**{name: None if values is None else values[rows] for name, values in held.items()})


@dataclass(frozen=True, eq=False)
class Found:
    """What a source gave, before cleaning.

    target: one value a row, or `[rows, labels]`. classes: names by class number, where the source declares them.
    drops_missing: rows without a target are left out and counted (tables) instead of refused (arrays).
    """

    name: str
    features: Features
    target: pd.Series | Shaped[np.ndarray, "rows ..."]
    target_name: str = "target"
    classes: tuple[str, ...] = ()
    roles: Roles = Roles()
    drops_missing: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RawData:
    """A data set, cleaned and understood, not yet split.

    features: `Images`; images `[rows, channels, height, width]`; sequences `[rows, channels, length]`; or a table.
    target: int64 class numbers `[rows]`, float32 0/1 `[rows, labels]`, or float64 `[rows, targets]`.
    own_split: 0 train, 1 validation, 2 test, where the user brought a split. groups: number of each row's group.
    times: what rows are ordered by. columns: every feature column of a table, used or kept apart.
    dropped_rows: rows left out, by reason. image_size: (height, width) asked for, else chosen in `prepare`.
    """

    name: str
    modality: Modality
    features: Features
    kind: TaskKind
    target: Shaped[np.ndarray, "rows ..."]
    classes: tuple[str, ...]
    metric: str
    target_name: str = "target"
    own_split: Int[np.ndarray, " rows"] | None = None
    groups: Int[np.ndarray, " rows"] | None = None
    times: Float[np.ndarray, " rows"] | None = None
    columns: tuple[Column, ...] = ()
    dropped_rows: Mapping[str, int] = field(default_factory=dict)
    image_size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return len(self.target)
