"""Trainings in short steps: paused after each, and only those go on whose learning curves may still lead to the best.

Ours, from three ideas. Paused trainings that are taken up again by their predicted end: Swersky, Snoek and Adams,
"Freeze-Thaw Bayesian Optimization" (arXiv:1406.3896). Choosing by an upper confidence bound until what is best for
certain cannot be beaten: Auer, "Using Confidence Bounds for Exploitation-Exploration Trade-offs", JMLR 3, 2002. And a
thin successive halving (Jamieson and Talwalkar 2016) first, because how curves go on is learnt from those that do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.predictors import CurveModel, ladder, learn_shape
from nasturtium.roles import Continuation, Fresh
from nasturtium.schedulers.extrapolation import milestone
from nasturtium.schedulers.lineage import Training, trainings
from nasturtium.trial import Fidelity, History

RELEARN = 1.05
"""How curves vary is learnt anew when there are this many times as many epochs."""


@dataclass(frozen=True)
class CurvePausing:
    """Rounds of `pool` fresh trials, each of which ends when none that is paused may beat the best finished one.

    1. All of the round's trials train for `min_epochs`.
    2. A thin halving: of those, pool * (min_epochs / e) ^ thinning reach each longer step e; the best by the mean score
       of the latter half of their epochs go on.
    3. Of everything paused, this round's or an earlier one's, the one with the best optimistic end (predicted mean and
       `optimism` deviations) goes on by a step, until the finished are better than that.

    Steps grow by `growth`, and by an epoch at least: short ones spend fewer epochs, and pause more often. Every step is
    a trial that continues another. With several objectives, the predicted end stands for the first and the others are
    as measured; "best" is by Pareto order, and a round ends when every optimistic end is dominated by a finished trial.
    Nothing waits unless all there is to go on with is running.

    The defaults find a network near the best reliably; less optimism and more thinning spend less, and miss more often
    (`benchmarks/early_stopping.py`). Raises `RunError` from `next` where the evaluator reports no learning curves.
    """

    min_epochs: int
    max_epochs: int
    pool: int = 100
    optimism: float = 2.0
    thinning: float = 1.2
    growth: float = 1.15
    name: str = "curve-pausing"

    def __post_init__(self) -> None:
        if not 1 <= self.min_epochs <= self.max_epochs:
            raise RunError(
                f"min_epochs is {self.min_epochs} and max_epochs {self.max_epochs}: 1 <= min <= max is needed."
            )
        if self.pool < 1:
            raise RunError(f"pool is {self.pool}: a round needs at least 1 trial.")
        if self.optimism < 0 or self.thinning < 0 or self.growth <= 1:
            raise RunError(
                f"optimism is {self.optimism}, thinning {self.thinning} and growth {self.growth}: at least 0, at least "
                "0 and more than 1 are needed."
            )

    def next(self, history: History) -> Fresh | Continuation | None:
        fresh = Fresh(Fidelity(self.steps[0]))
        every = trainings(history)
        start = max(0, len(every) - 1) // self.pool * self.pool  # of the latest round
        if len(every) - start < self.pool:
            return fresh
        chosen = self._thinned(every[start:], history) or self._promising(every, history)
        if chosen is not None:
            return self._onward(chosen)
        return None if history.running else fresh

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        return False

    @property
    def steps(self) -> tuple[int, ...]:
        """Epochs at which trainings pause."""
        return ladder(self.max_epochs, self.min_epochs, self.growth)

    def _onward(self, training: Training) -> Continuation:
        further = next(step for step in self.steps if step > training.latest.fidelity.epochs)
        return Continuation(training.latest.number, Fidelity(further))

    def _thinned(self, members: Sequence[Training], history: History) -> Training | None:
        """Who goes on in the round's halving: the shortest step that too few have reached is filled up first."""
        for step, further in pairwise(self.steps):
            wanted = max(1, round(self.pool * (self.steps[0] / further) ** self.thinning))
            there = [one for one in members if one.latest.fidelity.epochs >= further and one.latest.state != "failed"]
            waiting = [one for one in members if one.resting and one.latest.fidelity.epochs == step]
            if len(there) < wanted and waiting:
                return waiting[pareto.order(_with_first(waiting, history, [_latter(one.curve) for one in waiting]))[0]]
        return None

    def _promising(self, every: Sequence[Training], history: History) -> Training | None:
        """The paused training with the best optimistic end; None if the finished dominate them all."""
        resting = [one for one in every if one.resting]
        paused = np.array([one.latest.fidelity.epochs < self.max_epochs for one in resting], dtype=bool)
        if not paused.any():
            return None
        hopes = self._hopes(resting, paused, history)
        first = np.flatnonzero(pareto.fronts(hopes) == 0)
        best = [first[row] for row in pareto.order(hopes[first]) if paused[first[row]]]
        return resting[best[0]] if best else None

    def _hopes(
        self, resting: Sequence[Training], paused: Bool[np.ndarray, " resting"], history: History
    ) -> Float[np.ndarray, "resting objectives"]:
        """Losses: as measured for the finished; for the paused, the first as low as it may well get."""
        losses = history.losses(tuple(one.latest for one in resting))
        known = [one.curve for one in trainings(history) if one.curve]
        before = [one.curve for one in trainings(_until_milestone(history)) if one.curve]
        early_ends = (end for end in ladder(self.max_epochs, growth=self.growth) if end < self.min_epochs)
        ends = (*early_ends, *self.steps)  # so that what has been trained are whole segments
        model = CurveModel.of(known, ends, learn_shape(before or known, ends))
        means, deviations = model.predict([one.curve for one in resting])
        hoped = history.objectives[0].sign * means - self.optimism * deviations
        losses[paused, 0] = hoped[paused]
        return losses


def _until_milestone(history: History) -> History:
    """The first trials, up to the latest milestone in epochs: the last few trials may hold much of what is known of
    long trainings, so their number would be a poor measure of what there is to learn from."""
    epochs = np.cumsum([len(trial.curve) for trial in history.trials])
    known = int(np.searchsorted(epochs, milestone(int(epochs[-1]), RELEARN), side="right"))
    return History(history.objectives, history.trials[:known])


def _latter(curve: tuple[float, ...]) -> float:
    """Mean of the latter half: steadier than the last score, and hardly older."""
    half = curve[len(curve) // 2 :]
    return sum(half) / len(half) if half else float("nan")


def _with_first(some: Sequence[Training], history: History, scores: Sequence[float]) -> Float[np.ndarray, "some goals"]:
    """Losses of their latest trials, with these scores in place of the first objective's."""
    losses = history.losses(tuple(one.latest for one in some))
    losses[:, 0] = history.objectives[0].sign * np.array(scores)
    return losses
