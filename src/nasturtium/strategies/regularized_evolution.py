"""Regularized (aging) evolution.

Real, Aggarwal, Huang and Le, "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019
(arXiv:1802.01548), algorithm 1.
"""

from dataclasses import dataclass

import numpy as np

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.space.variation import mutate
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History, Trial

TRIES = 50


@dataclass(frozen=True)
class RegularizedEvolution:
    """Mutates the best of `sample` out of the `population` youngest; the oldest dies, however good.

    population, sample: P and S of the paper, whose large experiments used 100 and 25. Until there are P scored
    architectures, proposals are random. Every scored trial joins the population, the control's too. "Best" is by
    Pareto order, so several objectives work. Failed trials never become parents.
    """

    population: int = 100
    sample: int = 25
    name: str = "regularized-evolution"

    def __post_init__(self) -> None:
        if not 1 <= self.sample <= self.population:
            raise RunError(f"sample is {self.sample} and population {self.population}: 1 <= sample <= population.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        rng = generator(seed, history)
        living = seasoned(history)[-self.population :]
        if len(living) < self.population:
            return novel(history, count, candidates, rng, lambda made: None, tries=1)

        def attempt(made: int) -> Architecture:
            parent = self.parent(living, history, rng)
            return mutate(candidates.space.attach(parent.architecture), rng)

        return novel(history, count, candidates, rng, attempt, TRIES)

    def parent(self, living: list[Trial], history: History, rng: np.random.Generator) -> Trial:
        """The winner of a tournament among `sample` of the living, drawn without replacement."""
        drawn = tuple(living[row] for row in rng.choice(len(living), size=self.sample, replace=False))
        return drawn[pareto.order(history.losses(drawn))[0]]
