"""Hyperband: brackets of successive halving, from many trials that begin short to few that begin long.

Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter
Optimization", JMLR 18(185), 2018 (arXiv:1603.06560), algorithm 1. Ours ranks by Pareto front. With the strategy `tpe`
it is BOHB (Falkner, Klein and Hutter, ICML 2018, arXiv:1807.01774).
"""

from dataclasses import dataclass
from itertools import cycle

from nasturtium.roles import Continuation, Fresh
from nasturtium.schedulers.brackets import Bracket, advance
from nasturtium.schedulers.rungs import rungs
from nasturtium.trial import Fidelity, History


@dataclass(frozen=True)
class Hyperband:
    """The brackets s_max, …, 0 one after the other, then again from s_max.

    min_epochs: one unit of the paper's resource. max_epochs: R of the paper, in epochs. eta: 3, the paper's. A bracket
    waits for its slowest trial, then lets the best of a rung train on from their checkpoints; failed trials take no
    place in the next rung. Which bracket a trial belongs to follows from its place among the fresh ones, so nothing has
    to be remembered.
    """

    min_epochs: int
    max_epochs: int
    eta: int = 3
    name: str = "hyperband"

    def __post_init__(self) -> None:
        rungs(self.min_epochs, self.max_epochs, self.eta)

    @property
    def brackets(self) -> tuple[Bracket, ...]:
        """Trials and epochs of each rung, of each bracket from s_max down to 0.

        >>> Hyperband(1, 9, 3).brackets
        (((9, 1), (3, 3), (1, 9)), ((5, 3), (1, 9)), ((3, 9),))
        """
        most = 0  # s_max, line 1
        while self.min_epochs * self.eta ** (most + 1) <= self.max_epochs:
            most += 1
        return tuple(self._bracket(s, most) for s in reversed(range(most + 1)))

    def next(self, history: History) -> Fresh | Continuation | None:
        fresh = [trial for trial in history.trials if trial.parent is None]
        bracket, start = self._of(max(0, len(fresh) - 1))
        following, _ = self._of(len(fresh))
        return advance(bracket, fresh[start:], history, then=Fresh(Fidelity(following[0][1])))

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        return False

    def _bracket(self, s: int, most: int) -> Bracket:
        """Lines 3 to 7: n = ceil((s_max + 1) / (s + 1) eta^s), r = R eta^-s; rung i has n eta^-i trials of r eta^i."""
        trials = -(-(most + 1) * self.eta**s // (s + 1))
        return tuple((trials // self.eta**rung, self.max_epochs // self.eta ** (s - rung)) for rung in range(s + 1))

    def _of(self, place: int) -> tuple[Bracket, int]:
        """The bracket of the fresh trial at this place, and the place at which it starts."""
        start = 0
        for bracket in cycle(self.brackets):
            if place < start + bracket[0][0]:
                break
            start += bracket[0][0]
        return bracket, start
