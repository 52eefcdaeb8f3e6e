"""ASHA: asynchronous successive halving.

Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar, "A System for Massively Parallel
Hyperparameter Tuning", MLSys 2020, algorithm 2. Ours ranks a rung by Pareto front, so that it works with
several objectives.
"""

from dataclasses import dataclass

from nasturtium.roles import Continuation, Fresh
from nasturtium.schedulers.rungs import best_first, rungs
from nasturtium.trial import Fidelity, History


@dataclass(frozen=True)
class Asha:
    """Promotes whoever is among the best 1/eta of a rung as soon as it is, highest rung first; else starts afresh.

    A promoted trial continues from its parent's checkpoint. A failed one counts neither among the rung nor among its
    best. It never waits, and never ends a running trial: a trial's epochs are its rung's.
    """

    min_epochs: int
    max_epochs: int
    eta: int = 3
    name: str = "asha"

    def __post_init__(self) -> None:
        rungs(self.min_epochs, self.max_epochs, self.eta)

    def next(self, history: History) -> Fresh | Continuation:
        ladder = rungs(self.min_epochs, self.max_epochs, self.eta)
        promoted = {trial.parent for trial in history.trials if trial.parent is not None}
        for rung in reversed(range(len(ladder) - 1)):
            there = [trial for trial in history.scored if trial.fidelity.epochs == ladder[rung]]
            for trial in best_first(there, history)[: len(there) // self.eta]:
                if trial.number not in promoted:
                    return Continuation(trial.number, Fidelity(ladder[rung + 1]))
        return Fresh(Fidelity(ladder[0]))

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        return False
