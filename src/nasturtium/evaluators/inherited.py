"""The inherited evaluator: architectures are scored with the weights of a trained supernet, and nothing is trained."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from torch import nn

from nasturtium.blocks import counted
from nasturtium.data import Development
from nasturtium.evaluators.network import Rows, assembled, score, standardised
from nasturtium.evaluators.subjects import lowered
from nasturtium.roles import Job, OpenEvaluator, Outcome, Report
from nasturtium.space import Architecture, Space
from nasturtium.supernet.checkpoint import load_supernet
from nasturtium.supernet.recalibration import BATCH, ROWS, recalibrate
from nasturtium.supernet.supernet import Supernet
from nasturtium.training import TargetScale, find_metric, save_checkpoint, set_threads


@dataclass(frozen=True)
class Inherited:
    """Takes an architecture out of the supernet, recalibrates its batch norms on training rows, scores it on the rest.

    folder: of the saved `Development` data; space, checkpoint: what the supernet was made for and `save_supernet`
    wrote; each worker opens them once. rows, batch: of the recalibration. Fidelities and seeds make no difference.
    """

    folder: str
    space: Space
    checkpoint: str
    rows: int = ROWS
    batch: int = BATCH

    def open(self) -> OpenEvaluator:
        set_threads(1)
        return _Opened(self, Development.open(Path(self.folder)), load_supernet(self.checkpoint, self.space))


class _Opened:
    """Data and supernet in one worker, and the rows of the last fold."""

    def __init__(self, spec: Inherited, data: Development, supernet: Supernet) -> None:
        self._spec, self._data, self._supernet = spec, data, supernet
        self._last: tuple[str, Rows] | None = None

    def __call__(self, job: Job, report: Report) -> Outcome:
        started = time.monotonic()
        if not isinstance(job.subject, Architecture):
            raise TypeError(f"a supernet scores architectures, not {type(job.subject).__name__}")
        task, rows = self._data.task, self._rows(job.fold)
        model = self._model(job.subject, rows)
        counts = asdict(counted(lowered(job.subject, task), task.input))
        measures = {name: float(value) for name, value in counts.items()}
        if len(rows.score_inputs):
            measures |= score(model, rows, task)
        if not all(np.isfinite(value) for value in measures.values()):
            return Outcome(seconds=time.monotonic() - started, failure="the inherited weights give no numbers")
        curve = (measures[find_metric(task.metric, task.kind).name],) if len(rows.score_inputs) else ()
        if curve:
            report(curve)
        if job.checkpoint is not None:
            save_checkpoint(model, job.checkpoint, {"epochs": 0})
        return Outcome(measures, curve, time.monotonic() - started, job.checkpoint)

    def _model(self, architecture: Architecture, rows: Rows) -> nn.Module:
        """The whole model, raw rows in, with inherited weights and statistics of training rows."""
        task, regression = self._data.task, self._data.task.kind == "regression"
        network = self._supernet.extract(architecture)
        scale = TargetScale.fit(rows.targets.reshape(len(rows.targets), -1)) if regression else None
        model = assembled(architecture, task, network, rows.statistics, scale)
        count = len(rows.inputs)
        seen = rows.inputs[np.random.default_rng(count).permutation(count)[: self._spec.rows]]
        recalibrate(network, standardised(model, seen), rows=self._spec.rows, batch=self._spec.batch)
        return model

    def _rows(self, fold: str) -> Rows:
        if self._last is None or self._last[0] != fold:
            self._last = (fold, Rows.of(self._data, *self._data.fold(fold)))
        return self._last[1]
