"""The counts that every proxy has to beat."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.proxies._passes import Passes, layout


def params(passes: Passes) -> float:
    """Trainable numbers."""
    return float(sum(weights.numel() for weights in passes.network.parameters()))


@torch.no_grad()
def macs(passes: Passes) -> float:
    """Multiply-accumulates of convolutions, linear layers and matrix products, for one row."""
    network = passes.fresh().eval()
    with FlopCounterMode(display=False) as counter:
        network(layout(passes.batch.inputs[:1]))
    return counter.get_total_flops() / 2
