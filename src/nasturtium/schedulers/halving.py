"""Successive halving, in brackets that wait for their slowest trial.

Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016, with the
halving rate eta of Hyperband (Li et al. 2018). Ours ranks by Pareto front, and starts a new bracket after each.
"""

from dataclasses import dataclass

from nasturtium.roles import Continuation, Fresh
from nasturtium.schedulers.brackets import advance
from nasturtium.schedulers.rungs import rungs
from nasturtium.trial import Fidelity, History


@dataclass(frozen=True)
class SuccessiveHalving:
    """`eta ** (rungs - 1)` fresh trials at `min_epochs`; the best 1/eta of each rung train on, when all of it is there.

    So that one trial of each bracket reaches `max_epochs`. Failed trials take no place in the next rung. Which bracket
    a trial belongs to follows from its place among the fresh ones, so nothing has to be remembered.
    """

    min_epochs: int
    max_epochs: int
    eta: int = 3
    name: str = "successive-halving"

    def __post_init__(self) -> None:
        rungs(self.min_epochs, self.max_epochs, self.eta)

    def next(self, history: History) -> Fresh | Continuation | None:
        ladder = rungs(self.min_epochs, self.max_epochs, self.eta)
        size = self.eta ** (len(ladder) - 1)
        fresh = [trial for trial in history.trials if trial.parent is None]
        members = fresh[(max(0, len(fresh) - 1) // size) * size :]  # of the latest bracket
        bracket = [(size // self.eta**rung, epochs) for rung, epochs in enumerate(ladder)]
        return advance(bracket, members, history, then=Fresh(Fidelity(ladder[0])))

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        return False
