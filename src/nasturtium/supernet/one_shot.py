"""What gradient-based searches share: the rows of a search in two parts, and the weights of a step."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from nasturtium.errors import RunError
from nasturtium.task import Task
from nasturtium.training import Augmentation, Batches, build_augmenter, generator, resident

if TYPE_CHECKING:
    from nasturtium.supernet.mixtures import Mixture

PULSE_S = 2.0
Pair = tuple[Tensor, Tensor]
"""Inputs and targets of a batch."""


@dataclass(frozen=True, eq=False)
class SearchRows:
    """The training rows of a search: one part trains the weights, the other the architecture.

    inputs: standardised float rows `[rows, *task.input.tensor_shape]`. targets: class numbers `[rows]`, 0/1
    `[rows, labels]`, or values in their own unit `[rows, targets]`. Neither the validation nor the test rows of the
    protocol are in here. augment: random changes, of both parts alike, as in the published searches; its mixup is not
    made.
    """

    inputs: Shaped[Tensor, "rows ..."]
    targets: Shaped[Tensor, "rows ..."]
    task: Task
    augment: Augmentation = field(default_factory=Augmentation)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


@dataclass(frozen=True)
class Mix:
    """Weights of the mixtures in one step.

    weights: of each mixture `[options]`, attached to the architecture parameters. active: the options that are
    computed; None computes all.
    """

    weights: tuple[Float[Tensor, " options"], ...]
    active: tuple[tuple[int, ...], ...] | None = None


@dataclass(frozen=True)
class Moment:
    """Where a step is. progress: of the schedule, from 0 to 1; temperatures and penalties follow it.

    kept: the options of each mixture that have not been pruned. draws: the step's own generator, on the CPU.
    """

    mixtures: "tuple[Mixture, ...]"
    progress: float
    kept: tuple[tuple[int, ...], ...]
    draws: torch.Generator


class Halves:
    """Two parts of the rows on the device, and the batches of an epoch: (for the weights, for the architecture).

    share: of the rows that train the weights; 1 gives all rows to both. Which rows are in which part, their order in an
    epoch and how they are augmented follow from the seed and the number of the epoch, so that a resumed search sees the
    same batches. An epoch is one pass over the rows of the weights; those of the architecture begin anew where they are
    fewer.
    """

    def __init__(self, rows: SearchRows, batch_size: int, share: float, seed: int, device: torch.device) -> None:
        total = len(rows.inputs)
        first = round(share * total)
        if min(first, total - first if share < 1 else total) < 2:
            raise RunError(f"A search needs at least 4 training rows, 2 for each part, and there are {total}.")
        held = resident(rows.task, device, rows.inputs, rows.targets, None, None, None)
        order = torch.randperm(total, generator=generator(seed, "parts")).to(device)
        parts = (order[:first], order[first:] if share < 1 else order)
        self._parts = [(held.inputs[part], held.targets[part]) for part in parts]
        self._batch_size = min(batch_size, *(len(part) for part in parts))
        self._augmenter = build_augmenter(rows.augment, rows.task.input, held.inputs[order[:first]])
        self._seed = seed
        self.steps = first // self._batch_size

    def epoch(self, number: int, skip: int = 0) -> Iterator[tuple[Pair, Pair]]:
        """The batches of an epoch; the first `skip` are left out, the draws of the others stay the same."""
        weights = self._batches(0, f"weights {number}").epoch()
        again = (self._batches(1, f"architecture {number}.{turn}").epoch() for turn in count())
        pairs = zip(weights, chain.from_iterable(again), strict=False)
        for place, pair in enumerate(pairs):
            if place >= skip:
                yield pair

    def fixed(self) -> Pair:
        """The first rows for the architecture, not augmented: what curvature is measured on."""
        inputs, targets = self._parts[1]
        return inputs[: self._batch_size], targets[: self._batch_size]

    def _batches(self, part: int, name: str) -> Batches:
        inputs, targets = self._parts[part]
        draws = (generator(self._seed, f"{purpose} of {name}") for purpose in ("order", "augmentation"))
        return Batches(inputs, targets, self._batch_size, self._augmenter, *draws)


class Pulse:
    """When long work should tell of itself: at most every `PULSE_S` seconds, counted from its beginning."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def due(self) -> bool:
        """Asked at every step; True where so much time has passed, which then counts as told."""
        now = time.monotonic()
        if now - self._told_at < PULSE_S:
            return False
        self._told_at = now
        return True
