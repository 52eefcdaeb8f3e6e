"""From a user's rows to the network's raw input, outside the network. Fitted on training rows only."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from nasturtium.data.array_input import ArrayInput
from nasturtium.data.image_input import ImageInput, fit_image_input
from nasturtium.data.raw import Images, RawData
from nasturtium.data.table_input import TableInput, fit_table_input
from nasturtium.errors import DataError
from nasturtium.task import Signal, Task

_INPUTS: dict[str, type[ImageInput] | type[TableInput] | type[ArrayInput]] = {
    "images": ImageInput,
    "table": TableInput,
    "arrays": ArrayInput,
}
SCHEMA = 1


@dataclass(frozen=True)
class Preprocessing:
    """What was learnt from the training rows: of images size and colour, of tables columns and vocabularies.

    task: the task that the rows serve, with the classes by output unit.
    """

    task: Task
    input: ImageInput | TableInput | ArrayInput

    def encode(self, rows: Any) -> Shaped[np.ndarray, "rows ..."]:
        """New rows as the network's raw input `[rows, *task.input.tensor_shape]` (uint8 or float32).

        rows: for tables a `.csv`, `.tsv`, `.parquet` or `.npz`, a frame or an array `[rows, columns]`; for images a
        file, a folder (in the order of `list_images`), an `.npz` or an array; for sequences an `.npz` or an array.
        Raises `DataError` that names missing columns or the shape expected.
        """
        return self.input.encode(rows)

    def to_json(self) -> str:
        """Canonical JSON; `from_json` reads it back."""
        kind = next(name for name, known in _INPUTS.items() if isinstance(self.input, known))
        held = {"schema": SCHEMA, "task": asdict(self.task), "input": {"type": kind, **asdict(self.input)}}
        return json.dumps(held, sort_keys=True, ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> "Preprocessing":
        """Raises `DataError` if the text is not what `to_json` writes."""
        try:
            held = json.loads(text)
            if held["schema"] > SCHEMA:
                raise DataError("This preprocessing was written by a newer Nasturtium. Update, then read it again.")
            task, given = dict(held["task"]), dict(held["input"])
            signal = task["input"]
            typed = Signal(signal["kind"], tuple(signal["shape"]), tuple(signal["cardinalities"]))
            task |= {"input": typed, "classes": tuple(task["classes"])}
            return Preprocessing(Task(**task), _INPUTS[given.pop("type")].from_fields(given))
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise DataError(f"This is not the JSON of a preprocessing: {error!r}.") from error


def fit_preprocessing(raw: RawData, train: Int[np.ndarray, " rows"]) -> Preprocessing:
    """Learns from the rows `train` only."""
    if isinstance(raw.features, Images):
        fitted: ImageInput | TableInput | ArrayInput = fit_image_input(raw.features, train, raw.image_size)
    elif isinstance(raw.features, np.ndarray):
        fitted = ArrayInput(raw.modality, tuple(raw.features.shape[1:]), raw.features.dtype.name)
    else:
        fitted = fit_table_input(raw.features, raw.columns, train)
    outputs = len(raw.classes) if raw.kind != "regression" else raw.target.shape[1]
    return Preprocessing(Task(raw.kind, fitted.signal, outputs, raw.metric, raw.classes), fitted)
