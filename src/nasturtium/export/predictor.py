"""The model of a run, ready to predict with ONNX Runtime."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from nasturtium.errors import RunError
from nasturtium.export.runtime import OnnxModel
from nasturtium.task import Signal, Task


@dataclass(frozen=True)
class Predictions:
    """What a model says of some rows.

    answers: a class name, a tuple of label names, a value, or a tuple of values for each row.
    probabilities: by class or label, in the order of `task.classes`; None for regression.
    """

    task: Task
    answers: tuple[object, ...]
    probabilities: Float[np.ndarray, "rows classes"] | None

    def records(self) -> list[dict[str, Any]]:
        """One dictionary a row, for JSON: "prediction" and, but for regression, "probabilities" by name."""
        if self.probabilities is None:
            return [{"prediction": answer} for answer in self.answers]
        return [
            {"prediction": answer, "probabilities": dict(zip(self.task.classes, map(float, row), strict=True))}
            for answer, row in zip(self.answers, self.probabilities, strict=True)
        ]


@dataclass(frozen=True)
class RunModel:
    """task: what the model answers. preprocessing: JSON that turns a user's rows into the model's (`data` reads it)."""

    task: Task
    preprocessing: str
    onnx: OnnxModel

    def predict(self, rows: Shaped[np.ndarray, "rows ..."]) -> Predictions:
        """rows: raw input rows `[rows, *task.input.tensor_shape]`, encoded by the preprocessing."""
        scores = self.onnx.scores(rows)
        if self.task.kind == "classification":
            powers = np.exp(scores - scores.max(1, keepdims=True))
            names = tuple(self.task.classes[k] for k in scores.argmax(1))
            return Predictions(self.task, names, powers / powers.sum(1, keepdims=True))
        if self.task.kind == "multi-label":
            labels = tuple(tuple(np.asarray(self.task.classes)[row > 0].tolist()) for row in scores)
            return Predictions(self.task, labels, 0.5 * (1 + np.tanh(scores / 2)))  # the sigmoid, without overflow
        values = scores[:, 0].tolist() if self.task.outputs == 1 else map(tuple, scores.tolist())
        return Predictions(self.task, tuple(values), None)


def load_run_model(run: Path) -> RunModel:
    """The model of a run directory, or of its folder `best` alone.

    Raises `RunError` where the folder or a file of it is missing or damaged.
    """
    folder = Path(run) / "best" if (Path(run) / "best").is_dir() else Path(run)
    path = folder / "preprocessing.json"
    if not path.is_file():
        raise RunError(f"{str(run)!r} holds no trained model: {path.name} is missing. Give a finished run.")
    try:
        text = path.read_text(encoding="utf-8")
        task = _task(json.loads(text)["task"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{str(path)!r} is damaged: {error!r}.") from error
    return RunModel(task, text, OnnxModel(folder / "model.onnx"))


def _task(held: Mapping[str, Any]) -> Task:
    signal = held["input"]
    typed = Signal(signal["kind"], tuple(signal["shape"]), tuple(signal["cardinalities"]))
    return Task(held["kind"], typed, held["outputs"], held["metric"], tuple(held["classes"]))
