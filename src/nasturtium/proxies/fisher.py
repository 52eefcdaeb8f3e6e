"""Fisher: the loss of removing channels.

Theis, Korshunova, Tejani and Huszár 2018, "Faster gaze prediction with dense networks and Fisher pruning";
arXiv:1801.05787. As a score of networks: Turner et al. 2020, "BlockSwap", ICLR; arXiv:1906.04113, and
Abdelfattah et al. 2021, arXiv:2101.08134, whose code this follows.
"""

from nasturtium.proxies._passes import Passes, total


def fisher(passes: Passes) -> float:
    """Sum over channels of 1/2 mean over rows of (sum over places of output * gradient)^2.

    Outputs are those of convolutions and linear layers, before normalisation. A channel counts once for each of its
    weights, as in the reference implementation, which hands each weight the value of its channel.
    """
    found = []
    for layer, output, gradient in passes.activations:
        by_row = (output * gradient).flatten(2).sum(2) if output.ndim > 2 else output * gradient
        found.append(by_row.square().mean(0).sum() / 2 * layer.weight[0].numel())
    return total(found)
