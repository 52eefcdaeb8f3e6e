"""Train and validation rows: all that a search may see."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from nasturtium.data.preprocessing import Preprocessing
from nasturtium.data.resplits import Layout, resplit
from nasturtium.errors import DataError
from nasturtium.task import Task

Rows = Int[np.ndarray, " rows"]
_ARRAYS = ("inputs", "targets", "train", "units", "strata", "times")


@dataclass(frozen=True, eq=False)
class Development:
    """The rows of train and validation, in the order of the source; test rows are not in here in any form.

    inputs: `[rows, *task.input.tensor_shape]`, uint8 or float32, in the user's units: images channels first;
        tables numbers (NaN = missing), then codes of categories (0 = missing or unknown); sequences `[rows, channels,
        length]`.
    targets: int64 class numbers `[rows]`, float32 0/1 `[rows, labels]` or float32 `[rows, targets]`.
    train: is the row a train row of the split? layout: what resplits must honour. folder: where `save` left it.
    """

    preprocessing: Preprocessing
    inputs: Shaped[np.ndarray, "rows ..."]
    targets: Shaped[np.ndarray, "rows ..."]
    train: Bool[np.ndarray, " rows"]
    layout: Layout
    seed: int
    folder: Path | None = None

    @property
    def task(self) -> Task:
        return self.preprocessing.task

    def __len__(self) -> int:
        return len(self.targets)

    def fold(self, name: str) -> tuple[Rows, Rows]:
        """Rows that train and rows that score, as numbers into `inputs` and `targets`.

        "search": the split's train and validation. "resplit-K": a fresh split of both together in the same
        proportions, for K = 0, 1 …; seeded, and honouring strata, groups, equal rows and time. "all": everything
        trains, nothing scores.
        """
        if name == "search":
            return np.flatnonzero(self.train), np.flatnonzero(~self.train)
        if name == "all":
            return np.arange(len(self)), np.zeros(0, dtype=np.int64)
        kind, _, number = name.partition("-")
        if kind == "resplit" and number.isdecimal():
            return resplit(self.layout, float(self.train.mean()), self.seed, int(number))
        raise ValueError(f"There is no fold {name!r}; there are 'search', 'all' and 'resplit-0', 'resplit-1' …")

    def save(self, folder: Path | str) -> "Development":
        """Writes the arrays once as .npy files, and returns the same data opened from there."""
        folder = Path(folder).resolve()
        held = {"inputs": self.inputs, "targets": self.targets, "train": self.train, **self.layout.arrays}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, array in held.items():
                np.save(folder / f"{name}.npy", array, allow_pickle=False)
            facts = {"seed": self.seed, "grouped": self.layout.grouped}
            (folder / "preprocessing.json").write_text(self.preprocessing.to_json(), encoding="utf-8")
            (folder / "development.json").write_text(json.dumps(facts), encoding="utf-8")
        except OSError as error:
            raise DataError(f"The data cannot be written to {str(folder)!r}: {error.strerror}.") from error
        return Development.open(folder)

    @staticmethod
    def open(folder: Path | str) -> "Development":
        """Maps the arrays that `save` wrote, read-only, so that processes share one copy in memory."""
        folder = Path(folder)
        try:
            facts = json.loads((folder / "development.json").read_text(encoding="utf-8"))
            text = (folder / "preprocessing.json").read_text(encoding="utf-8")
            mapped = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
        except (OSError, ValueError) as error:
            raise DataError(f"{str(folder)!r} holds no saved development data: {error}") from error
        layout = Layout(mapped["units"], mapped["strata"], mapped["times"], facts["grouped"])
        train = np.asarray(mapped["train"])
        opened = Preprocessing.from_json(text)
        return Development(opened, mapped["inputs"], mapped["targets"], train, layout, facts["seed"], folder)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Saved data pickles as its folder's name, so a job carries no arrays."""
        if self.folder is not None:
            return Development.open, (self.folder,)
        fields = (self.preprocessing, self.inputs, self.targets, self.train, self.layout, self.seed)
        return Development, fields
