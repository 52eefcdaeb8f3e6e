"""Plain: SNIP's sensitivity with its sign.

Abdelfattah et al. 2021, "Zero-cost proxies for lightweight NAS", ICLR; arXiv:2101.08134 (their code's `plain`), after
Mozer and Smolensky 1988, "Skeletonization: a technique for trimming the fat from a network via relevance assessment".
"""

from nasturtium.proxies._passes import Passes, total


def plain(passes: Passes) -> float:
    """Sum over weights of weight * gradient.

    It is 0, but for rounding, for weights before a batch normalisation: the loss does not depend on their scale. What
    is left is the classifier and convolutions whose output is added before it is normalised, and there the sign depends
    on the initial weights and the labels of the batch, so much of the score is chance: another initialisation ranks the
    same networks otherwise (`benchmarks/results/proxies-initialisations.json`).
    """
    return total((w.detach() * g).sum() for w, g in zip(passes.weights, passes.gradients, strict=True))
