"""Full training with the median stopping rule.

Golovin, Solnik, Moitra, Kochanski, Karro and Sculley, "Google Vizier: A Service for Black-Box Optimization", KDD 2017,
section 3.2.1: a trial ends when its best score so far is worse than the median of the others' running averages.
"""

from dataclasses import dataclass

import numpy as np

from nasturtium.errors import RunError
from nasturtium.roles import Fresh
from nasturtium.schedulers.extrapolation import refuse_several
from nasturtium.trial import Fidelity, History


@dataclass(frozen=True)
class MedianStopping:
    """Every trial is fresh and trains for `epochs`, or ends early by the rule.

    Curves hold the first objective's metric; with several objectives `next` raises `RunError`. least_trials: scored
    trials needed before any is stopped. warm_up: part of the epochs that every trial gets.
    """

    epochs: int
    least_trials: int = 5
    warm_up: float = 0.25
    name: str = "median-stopping"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.least_trials < 1 or not 0.0 <= self.warm_up < 1.0:
            raise RunError(
                f"epochs is {self.epochs}, least_trials {self.least_trials} and warm_up {self.warm_up}: at least 1, at "
                "least 1, and a part of the epochs from 0 to below 1 are needed."
            )

    def next(self, history: History) -> Fresh:
        refuse_several(history, self.name)
        return Fresh(Fidelity(self.epochs))

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        reached = len(curve)
        if reached == 0 or reached >= self.epochs or reached < self.warm_up * self.epochs:
            return False
        # Trials stopped before this epoch say how bad the bad ones were, so they count with what they reached.
        averages = [np.mean(trial.curve[:reached]) for trial in history.scored if trial.curve]
        if len(averages) < self.least_trials:
            return False
        sign = history.objectives[0].sign
        return bool(min(sign * value for value in curve) > np.median(sign * np.array(averages)))
