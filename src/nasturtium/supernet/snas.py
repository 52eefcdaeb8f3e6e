"""SNAS: the weights of a step are drawn from a concrete distribution whose temperature falls.

Xie, Zheng, Liu and Lin, "SNAS: Stochastic Neural Architecture Search", ICLR 2019 (arXiv:1812.09926), sections 2.2 and
2.3; its resource constraint is the `limits` of any search here.
"""

from functools import partial

from nasturtium.supernet.bilevel import Bilevel, Parameters, Settings
from nasturtium.supernet.one_shot import Mix, Moment
from nasturtium.supernet.relaxation import gumbel, log_probabilities, mixed

PUBLISHED = Settings(epochs=150, train_share=1.0)
"""Weights and architecture learn from the same loss on all training rows (section 2.2): no second part is held back."""
NASBENCH201 = Settings(epochs=100)
"""As the authors of DrNAS ran it there (92.77 / 69.34 / 43.16): bilevel."""


def snas(settings: Settings = PUBLISHED, *, hot: float = 1.0, cold: float = 0.03) -> Bilevel:
    """hot, cold: the temperature falls from one to the other, evenly over the search, as in the authors' code."""
    return Bilevel("SNAS", partial(relax, hot=hot, cold=cold), settings)


def snas_nasbench201(settings: Settings = NASBENCH201) -> Bilevel:
    """With the temperatures of the comparison in DrNAS (10 to 1)."""
    return snas(settings, hot=10.0, cold=1.0)


def relax(parameters: Parameters, moment: Moment, hot: float, cold: float) -> Mix:
    """softmax((log alpha + Gumbel noise) / temperature)."""
    temperature = hot + (cold - hot) * moment.progress
    logs = log_probabilities(parameters, moment)
    return mixed([gumbel(log, temperature, moment.draws) for log in logs], logs, moment)
