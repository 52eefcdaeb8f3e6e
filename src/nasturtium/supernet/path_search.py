"""What the searches by paths share: train the weights along a course, then evolve on inherited scores."""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float
from torch import nn

from nasturtium.errors import RunError
from nasturtium.roles import Derived, SearchBudget, Trace, TraceEpoch, TraceReport, Wanted
from nasturtium.space import Architecture
from nasturtium.space.describe import plural
from nasturtium.supernet.allowed import allowed
from nasturtium.supernet.course import Beside, Course, Phase, Progress, follow
from nasturtium.supernet.evolution import Evolution, Known
from nasturtium.supernet.inherited import Inherited, parted
from nasturtium.supernet.one_shot import Pulse, SearchRows
from nasturtium.supernet.paths import PathNet
from nasturtium.training import Recipe, Resident, default_recipe, find_device

TRAINING_SHARE = 0.7
"""Of a deadline; the rest is for looking at paths."""
EFFORT = 3.0
"""Passes of the shared weights, relative to those of one network: they serve many."""
SAVED_S = 60.0


class Net(PathNet, Protocol):
    """A supernet whose mixtures are named (see `supernet.Supernet`)."""

    @property
    def mixtures(self) -> Sequence["Named"]: ...

    def chosen(self, architecture: Architecture) -> tuple[tuple[int, ...], ...]: ...

    def parameters(self) -> object: ...


class Named(Protocol):
    """A mixture."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> tuple[str, ...]: ...


Weights = tuple[Float[np.ndarray, " options"], ...]


@dataclass(frozen=True)
class Settings:
    """Of a method. recipe: of the shared weights, its augmentation and patience aside; None is the task's default with
    `EFFORT` times the passes. held: share of the rows that score paths."""

    method: str
    recipe: Recipe | None
    held: float


@dataclass(frozen=True)
class Asked:
    """What a caller of `OneShot.train` asks for, besides the budget."""

    seed: int
    wanted: Wanted | None
    report: TraceReport | None
    checkpoint: Path | None


class Session:
    """One search by paths: its data on the device, what is allowed, its trace, its files.

    Raises `LimitError` at once where nothing in the space is within the limits.
    """

    def __init__(self, settings: Settings, net: "Net", rows: SearchRows, budget: SearchBudget, asked: Asked) -> None:
        self.method, self.net, self.seed = settings.method, net, asked.seed
        self.report, self.file = asked.report, asked.checkpoint
        self.task, self.started = rows.task, time.monotonic()
        self.module = _module(net)
        self.wanted = asked.wanted or Wanted()
        self.candidates = allowed(net.space, asked.wanted)
        self.candidates.sample(np.random.default_rng(0))  # impossible limits are refused before any training
        device = next((parameter.device for parameter in self.module.parameters()), find_device("cpu"))
        self.data: Resident = parted(rows, settings.held, asked.seed, device)
        self.score = Inherited(net, self.data, rows.task)
        self.recipe = settings.recipe or default_recipe(rows.task, len(self.data.inputs), effort=EFFORT)
        self.recipe = replace(self.recipe, augment=rows.augment, precision=rows.precision)
        if budget.epochs is not None:
            self.recipe = replace(self.recipe, epochs=budget.epochs)
        self._deadline_s, self._pulse = budget.deadline_s, Pulse()
        mixtures = tuple((mixture.name, mixture.options) for mixture in net.mixtures)
        self.trace = Trace(settings.method, mixtures)
        self._even: Weights = tuple(np.full(len(options), 1 / max(1, len(options))) for _, options in mixtures)

    def train(
        self, phases: Sequence[Phase], beside: Beside | None = None, weights: Callable[[], Weights] | None = None
    ) -> Progress:
        """Follow the phases. weights: of the mixtures after a pass, for the trace; None: all options are equal."""
        course = Course(self.method, tuple(phases), self.recipe, self.seed, beside)
        left_s = self.left_s()  # what was prepared has taken its time: looking at paths must not pay for it
        training_s = None if left_s is None else TRAINING_SHARE * left_s

        def add(progress: Progress) -> None:
            """The passes that the trace has not yet; after a resumption these are several."""
            for loss in progress.losses[len(self.trace.epochs) :]:
                self._add(self._even if weights is None else weights(), loss, progress.seconds)

        def passed(progress: Progress) -> bool:
            add(progress)
            return self.report is not None and self.report(replace(self.trace, share=progress.share))

        progress = follow(
            course,
            self.net,
            self.module,
            self.data.inputs,
            self.data.targets,
            self.task,
            deadline_s=training_s,
            report=passed,
            checkpoint=self.file,
        )
        add(progress)
        remarks = self.trace.remarks
        if progress.parts > 1:
            remarks += (f"Memory ran out: each batch was run in {progress.parts} parts, their gradients added up.",)
        if progress.shortened:
            remarks += (
                f"Deadline: {training_s or 0:.3g} s allowed {progress.passes:.1f} of {self.recipe.epochs} epochs; the "
                "whole schedule was shortened to them.",
            )
        self.trace = replace(
            self.trace, ended=progress.ended, remarks=remarks, seconds=progress.seconds, passes=progress.passes
        )
        return progress

    def remark(self, sentence: str) -> None:
        """What a user should know of the search."""
        self.trace = replace(self.trace, remarks=(*self.trace.remarks, sentence))

    def derive(self, evolution: Evolution, first: Sequence[Architecture] = ()) -> Derived:
        """The best architectures on inherited scores; `wanted.count` of them."""
        known = self.known()
        last = [time.monotonic()]

        def score(architecture: Architecture) -> float:
            if time.monotonic() - last[0] > SAVED_S:
                last[0] = time.monotonic()
                self.keep(known)
            return self.score(architecture)

        found = evolution(
            score, self.candidates, self.seed, known=known, first=first, deadline_s=self.left_s(), enough=self._enough
        )
        self.keep(known)
        return self.derived([architecture for architecture, _ in found.scored], evolution.top)

    def ranked(self, architectures: Sequence[Architecture]) -> list[Architecture]:
        """By inherited scores, best first; what a deadline leaves no time for comes last. Those that are equal in score
        stay in their order."""
        known = self.known()
        for place, architecture in enumerate(architectures):
            left_s = self.left_s()
            if place and ((left_s is not None and left_s <= 0) or self._enough(place)):
                break
            codes = self.net.space.codes(architecture)
            if codes not in known:
                known[codes] = self.score(architecture)
        self.keep(known)
        return sorted(architectures, key=lambda one: _worst_last(known.get(self.net.space.codes(one))))

    def derived(self, ranked: Sequence[Architecture], top: int) -> Derived:
        """The first `wanted.count`, and the trace with what the `top` first have in common."""
        self._add(frequencies(self.net, ranked[:top]), float("nan"), time.monotonic() - self.started)
        return Derived(tuple(ranked[: self.wanted.count]), self.trace)

    def _enough(self, looked: int) -> bool:
        """Tells now and then how many paths were looked at, and whether to end there. A training that was stopped has
        had its answer: then it goes on."""
        if self.report is None or not self._pulse.due():
            return False
        if not self.report(replace(self.trace, looked=looked)) or self.trace.ended == "report":
            return False
        self.remark(f"Ended early: the best of the first {plural(looked, 'path')} that were looked at is derived.")
        return True

    def left_s(self) -> float | None:
        return None if self._deadline_s is None else max(0.0, self._deadline_s - (time.monotonic() - self.started))

    def known(self) -> Known:
        """Scores found by a search that was interrupted after its training."""
        file = self._scores
        if file is None or not file.is_file():
            return {}
        try:
            return {tuple(codes): score for codes, score in json.loads(file.read_text())}
        except (ValueError, TypeError) as error:
            raise RunError(f"The scores in {file} are damaged: {error}. Delete the file to find them anew.") from error

    def keep(self, known: Known) -> None:
        """Write scores beside the checkpoint; the file appears whole or not at all."""
        if self._scores is not None:
            partial = self._scores.with_name(f".{self._scores.name}.{os.getpid()}.partial")
            partial.write_text(json.dumps([[list(codes), score] for codes, score in known.items()]))
            os.replace(partial, self._scores)

    @property
    def _scores(self) -> Path | None:
        return None if self.file is None else self.file.with_name(f"{self.file.name}.scores.json")

    def _add(self, weights: Weights, loss: float, seconds: float) -> None:
        epoch = TraceEpoch(weights, _entropy(weights), None, loss, None)
        self.trace = replace(self.trace, epochs=(*self.trace.epochs, epoch), seconds=seconds)


def frequencies(net: "Net", architectures: Sequence[Architecture]) -> Weights:
    """How often each option of each mixture is active in these architectures; even where a mixture is dead in all."""
    counts = [np.zeros(len(mixture.options)) for mixture in net.mixtures]
    for architecture in architectures:
        for count, active in zip(counts, net.chosen(architecture), strict=True):
            count[list(active)] += 1
    return tuple(count / count.sum() if count.sum() else np.full(len(count), 1 / len(count)) for count in counts)


def _entropy(weights: Weights) -> float:
    """Mean over the mixtures, 1 where all options are equally probable."""
    found = [-float((w * np.log(np.maximum(w, 1e-300))).sum()) / np.log(len(w)) for w in weights if len(w) > 1]
    return float(np.mean(found)) if found else 1.0


def _worst_last(score: float | None) -> float:
    return -score if score is not None and isfinite(score) else inf


def _module(net: object) -> nn.Module:
    if not isinstance(net, nn.Module):
        raise TypeError(f"a supernet is a torch module, not {type(net).__name__}")
    return net
