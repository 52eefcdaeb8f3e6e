"""Costs of simple models, watched and checked before they compete."""

import pytest
import torch
from torch import nn

from nasturtium.evaluators.watched import peak_memory


class TwoBranches(nn.Module):
    """One row of 10 numbers; 100 and 100 are alive at once, and then their sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(10, 100), nn.Linear(10, 100)

    def forward(self, x):
        return self.first(x) + self.second(x)


@pytest.mark.parametrize(
    ("module", "numbers"),
    [
        (nn.Linear(10, 4), 10 + 4),
        (nn.Sequential(nn.Linear(10, 100), nn.ReLU(), nn.Linear(100, 4)), 10 + 100 + 100),
        (TwoBranches(), 10 + 100 + 100 + 100),
        (nn.Sequential(nn.Flatten(), nn.Unflatten(1, (2, 5)), nn.Flatten()), 10),
    ],
)
def test_peak_memory_is_that_of_the_tensors_alive_at_once(module: nn.Module, numbers: int) -> None:
    row = torch.zeros(1, 10)
    assert peak_memory(module.eval(), row) == 4 * numbers
    assert peak_memory(module.eval(), row) == 4 * numbers
