"""Sequences: a shift in time, a change of amplitude, a blanked span, noise."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nasturtium.training._recipe import Augmentation


@dataclass(frozen=True)
class SequenceAugmenter:
    recipe: Augmentation

    def __call__(
        self, rows: Float[Tensor, "rows channels length"], generator: torch.Generator
    ) -> Float[Tensor, "rows channels length"]:
        r = self.recipe
        count, _, length = rows.shape
        time = torch.arange(length, device=rows.device)
        if r.shift:
            draw = 2 * torch.rand(count, 1, generator=generator).to(rows.device) - 1
            moved = (time + (draw * r.shift * length).round().long()).clamp(0, length - 1)  # the ends are repeated
            rows = rows.gather(2, moved[:, None, :].expand(rows.shape))
        if r.scale:
            draw = 2 * torch.rand(count, 1, 1, generator=generator).to(rows.device) - 1
            rows = rows * (1 + r.scale) ** draw
        if r.cutout:
            place = torch.rand(count, 1, 1, generator=generator).to(rows.device) * length
            rows = rows.masked_fill((time + 0.5 - place).abs() < r.cutout * length / 2, 0.0)
        if r.noise:
            rows = rows + r.noise * torch.randn(rows.shape, generator=generator).to(rows.device)
        return rows
