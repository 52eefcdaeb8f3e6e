"""SynFlow: the flow through the network of its weights' magnitudes, without data.

Tanaka, Kunin, Yamins and Ganguli 2020, "Pruning neural networks without any data by iteratively conserving synaptic
flow", NeurIPS; arXiv:2006.05467. Summed over a network as in Abdelfattah et al. 2021
(arXiv:2101.08134).
"""

import torch
from torch import Tensor

from nasturtium.proxies._layers import NORMS, replace_modules, weighted, with_codes_of
from nasturtium.proxies._passes import Passes, layout, total


def synflow(passes: Passes) -> float:
    """Sum over weights of |weight * gradient| of the sum of outputs, for an input of ones and weights made absolute.

    Normalisations are left out, as batch normalisation is in the reference implementation (with its scale and shift),
    and numbers are float64: scores of deep networks exceed float32. Categorical columns have the code 1.
    """
    network = replace_modules(passes.fresh(), NORMS).double()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.abs_()
    ones = torch.ones_like(passes.batch.inputs[:1], dtype=torch.float64)
    flow: Tensor = network(layout(with_codes_of(ones, _codes(passes), passes.numbers))).sum()
    weights = [layer.weight for layer in weighted(network)]
    if not flow.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(flow, weights, allow_unused=True)
    return total((w * g).abs().sum() for w, g in zip(weights, gradients, strict=True) if g is not None)


def _codes(passes: Passes) -> Tensor:
    """One row of a table: 1 in every column, but 0 in one whose only code is 0."""
    signal = passes.batch.task.input
    codes = torch.ones_like(passes.batch.inputs[:1])
    for place, cardinality in enumerate(signal.cardinalities):
        codes[:, signal.shape[0] + place] = min(1, cardinality - 1)
    return codes
