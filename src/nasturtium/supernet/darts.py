"""DARTS: every option of every edge at once, weighed by a softmax.

Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019 (arXiv:1806.09055).
"""

from typing import Literal

from nasturtium.supernet.bilevel import Bilevel, Parameters, Settings
from nasturtium.supernet.eigenvalue import EarlyStop
from nasturtium.supernet.one_shot import Mix, Moment
from nasturtium.supernet.relaxation import log_probabilities, mixed

PUBLISHED = Settings()


def darts(
    settings: Settings = PUBLISHED, *, order: Literal[1, 2, "exact"] = 1, early_stop: EarlyStop | None = None
) -> Bilevel:
    """order: of the architecture's gradient (section 2.3). early_stop: R-DARTS' (Zela et al. 2020), off by default.

    Settings of the NAS-Bench-201 paper: `darts(Settings.nasbench201())`, where it ends in skip connections alone.
    """
    return Bilevel("DARTS", relax, settings, order=order, early_stop=early_stop)


def relax(parameters: Parameters, moment: Moment) -> Mix:
    """Equation 2: the weight of an option is its softmax."""
    logs = log_probabilities(parameters, moment)
    return mixed([log.exp() for log in logs], logs, moment)
