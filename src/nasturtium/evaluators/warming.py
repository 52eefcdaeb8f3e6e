"""The first step of an optimiser loads a large part of torch; no trial should be charged for that."""

import torch
from torch import nn


def warm_up() -> None:
    """One step of training, on one number."""
    with torch.random.fork_rng(devices=[]):
        layer = nn.Linear(1, 1)
    layer(torch.ones(1, 1)).sum().backward()
    torch.optim.AdamW(layer.parameters(), lr=1e-3).step()
