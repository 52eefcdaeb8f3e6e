"""Full training, ended where the learning curve leaves no hope of beating the best.

Ours; the rule (end a training when the probability that it ends better than the best so far is small) is that of
Domhan, Springenberg and Hutter, "Speeding up Automatic Hyperparameter Optimization of Deep Neural Networks by
Extrapolation of Learning Curves", IJCAI 2015, section 3. The extrapolation is not theirs: see `predictors.curves`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import norm

from nasturtium.errors import RunError
from nasturtium.predictors import CurveModel, are_telling, ladder, learn_shape
from nasturtium.roles import Fresh
from nasturtium.trial import Fidelity, History

Curves = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class CurveStopping:
    """Every trial is fresh and trains for `epochs`, or ends early by the rule.

    threshold: least probability of beating the bar that keeps a trial going. top: the bar is the score that this part
    of the finished trials reach or beat; 0: the best. least_epochs: that every trial gets. Until 3 trials have
    finished, and while all of them have ended at one score, none is ended. Curves hold the first objective's score;
    with several objectives a trial that loses by it may win by another, which a curve cannot tell, so `next` raises
    `RunError`.
    """

    epochs: int
    threshold: float = 0.05
    top: float = 0.0
    least_epochs: int = 1
    name: str = "curve-extrapolation"

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise RunError(f"threshold is {self.threshold}: a probability between 0 and 1 is needed.")
        if not 0.0 <= self.top < 1.0:
            raise RunError(f"top is {self.top}: a part of the trials between 0 and 1 is needed.")

    def next(self, history: History) -> Fresh:
        refuse_several(history, self.name)
        return Fresh(Fidelity(self.epochs))

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        if not max(1, self.least_epochs) <= len(curve) < self.epochs or not np.isfinite(curve).all():
            return False
        curves = tuple(trial.curve for trial in history.scored if trial.curve)
        finished = [one[self.epochs - 1] for one in curves if len(one) >= self.epochs]
        if not are_telling(finished):
            return False
        sign = history.objectives[0].sign
        bar = float(np.quantile(sign * np.array(finished), self.top))
        means, deviations = _fitted(curves, self.epochs).predict([curve])
        return bool(norm.cdf(bar, sign * means[0], max(float(deviations[0]), 1e-12)) < self.threshold)


def refuse_several(history: History, name: str) -> None:
    """Raises `RunError` for more than one objective."""
    if len(history.objectives) > 1:
        goals = ", ".join(goal.name for goal in history.objectives)
        raise RunError(
            f"The scheduler {name!r} ends trainings by their learning curve, which tells of one objective only, and "
            f"there are {len(history.objectives)} ({goals}). Schedulers for several: curve-pausing, asha, "
            "successive-halving, full."
        )


def milestone(count: int, growth: float = 1.25) -> int:
    """The largest of 1, 2, 3 … 5, 7, 9, 12 … that is not above `count`: how many trials a shape is learnt from.

    So that it is learnt anew a few dozen times in a search, and still follows from the history alone.
    """
    reached = 1
    while (following := max(reached + 1, int(reached * growth))) <= count:
        reached = following
    return reached


@lru_cache(maxsize=8)
def _fitted(curves: Curves, epochs: int) -> CurveModel:
    """By content: between two trials' ends every call is about the same curves."""
    ends = ladder(epochs)
    return CurveModel.of(curves, ends, learn_shape(curves[: milestone(len(curves))], ends))
