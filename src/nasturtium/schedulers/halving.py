"""Successive halving, in brackets that wait for their slowest trial.

Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016, with the
halving rate eta of Hyperband (Li et al. 2018). Ours ranks by Pareto front, and starts a new bracket after each.
"""

from dataclasses import dataclass

from nasturtium.roles import Continuation, Fresh
from nasturtium.schedulers.rungs import best_first, rungs
from nasturtium.trial import Fidelity, History, Trial


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
        if len(members) < size:
            return Fresh(Fidelity(ladder[0]))
        for rung in range(1, len(ladder)):
            if any(trial.state == "running" for trial in members):
                return None
            chosen = best_first(members, history)[: size // self.eta**rung]
            children = _children(members, history)
            for trial in chosen:
                if trial.number not in children:
                    return Continuation(trial.number, Fidelity(ladder[rung]))
            members = [children[trial.number] for trial in chosen]
        return None if any(trial.state == "running" for trial in members) else Fresh(Fidelity(ladder[0]))

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        return False


def _children(members: list[Trial], history: History) -> dict[int, Trial]:
    """The trials that continue `members`, by their parent's number."""
    numbers = {trial.number for trial in members}
    return {trial.parent: trial for trial in history.trials if trial.parent is not None and trial.parent in numbers}
