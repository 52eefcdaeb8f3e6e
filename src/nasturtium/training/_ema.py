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

    means, updates: all the state there is, in the order of the network's tensors; for checkpoints.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._live = list(_floats(network)) if decay > 0 else []
        self.means = [tensor.detach().clone() for tensor in self._live]
        self._decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self) -> None:
        if not self._live:
            return
        self.updates += 1
        decay = min(self._decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.means, self._live, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's tensors and the averages."""
        for live, mean in zip(self._live, self.means, strict=True):
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
