"""The one training loop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite, isnan, nan
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from nasturtium.task import Task
from nasturtium.training._batches import Batches
from nasturtium.training._device import find_device, generator, is_out_of_memory, seeded, uses_bfloat16
from nasturtium.training._ema import Average
from nasturtium.training._graphs import GraphedStep, Step
from nasturtium.training._objective import build_loss, build_step, draw_share
from nasturtium.training._optim import build_optimizer, set_rate
from nasturtium.training._recipe import Recipe
from nasturtium.training._schedule import Pace, rate
from nasturtium.training._scoring import Resident, Rows, Scorer, resident
from nasturtium.training._target import TargetScale
from nasturtium.training.augment import build_augmenter
from nasturtium.training.metrics import Metric, find_metric

Report = Callable[[tuple[float, ...]], bool]
Ending = Literal["finished", "deadline", "report", "patience", "diverged"]

HALVINGS = 2
"""How often the batch is halved when memory runs out."""


@dataclass(frozen=True)
class Trained:
    """What came of a training; the weights are in the network.

    curve: score after each epoch in the metric's own unit, averaged weights applied; only the last one if nobody
        watches (neither `report` nor patience), and none without rows to score.
    score: of the weights that are kept; NaN if there is none or the training diverged.
    losses: mean training loss of each epoch. epochs: passes done in this call, a part counted as a part.
    kept_epochs: passes behind the weights that are kept; fewer than `epochs` only if patience went back to a better
        score. A retraining without rows to score is given these, because it has nothing to stop it early.
    target_scale: regression only; `predict` gives standardised values, `target_scale.restore` brings them back.
    notes: what a user should know, in sentences.
    """

    curve: tuple[float, ...]
    score: float
    losses: tuple[float, ...]
    epochs: float
    kept_epochs: float
    seconds: float
    ended: Ending
    target_scale: TargetScale | None = None
    notes: tuple[str, ...] = ()

    @property
    def diverged(self) -> bool:
        return self.ended == "diverged"

    @property
    def stopped(self) -> bool:
        """Did `report` ask for the end?"""
        return self.ended == "report"


def train(
    network: nn.Module,
    inputs: Rows,
    targets: Rows,
    score_inputs: Rows | None = None,
    score_targets: Rows | None = None,
    *,
    task: Task,
    recipe: Recipe,
    epochs: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    report: Report | None = None,
    deadline_s: float | None = None,
    start_epoch: int = 0,
    target_scale: TargetScale | None = None,
) -> Trained:
    """Train `network` in place and score it.

    inputs: standardised float rows [rows, *task.input.tensor_shape]. targets: class numbers [rows], 0/1 [rows, labels],
        or values in their own unit [rows, targets], which are standardised here by `target_scale` (fitted on `targets`
        if None). score_inputs, score_targets: rows that are scored by `task.metric`; None scores nothing.
    epochs: passes in all, `recipe.epochs` if None; `start_epoch` of them were done by the checkpoint that the network
        was loaded from. A continuation anneals anew over what is left, with a fresh optimiser: a lower rung has ended
        at rate 0 and was scored there, so only weights (averaged ones) are worth keeping.
    seed: order of rows, augmentation and dropout, each by its own generator; the initial weights are the caller's
        (`with seeded(seed): network = build(...)`). On the CPU the same seed gives the same weights, bit for bit, as
        long as `deadline_s` does not bind.
    report: called after each epoch with the curve so far; True ends the training.
    deadline_s: seconds after which the training has ended and scored by itself: the schedule is shortened to what fits.
    If memory runs out the batch is halved, at most twice; then the error is raised.
    """
    place = find_device(str(device))
    metric = find_metric(task.metric, task.kind)
    started = time.monotonic()
    network.to(place)
    start_state = _copy(network)
    passes = (recipe.epochs if epochs is None else epochs) - start_epoch
    for halving in range(HALVINGS + 1):
        used = replace(recipe, batch_size=max(1, recipe.batch_size >> halving))
        left_s = None if deadline_s is None else deadline_s - (time.monotonic() - started)
        try:
            data = resident(task, place, inputs, targets, score_inputs, score_targets, target_scale)
            with seeded(seed, f"train from {start_epoch}"):
                trained = _fit(network, data, task, metric, used, passes, seed, place, report, left_s)
        except RuntimeError as error:
            if not is_out_of_memory(error) or halving == HALVINGS:
                raise
            network.load_state_dict(start_state)
            continue
        notes = trained.notes
        if halving:
            notes += (f"Memory ran out: the batch was halved from {recipe.batch_size} to {used.batch_size} rows.",)
        return replace(trained, seconds=time.monotonic() - started, notes=notes)
    raise AssertionError("the last halving returns or raises")


def _fit(
    network: nn.Module,
    data: Resident,
    task: Task,
    metric: Metric,
    recipe: Recipe,
    epochs: int,
    seed: int,
    device: torch.device,
    report: Report | None,
    deadline_s: float | None,
) -> Trained:
    bf16 = uses_bfloat16(recipe.precision, device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    augmenter = build_augmenter(recipe.augment, task.input, data.inputs)
    batches = Batches(
        data.inputs, data.targets, recipe.batch_size, augmenter, generator(seed, "order"), generator(seed, "augment")
    )
    optimizer = build_optimizer(network, recipe, device)
    step: Step = build_step(network, optimizer, build_loss(task.kind, recipe), recipe, device, bf16)
    graphed = GraphedStep(step) if device.type == "cuda" else None
    average = Average(network, recipe.ema)
    pace = Pace(epochs * batches.steps, deadline_s, 0.5 * data.scored_rows / batches.batch_size)
    one_epoch = _Epoch(network, graphed or step, batches, optimizer, average, pace, recipe, generator(seed, "mixup"))
    curve, losses, ending = _epochs(one_epoch, Scorer(network, data, metric, average, pace, bf16), metric, report)
    done = pace.step / batches.steps
    return Trained(
        curve=curve,
        score=_kept(curve, metric, recipe.patience) if ending != "diverged" else nan,
        losses=losses,
        epochs=done,
        kept_epochs=done if recipe.patience is None or not curve else min(done, _best(curve, metric) + 1),
        seconds=0.0,
        ended=ending,
        target_scale=data.scale,
        notes=(f"Trained without a CUDA graph: {graphed.reason}.",) if graphed and graphed.reason else (),
    )


@dataclass(frozen=True)
class _Epoch:
    """One pass over the training rows, or what the pace allows of it. Returns the mean loss."""

    network: nn.Module
    step: Step
    batches: Batches
    optimizer: torch.optim.Optimizer
    average: Average
    pace: Pace
    recipe: Recipe
    mixing: torch.Generator

    def __call__(self) -> float:
        self.network.train()
        total, count = torch.zeros((), device=self.batches.device), 0
        for inputs, targets in self.batches.epoch():
            set_rate(self.optimizer, self.recipe.lr * rate(self.recipe, self.pace.progress))
            share = torch.tensor(draw_share(self.recipe.augment.mixup, self.mixing))
            total += self.step(inputs, targets, share.to(self.batches.device))
            self.average.update()
            self.pace.advance()
            count += 1
            if self.pace.done:
                break
        return float(total) / count


def _epochs(
    epoch: _Epoch, scorer: Scorer, metric: Metric, report: Report | None
) -> tuple[tuple[float, ...], tuple[float, ...], Ending]:
    """Train and score until something ends it; the network is left with the weights that are kept."""
    patience, scores = epoch.recipe.patience, scorer.data.scored_rows > 0
    watched = scores and (report is not None or patience is not None)
    curve: list[float] = []
    losses: list[float] = []
    best = _Best(metric, patience)
    ending: Ending = "finished"
    while not epoch.pace.done and ending == "finished":
        losses.append(epoch())
        if not isfinite(losses[-1]):
            ending = "diverged"
        elif watched:
            curve.append(scorer())
            best.see(curve[-1], scorer)
            if isnan(curve[-1]):
                ending = "diverged"
            elif report is not None and report(tuple(curve)):
                ending = "report"
            elif best.waited:
                ending = "patience"
    if ending == "finished" and epoch.pace.step < epoch.pace.steps:
        ending = "deadline"
    if scores and not watched and ending != "diverged":
        curve.append(scorer())
        ending = "diverged" if isnan(curve[-1]) else ending
    epoch.average.swap()
    best.restore(scorer.network)
    return tuple(curve), tuple(losses), ending


class _Best:
    """The best weights so far, for early stopping; without patience it keeps nothing."""

    def __init__(self, metric: Metric, patience: int | None) -> None:
        self._metric, self._patience = metric, patience
        self._score, self._waited = nan, 0
        self._state: dict[str, Tensor] | None = None

    @property
    def waited(self) -> bool:
        return self._patience is not None and self._waited >= self._patience

    def see(self, score: float, scorer: Scorer) -> None:
        if self._patience is None:
            return
        self._waited += 1
        if self._metric.better(score, self._score):
            self._score, self._waited = score, 0
            with scorer.average.applied():
                self._state = _copy(scorer.network)

    def restore(self, network: nn.Module) -> None:
        if self._state is not None:
            network.load_state_dict(self._state)


def _kept(curve: tuple[float, ...], metric: Metric, patience: int | None) -> float:
    if not curve:
        return nan
    return curve[-1] if patience is None else curve[_best(curve, metric)]


def _best(curve: tuple[float, ...], metric: Metric) -> int:
    """Number of the first best epoch, from 0."""
    return int(np.argmax(curve) if metric.direction == "maximize" else np.argmin(curve))


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
