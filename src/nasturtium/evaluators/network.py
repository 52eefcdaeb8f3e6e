"""Train one network for one job."""

from dataclasses import asdict, dataclass, replace
from math import isnan

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import nn

from nasturtium.blocks import Expr, construct, counted, deployed
from nasturtium.data import Development, InputStatistics, input_statistics
from nasturtium.data.assignment import stratified
from nasturtium.evaluators.subjects import lowered
from nasturtium.roles import Job, Outcome, Report
from nasturtium.space import Architecture
from nasturtium.task import Task
from nasturtium.training import (
    METRICS,
    Recipe,
    TargetScale,
    load_checkpoint,
    predict,
    save_checkpoint,
    seeded,
    train,
)

STOPPING_SHARE = 0.15
"""Of the training rows of a resplit, where patience ends trainings."""


@dataclass(frozen=True)
class Rows:
    """The rows of one fold, raw, and the statistics of those that train."""

    inputs: Shaped[np.ndarray, "train ..."]
    targets: Shaped[np.ndarray, "train ..."]
    score_inputs: Shaped[np.ndarray, "score ..."]
    score_targets: Shaped[np.ndarray, "score ..."]
    statistics: InputStatistics

    @staticmethod
    def of(data: Development, train_rows: np.ndarray, score_rows: np.ndarray) -> "Rows":
        return Rows(
            data.inputs[train_rows],
            data.targets[train_rows],
            data.inputs[score_rows],
            data.targets[score_rows],
            input_statistics(data, train_rows),
        )

    def share(self, share: float) -> "Rows":
        """A random part of the training rows; smaller shares are subsets of larger ones."""
        if share == 1.0:
            return self
        order = np.random.default_rng(len(self.inputs)).permutation(len(self.inputs))
        kept = order[: max(1, round(len(order) * share))]
        return replace(self, inputs=self.inputs[kept], targets=self.targets[kept])

    def watched(self) -> "Rows":
        """Train on most of the training rows and score on the rest, stratified: the rows that score stay unseen."""
        rows = np.arange(len(self.inputs))
        strata = self.targets if np.issubdtype(self.targets.dtype, np.integer) else np.zeros_like(rows)
        part = stratified(strata, rows, (1 - STOPPING_SHARE, STOPPING_SHARE), np.random.default_rng(len(rows)))
        kept, held = np.flatnonzero(part == 0), np.flatnonzero(part == 1)
        return Rows(self.inputs[kept], self.targets[kept], self.inputs[held], self.targets[held], self.statistics)


def train_network(job: Job, expr: Expr, task: Task, rows: Rows, recipe: Recipe, device: str, report: Report) -> Outcome:
    """Build, train, score and (where the job asks) save the whole model, pre-processing included.

    Patience keeps the weights of the best epoch, whose score is flattered on the rows that chose it. In the search that
    is the same for every network; on a resplit, where networks meet simple models, it looks at training rows instead.
    """
    with seeded(job.seed):
        model = construct(deployed(expr, task))
    set_statistics(model, rows.statistics)
    done = 0 if job.parent is None else round(load_checkpoint(model, job.parent)["epochs"])
    used = rows.share(job.fidelity.share)
    scores = len(used.score_inputs) > 0
    seen = used.watched() if scores and recipe.patience is not None and job.fold != "search" else used
    network = model.get_submodule("network")
    trained = train(
        network,
        standardised(model, seen.inputs),
        torch.from_numpy(seen.targets),
        standardised(model, seen.score_inputs) if scores else None,
        torch.from_numpy(seen.score_targets) if scores else None,
        task=task,
        recipe=replace(recipe, lr=job.rate * recipe.lr),
        epochs=job.fidelity.epochs,
        start_epoch=done,
        seed=job.seed,
        device=device,
        report=report if scores and job.fold == "search" else None,  # elsewhere nothing ends a training early
        deadline_s=job.deadline_s,
    )
    if trained.diverged or (scores and isnan(trained.score)):
        return Outcome(curve=trained.curve, seconds=trained.seconds, failure="training diverged")
    if trained.target_scale is not None:
        _set(model.get_submodule("output"), trained.target_scale.mean, trained.target_scale.std)
    measures = {name: float(value) for name, value in asdict(counted(expr, task.input)).items()}
    measures |= {"epochs": trained.epochs, "kept_epochs": done + trained.kept_epochs}
    if scores:
        measures |= score(model.cpu(), used, task)
    if job.checkpoint is not None:
        cut = trained.ended == "deadline"
        save_checkpoint(model, job.checkpoint, {"epochs": done + trained.epochs if cut else job.fidelity.epochs})
    return Outcome(measures, trained.curve, trained.seconds, job.checkpoint, trained.stopped)


def score(model: nn.Module, rows: Rows, task: Task) -> dict[str, float]:
    """The task's metric, and for classification the log-loss, which tells apart networks of equal accuracy."""
    outputs = predict(model, torch.as_tensor(rows.score_inputs, dtype=torch.float32))
    names = {task.metric} | ({"log-loss"} if task.kind == "classification" else set())
    return {name: METRICS[name].function(outputs, rows.score_targets) for name in names}


def set_statistics(model: nn.Module, statistics: InputStatistics) -> None:
    """Fill the buffers of the pre-processing."""
    if hasattr(model, "input"):
        _set(model.get_submodule("input"), statistics.mean, statistics.std)


def assembled(
    architecture: Architecture, task: Task, network: nn.Module, statistics: InputStatistics, scale: TargetScale | None
) -> nn.Module:
    """The whole model around a network of `architecture`: raw rows in, scores in the target's own unit out.

    statistics: of the rows that trained it; scale: of their targets, for a regression.
    """
    model = construct(deployed(lowered(architecture, task), task))
    set_statistics(model, statistics)
    model.add_module("network", network)
    if scale is not None:
        _set(model.get_submodule("output"), scale.mean, scale.std)
    return model


def standardised(model: nn.Module, inputs: Shaped[np.ndarray, "rows ..."]) -> Float[torch.Tensor, "rows ..."]:
    """Raw inputs as the network sees them."""
    raw = torch.as_tensor(np.ascontiguousarray(inputs)).to(torch.float32)
    with torch.no_grad():
        done: torch.Tensor = model.get_submodule("input")(raw) if hasattr(model, "input") else raw
    return done


def _set(module: nn.Module, mean: object, std: object) -> None:
    for name, value in (("mean", mean), ("std", std)):
        buffer = module.get_buffer(name)
        buffer.copy_(torch.as_tensor(value, dtype=torch.float32).reshape(buffer.shape))
