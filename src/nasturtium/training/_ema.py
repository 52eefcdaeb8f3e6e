"""An exponential moving average of the weights (Polyak and Juditsky 1992; warm decay as in TensorFlow)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Averages parameters and floating-point buffers (the statistics of batch norms) of a network.

    The decay at update t is min(decay, (1 + t) / (10 + t)), so the start is forgotten and no bias correction is needed.
    A decay of 0 averages nothing.
    Statistics are averaged with the same weights as the parameters they belong to.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._live = list(_floats(network)) if decay > 0 else []
        self._mean = [tensor.detach().clone() for tensor in self._live]
        self._decay = decay
        self._updates = 0

    @torch.no_grad()
    def update(self) -> None:
        if not self._live:
            return
        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        torch._foreach_lerp_(self._mean, self._live, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's tensors and the averages."""
        for live, mean in zip(self._live, self._mean, strict=True):
            kept = live.clone()
            live.copy_(mean)
            mean.copy_(kept)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the network holds the averages."""
        self.swap()
        try:
            yield
        finally:
            self.swap()


def _floats(network: nn.Module) -> Iterator[Tensor]:
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.is_floating_point():
            yield tensor.data
