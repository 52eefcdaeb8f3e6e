"""Rows on the device, and the score of a network during training."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nasturtium.task import Task
from nasturtium.training._ema import Average
from nasturtium.training._predict import layout, predict
from nasturtium.training._schedule import Pace
from nasturtium.training._target import TargetScale
from nasturtium.training.metrics import Metric

Rows = Tensor | np.ndarray


@dataclass(frozen=True)
class Resident:
    """Training and scoring rows where the network is; `score_targets` stay NumPy, in their own unit.

    targets: int64 [rows] (classification), else float32 [rows, outputs], standardised for regression.
    """

    inputs: Tensor
    targets: Tensor
    score_inputs: Tensor | None
    score_targets: np.ndarray | None
    scale: TargetScale | None

    @property
    def scored_rows(self) -> int:
        return 0 if self.score_inputs is None else len(self.score_inputs)


def resident(
    task: Task,
    device: torch.device,
    inputs: Rows,
    targets: Rows,
    score_inputs: Rows | None,
    score_targets: Rows | None,
    scale: TargetScale | None,
) -> Resident:
    """Move rows to the device once, images channels-last; standardise regression targets."""
    values = _numpy(targets)
    if task.kind == "regression":
        values = values.reshape(len(values), -1)
        scale = scale or TargetScale.fit(values)
        values = scale.standardise(values)
    dtype = torch.int64 if task.kind == "classification" else torch.float32
    scores = score_inputs is not None and score_targets is not None and len(score_inputs) > 0
    return Resident(
        layout(torch.as_tensor(inputs).to(device, torch.float32)),
        torch.as_tensor(values).to(device, dtype),
        layout(torch.as_tensor(score_inputs).to(device, torch.float32)) if scores else None,
        _numpy(score_targets) if scores and score_targets is not None else None,
        scale if task.kind == "regression" else None,
    )


@dataclass(frozen=True)
class Scorer:
    """Scores the network as it would be kept: averaged weights, evaluation mode, the metric's own unit."""

    network: nn.Module
    data: Resident
    metric: Metric
    average: Average
    pace: Pace
    bfloat16: bool

    def __call__(self) -> float:
        if self.data.score_inputs is None or self.data.score_targets is None:
            return float("nan")
        started = time.monotonic()
        with self.average.applied():
            outputs = predict(self.network, self.data.score_inputs, bfloat16=self.bfloat16)
        if not np.isfinite(outputs).all():
            return float("nan")
        if self.data.scale is not None:
            outputs = self.data.scale.restore(outputs)
        score = self.metric.function(outputs, self.data.score_targets)
        self.pace.scored(time.monotonic() - started)
        return score


def _numpy(rows: Rows) -> np.ndarray:
    return rows.detach().cpu().numpy() if isinstance(rows, Tensor) else np.asarray(rows)
