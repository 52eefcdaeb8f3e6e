"""NSGA-II: Optuna's crossover and mutation among the elite of the generations so far.

Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE TEC 2002.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies._genetic import bred, elite
from nasturtium.trial import History, Trial


@dataclass(frozen=True)
class Nsga2:
    """A generation is the next `population` scored architectures, in the order in which they were proposed.

    population: N of the paper (50, Optuna's default). The parents are the best N of the latest full generation and its
    parents, by front and crowding. Genes are all decisions of the space: those that are dead in a parent are drawn from
    its trial's seed, so that crossover works on conditional spaces.
    """

    population: int = 50
    name: str = "nsga2"

    def __post_init__(self) -> None:
        if self.population < 2:
            raise RunError(f"population is {self.population}: NSGA-II needs at least 2.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        import optuna

        return bred(self.parents(history), optuna.samplers.NSGAIISampler, history, count, seed, candidates)

    def parents(self, history: History) -> list[Trial]:
        """The elite after the latest full generation; empty before the first is full."""
        return elite(history, self.population, _crowded)


@lru_cache(maxsize=256)
def _crowded(losses: bytes, objectives: int, population: int) -> tuple[int, ...]:
    """The first of `pareto.order`, kept: each ask passes through all generations again."""
    return tuple(pareto.order(np.frombuffer(losses).reshape(-1, objectives)).tolist()[:population])
