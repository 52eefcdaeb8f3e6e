"""NSGA-III: as NSGA-II, but who survives a generation is decided by reference points, which keeps many goals apart.

Deb and Jain, "An Evolutionary Many-Objective Optimization Algorithm Using Reference-Point-Based Nondominated Sorting
Approach, Part I", IEEE TEC 2014. Survival, crossover and mutation are Optuna's.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies._genetic import bred, elite
from nasturtium.strategies._optuna import quiet
from nasturtium.trial import History, Trial


@dataclass(frozen=True)
class Nsga3:
    """A generation is the next `population` scored architectures, in the order in which they were proposed.

    population: N of the paper (50, Optuna's default). The reference points are Das and Dennis's with as many divisions
    as keep their number within N, since the paper wants one survivor for each (section IV-B). Genes as in `Nsga2`.

    Needs two objectives or more: with one there is one reference point and any number of survivors on it, so nothing
    is selected for; that is why the authors made another algorithm for it (Seada and Deb, U-NSGA-III, 2015).
    """

    population: int = 50
    name: str = "nsga3"

    def __post_init__(self) -> None:
        if self.population < 2:
            raise RunError(f"population is {self.population}: NSGA-III needs at least 2.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        import optuna

        if len(history.objectives) == 1:
            raise RunError(
                "The strategy nsga3 needs two objectives or more, and there is one; take nsga2, regularized-evolution "
                "or tpe, or give another --objective."
            )
        return bred(self.parents(history), optuna.samplers.NSGAIIISampler, history, count, seed, candidates)

    def parents(self, history: History) -> list[Trial]:
        """The elite after the latest full generation; empty before the first is full."""
        return elite(history, self.population, _preserved)


def divisions(objectives: int, population: int) -> int:
    """p of the paper: the most divisions of each axis that give at most `population` reference points (equation 3).

    >>> divisions(2, 50), divisions(3, 92), divisions(3, 2)
    (49, 12, 1)
    """
    most = 1
    while comb(objectives + most, most + 1) <= population:
        most += 1
    return most


@lru_cache(maxsize=256)
def _preserved(losses: bytes, objectives: int, population: int) -> tuple[int, ...]:
    """Algorithms 1 to 4 of the paper by Optuna, on a pool that stands in a study as generation 0.

    Kept, because each ask passes through all generations again; the seed is fixed, so that it may be forgotten.
    """
    import optuna

    rows = np.frombuffer(losses).reshape(-1, objectives)
    with quiet():
        study = optuna.create_study(directions=["minimize"] * objectives)
        whole = optuna.samplers.NSGAIIISampler(population_size=len(rows), seed=0)
        for number, row in enumerate(rows.tolist()):
            study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING))
            whole.get_trial_generation(study, study.get_trials(deepcopy=False)[number])
            study.tell(number, row)
        sampler = optuna.samplers.NSGAIIISampler(
            population_size=population, dividing_parameter=divisions(objectives, population), seed=0
        )
        return tuple(sorted(trial.number for trial in sampler.select_parent(study, 1)))
