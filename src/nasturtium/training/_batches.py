"""Batches of an epoch: shuffled, augmented, resident on the device."""

from collections.abc import Iterator

import torch
from torch import Tensor

from nasturtium.training._predict import layout
from nasturtium.training.augment import Augmenter

CHUNK_NUMBERS = 4_000_000
"""Numbers that are gathered and augmented at once (16 MB): many batches share one call of each operation."""


class Batches:
    """Full batches of randomly ordered rows, a new order in each epoch. The incomplete last batch is dropped.

    inputs: [rows, ...] on the device; targets: [rows] or [rows, outputs] on the device. order, augmentation: CPU
    generators, so that every device sees the same rows and the same draws.
    """

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int,
        augmenter: Augmenter | None,
        order: torch.Generator,
        augmentation: torch.Generator,
    ) -> None:
        self.batch_size = min(batch_size, len(inputs))
        self.steps = len(inputs) // self.batch_size
        self.device = inputs.device
        self._inputs, self._targets = inputs, targets
        self._augmenter = augmenter
        self._order, self._augmentation = order, augmentation
        numbers = self.batch_size * max(1, inputs[0].numel())
        self._chunk = self.batch_size * max(1, CHUNK_NUMBERS // numbers)

    def epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self._inputs), generator=self._order)[: self.steps * self.batch_size]
        for rows in order.to(self._inputs.device).split(self._chunk):
            inputs, targets = self._inputs[rows], self._targets[rows]
            if self._augmenter is not None:
                inputs = self._augmenter(inputs, self._augmentation)
            yield from zip(layout(inputs).split(self.batch_size), targets.split(self.batch_size), strict=True)
