"""Predictions of the network that a run found, through the exported ONNX file."""

import csv
import io
import re
import sys
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from torch import nn

from nasturtium.data import Preprocessing, image_files
from nasturtium.errors import RunError
from nasturtium.export.runtime import OnnxModel
from nasturtium.task import Task
from nasturtium.training import probabilities
from nasturtium.workflows.folder import open_folder


@dataclass(frozen=True)
class Predictions:
    """answers: class names, values, or lists of labels, a row each. columns, rows: the table that is printed."""

    answers: Shaped[np.ndarray, " rows"]
    columns: tuple[str, ...]
    rows: list[list[Any]]

    def csv(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def write(self, path: str) -> None:
        try:
            Path(path).write_text(self.csv(), encoding="utf-8")
        except OSError as error:
            raise RunError(f"The predictions cannot be written to {path!r}: {error.strerror or error}.") from error


def predict_file(run: str, inputs: str) -> Predictions:
    """Predictions for a table, an image, a folder of images or an .npz. Images are named by their files."""
    path = Path(inputs)
    images = image_files(path) if path.is_dir() else None
    return predict_rows(run, inputs, None if images is None else [str(image) for image in images])


def predict_records(run: str, records: list[dict[str, Any]]) -> Predictions:
    """Predictions for rows of a table, each by column name. Raises `RunError` for none."""
    import pandas as pd

    if not records:
        raise RunError("There are no rows to predict.")
    return predict_rows(run, pd.DataFrame(records))


def predict_rows(run: str, rows: Any, labels: list[str] | None = None) -> Predictions:
    """Predictions for whatever `Preprocessing.encode` takes."""
    folder, _ = open_folder(run)
    written = folder.best / "preprocessing.json"
    if not written.is_file():
        raise RunError(f"{run!r} has no exported network yet. Finish it with: nasturtium resume {run}")
    preprocessing = Preprocessing.from_json(written.read_text(encoding="utf-8"))
    inputs = preprocessing.encode(rows)
    scores = OnnxModel(folder.best / "model.onnx").scores(inputs)
    return _table(preprocessing.task, scores, labels or [str(row) for row in range(len(scores))])


def _table(task: Task, scores: Float[np.ndarray, "rows outputs"], labels: list[str]) -> Predictions:
    if task.kind == "regression":
        columns = ("row", "prediction") if task.outputs == 1 else ("row", *(f"target_{k}" for k in range(task.outputs)))
        values = scores[:, 0] if task.outputs == 1 else scores
        listed = [[label, *(float(v) for v in row)] for label, row in zip(labels, scores, strict=True)]
        return Predictions(values, columns, listed)
    chances = probabilities(scores, task.kind)
    if task.kind == "multi-label":
        answers = np.array(
            [";".join(name for name, p in zip(task.classes, row, strict=True) if p > 0.5) for row in chances]
        )
    else:
        answers = class_values(task)[scores.argmax(1)]
    columns = ("row", "prediction", *(f"p_{name}" for name in task.classes))
    listed = [
        [label, str(answer), *(round(float(p), 6) for p in row)]
        for label, answer, row in zip(labels, answers, chances, strict=True)
    ]
    return Predictions(answers, columns, listed)


def class_values(task: Task) -> np.ndarray:
    """The classes as they were given: whole numbers as numbers, everything else as text."""
    whole = all(re.fullmatch(r"-?(0|[1-9]\d*)", name) for name in task.classes)
    return np.array([int(name) for name in task.classes] if whole else task.classes)


def load_module(folder: Path) -> nn.Module:
    """The network of `best/model.py`, with its weights."""
    path = folder / "best" / "model.py"
    if not path.is_file():
        raise RunError(f"{str(folder)!r} has no best/model.py.")
    name = f"nasturtium_run_{abs(hash(path.resolve()))}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    loaded: nn.Module = module.load()
    return loaded
