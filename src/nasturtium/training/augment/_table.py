"""Tables: noise on the numeric columns; codes are left alone."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class TableAugmenter:
    """noise: standard deviation, in units of the standardised column. numeric: number of leading numeric columns."""

    noise: float
    numeric: int

    def __call__(
        self, rows: Float[Tensor, "rows columns"], generator: torch.Generator
    ) -> Float[Tensor, "rows columns"]:
        draw = self.noise * torch.randn(len(rows), self.numeric, generator=generator).to(rows.device)
        return torch.cat([rows[:, : self.numeric] + draw, rows[:, self.numeric :]], dim=1)
