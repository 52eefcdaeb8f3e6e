"""Inherited scores: an architecture with the weights of the supernet, recalibrated, on rows that trained no weights."""

from dataclasses import dataclass
from math import nan

import numpy as np
import torch

from nasturtium.data.assignment import stratified
from nasturtium.errors import RunError
from nasturtium.space import Architecture
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.paths import PathNet
from nasturtium.supernet.recalibration import BATCH, ROWS, recalibrate
from nasturtium.task import Task
from nasturtium.training import Resident, find_metric, generator, predict, resident

HELD = 0.2
"""Share of the rows that score paths."""


def parted(rows: SearchRows, held: float, seed: int, device: torch.device) -> Resident:
    """Training rows and rows that score, on the device, stratified by class, in an order drawn from the seed.

    held: share of the rows that score. Raises `RunError` where a part would have fewer than two rows.
    """
    count = len(rows.inputs)
    order = torch.randperm(count, generator=generator(seed, "parts"))
    classes = rows.task.kind == "classification"
    strata = np.asarray(rows.targets.cpu(), dtype=np.int64) if classes else np.zeros(count, dtype=np.int64)
    rng = np.random.default_rng([seed, 3])
    part = torch.from_numpy(stratified(strata, np.arange(count), (1 - held, held), rng))[order]
    kept, scoring = order[part == 0], order[part == 1]
    if min(len(kept), len(scoring)) < 2:
        raise RunError(f"A search needs at least 2 rows that train and 2 that score; {count} rows are too few.")
    return resident(
        rows.task,
        device,
        rows.inputs[kept.to(rows.inputs.device)],
        rows.targets[kept.to(rows.targets.device)],
        rows.inputs[scoring.to(rows.inputs.device)],
        rows.targets[scoring.to(rows.targets.device)],
        None,
    )


@dataclass(frozen=True, eq=False)
class Inherited:
    """Scores architectures with the weights of a supernet.

    data: as `parted` gives it. metric: a name of `METRICS`; None is the task's. rows, batch: of the recalibration.
    """

    net: PathNet
    data: Resident
    task: Task
    metric: str | None = None
    rows: int = ROWS
    batch: int = BATCH

    def __call__(self, architecture: Architecture) -> float:
        """How good it is: the metric, negated where less is better; NaN if an output is no number."""
        metric = find_metric(self.metric or self.task.metric, self.task.kind)
        value = self.measure(architecture)
        return value if metric.direction == "maximize" else -value

    def measure(self, architecture: Architecture) -> float:
        """The metric in its own unit."""
        data, metric = self.data, find_metric(self.metric or self.task.metric, self.task.kind)
        assert data.score_inputs is not None, "no rows that score"
        assert data.score_targets is not None
        network = self.net.extract(architecture).to(data.inputs.device)
        recalibrate(network, data.inputs, rows=self.rows, batch=self.batch)
        outputs = predict(network, data.score_inputs)
        if not np.isfinite(outputs).all():
            return nan
        return metric.function(outputs if data.scale is None else data.scale.restore(outputs), data.score_targets)
