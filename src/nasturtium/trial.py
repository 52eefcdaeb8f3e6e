"""The record of a search: objectives, fidelities, trials, history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float

from nasturtium.space import Architecture

Direction = Literal["maximize", "minimize"]
State = Literal["running", "complete", "stopped", "failed"]


@dataclass(frozen=True)
class Objective:
    """One thing to optimise, named as in `Outcome.measures`: a metric such as "accuracy" or a cost such as "params"."""

    name: str
    direction: Direction

    @property
    def sign(self) -> float:
        """Factor that turns a value into a loss, where smaller is better."""
        return -1.0 if self.direction == "maximize" else 1.0


@dataclass(frozen=True, order=True)
class Fidelity:
    """How much is spent on one score. Ordered by epochs, then share.

    epochs: passes over the training rows, counted from the untrained network (a continuation includes its parent's).
    share: part of the training rows used, in (0, 1].
    """

    epochs: int
    share: float = 1.0


@dataclass(frozen=True)
class Trial:
    """One evaluation of one architecture at one fidelity.

    number: 0, 1, 2 … in the order of proposal.
    seed: of this trial's training, derived from the study's seed and `number`.
    origin: name of the strategy that proposed it; "random" for the control.
    state: "stopped" trials were ended early by the scheduler and keep the measures reached so far.
    measures: everything that was measured, by name; holds each objective when complete or stopped.
    curve: validation score after each epoch, in the metric's own unit.
    seconds: time in the worker. parent: number of the trial that this one continues.
    checkpoint: file with the weights. failure: the reason in a few words (failed trials only).
    """

    number: int
    architecture: Architecture
    fidelity: Fidelity
    seed: int
    origin: str
    state: State = "running"
    measures: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    seconds: float = 0.0
    parent: int | None = None
    checkpoint: str | None = None
    failure: str | None = None

    @property
    def scored(self) -> bool:
        return self.state in ("complete", "stopped")


@dataclass(frozen=True)
class History:
    """All trials of a study so far, in the order of their numbers: all that a strategy or scheduler learns from."""

    objectives: tuple[Objective, ...]
    trials: tuple[Trial, ...] = ()

    @cached_property
    def scored(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.scored)

    @cached_property
    def running(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.state == "running")

    @cached_property
    def ids(self) -> frozenset[str]:
        """`arch_id` of everything proposed so far, failed and running included."""
        return frozenset(trial.architecture.arch_id for trial in self.trials)

    def losses(self, trials: tuple[Trial, ...] | None = None) -> Float[np.ndarray, "trials objectives"]:
        """Objective values of `trials` (default: the scored ones), signed so that smaller is better."""
        chosen = self.scored if trials is None else trials
        rows = [[goal.sign * trial.measures[goal.name] for goal in self.objectives] for trial in chosen]
        return np.asarray(rows, dtype=float).reshape(len(chosen), len(self.objectives))
