"""Outputs of a network for many rows."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn


def layout(inputs: Tensor) -> Tensor:
    """Images channels-last, which convolutions and pooling prefer on CPUs and GPUs; the rest as it is."""
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.ndim == 4 else inputs.contiguous()


def predict(
    network: nn.Module, inputs: Float[Tensor, "rows ..."], batch: int = 512, bfloat16: bool = False
) -> Float[np.ndarray, "rows outputs"]:
    """Logits, or values in standardised target units, as float32. The network runs where its weights are.

    batch: rows a forward pass. The network's mode (training or not) is put back.
    """
    weight = next(network.parameters(), None)
    device = inputs.device if weight is None else weight.device
    training = network.training
    network.eval()
    try:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            chunks = [network(layout(chunk.to(device))).float().cpu() for chunk in inputs.split(batch)]
    finally:
        network.train(training)
    return torch.cat(chunks).numpy()
