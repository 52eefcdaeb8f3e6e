"""GDAS: one option an edge is drawn in every step, with the gradient of a Gumbel-softmax.

Dong and Yang, "Searching for A Robust Neural Architecture in Four GPU Hours", CVPR 2019 (arXiv:1910.04465), sections
3.2 and 3.3; settings of NAS-Bench-201 (Dong and Yang 2020).
"""

from functools import partial

from nasturtium.supernet.bilevel import Bilevel, Parameters, Settings
from nasturtium.supernet.one_shot import Mix, Moment
from nasturtium.supernet.relaxation import gumbel, log_probabilities, straight_through

NASBENCH201 = Settings.nasbench201(epochs=250)


def gdas(settings: Settings = NASBENCH201, *, hot: float = 10.0, cold: float = 0.1, broadcast: bool = False) -> Bilevel:
    """hot, cold: the temperature falls from one to the other, evenly over the search.

    Only the drawn options are computed, so the gradient of the others comes through the softmax alone. broadcast: as in
    the authors' code for NAS-Bench-201, with which the published cells were found, the weights of the others are added
    to the node and have the sum of its gradients; the paper has no such term.
    """
    return Bilevel("GDAS", partial(relax, hot=hot, cold=cold), settings, idle=broadcast)


def relax(parameters: Parameters, moment: Moment, hot: float, cold: float) -> Mix:
    """Hard in the forward pass, soft in the backward pass."""
    temperature = hot + (cold - hot) * moment.progress
    drawn = [straight_through(gumbel(log, temperature, moment.draws)) for log in log_probabilities(parameters, moment)]
    return Mix(tuple(weights for weights, _ in drawn), tuple((option,) for _, option in drawn))
