"""Regularized (aging) evolution.

Real, Aggarwal, Huang and Le, "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019
(arXiv:1802.01548), algorithm 1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.space.variation import crossover, mutate
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History, Objective, Trial

TRIES = 50
"""Children in a row that are known or not within the limits, before a random architecture takes the place."""


@dataclass(frozen=True)
class RegularizedEvolution:
    """Mutates the best of `sample` out of the `population` youngest; the oldest dies, however good.

    population, sample: P and S of the paper, whose large experiments used 100 and 25; `nasbench101`, `nasbench201` and
    `naszilla` are the sizes published with those benchmarks. crossover: the probability that two winners are crossed
    before their child is mutated (0: the paper's, mutation alone).

    Until there are P scored architectures, proposals are random. The `sample` are drawn without replacement (algorithm
    1: with it). Every scored trial joins the population, the control's too. "Best" is by Pareto order, so several
    objectives work. Failed trials never become parents.

    A child that was scored before is not proposed again: as in the paper, where it would be trained again, it joins
    the population as its youngest member, here with the score that it has. Without this the population clings to
    what is new rather than to what is good (on NAS-Bench-201 with P 10 and S 3 it then takes 2 to 3 times as many
    trials to the best cell). Which of them joined before a trial is drawn from that trial's seed.
    """

    population: int = 100
    sample: int = 25
    crossover: float = 0.0
    name: str = "regularized-evolution"

    @staticmethod
    def nasbench101() -> "RegularizedEvolution":
        """P 50, S 10 (Ying et al. 2019, the released notebook)."""
        return RegularizedEvolution(50, 10)

    @staticmethod
    def nasbench201() -> "RegularizedEvolution":
        """P 10, S 3 (Dong and Yang 2020, AutoDL-Projects)."""
        return RegularizedEvolution(10, 3)

    @staticmethod
    def naszilla() -> "RegularizedEvolution":
        """P 30, S 10 (White, Neiswanger and Savani 2021, naszilla).

        Only the sizes are naszilla's, which begins with 10 random architectures and evolves while the population grows,
        keeps 29 of them, draws with replacement, and on NAS-Bench-201 changes each operation with probability 1/4.
        """
        return RegularizedEvolution(30, 10)

    def __post_init__(self) -> None:
        if not 1 <= self.sample <= self.population:
            raise RunError(f"sample is {self.sample} and population {self.population}: 1 <= sample <= population.")
        if not 0.0 <= self.crossover <= 1.0:
            raise RunError(f"crossover is {self.crossover}: a probability lies between 0 and 1.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        rng = generator(seed, history)
        lineage = _lineage(self, candidates.space, history.objectives).follow(seasoned(history), history)
        if len(lineage.trials) < self.population:
            return novel(history, count, candidates, rng, lambda made: None, tries=1)
        living = list(lineage.living)

        def attempt(made: int) -> Architecture:
            child = self.child(living, lineage, rng)
            lineage.join(child, living)
            return child

        return novel(history, count, candidates, rng, attempt, TRIES)

    def living(self, history: History, space: Space) -> list[Trial]:
        """The population, the oldest first; a trial whose architecture joined again is there again."""
        lineage = _lineage(self, space, history.objectives).follow(seasoned(history), history)
        return [lineage.trials[row] for row in lineage.living]

    def child(self, living: list[int], lineage: "_Lineage", rng: np.random.Generator) -> Architecture:
        """A mutation of a winner, or of the child of two."""
        parent = lineage.architectures[self.winner(living, lineage, rng)]
        if self.crossover and rng.random() < self.crossover:
            parent = crossover(parent, lineage.architectures[self.winner(living, lineage, rng)], rng)
        child = mutate(parent, rng)
        assert child.space is not None
        assert child.codes is not None
        return _kept(child.space, child.codes)

    def winner(self, living: list[int], lineage: "_Lineage", rng: np.random.Generator) -> int:
        """The row that wins a tournament among `sample` of the living, drawn without replacement."""
        youngest = living[-self.population :]
        drawn = [youngest[place] for place in rng.permutation(self.population)[: self.sample].tolist()]
        if lineage.single is not None:
            return min(drawn, key=lineage.single.__getitem__)
        return drawn[pareto.order(lineage.losses[drawn])[0]]


class _Lineage:
    """The population after each scored trial, followed along a history.

    It is kept, because the ages of all members follow from all trials before; where the history is not a later state
    of the one that is known, it goes back to where they part. Proposals do not depend on what was kept.
    """

    def __init__(self, rule: RegularizedEvolution, space: Space, objectives: tuple[Objective, ...]) -> None:
        self._rule, self._space, self._objectives = rule, space, objectives
        self.trials: list[Trial] = []
        self.architectures: list[Architecture] = []
        self.losses: Float[np.ndarray, "n m"] = np.empty((0, len(objectives)))
        self.single: list[float] | None = None  # the losses of one objective: a list is quicker than a small array
        self._populations: list[tuple[int, ...]] = []
        self._rows: dict[str, int] = {}

    @property
    def living(self) -> tuple[int, ...]:
        """Rows of `trials`, the oldest first; one that joined again is there more than once."""
        return self._populations[-1] if self._populations else ()

    def follow(self, trials: list[Trial], history: History) -> "_Lineage":
        """The same, after these trials."""
        same = 0
        for known, trial in zip(self.trials, trials, strict=False):
            if known is not trial and known != trial:
                break
            same += 1
        del self.trials[same:], self.architectures[same:], self._populations[same:]
        self._rows = {trial.architecture.arch_id: row for row, trial in enumerate(self.trials)}
        self.losses = history.losses(tuple(trials))
        self.single = self.losses[:, 0].tolist() if len(self._objectives) == 1 else None
        for trial in trials[same:]:
            self._add(trial)
        return self

    def join(self, child: Architecture, living: list[int]) -> bool:
        """Put the child among the living if it is known; is it?"""
        row = self._rows.get(child.arch_id)
        if row is not None:
            living.append(row)
        return row is not None

    def _add(self, trial: Trial) -> None:
        living = list(self.living)
        if len(self.trials) >= self._rule.population:
            rng = np.random.default_rng([trial.seed, 1])
            for _ in range(TRIES):
                if not self.join(self._rule.child(living, self, rng), living):
                    break
        row = len(self.trials)
        self.trials.append(trial)
        self.architectures.append(self._space.attach(trial.architecture))
        self._rows[trial.architecture.arch_id] = row
        self._populations.append((*living, row)[-self._rule.population :])


@lru_cache(maxsize=4)
def _lineage(rule: RegularizedEvolution, space: Space, objectives: tuple[Objective, ...]) -> _Lineage:
    return _Lineage(rule, space, objectives)


@lru_cache(maxsize=2**15)
def _kept(space: Space, codes: tuple[int, ...]) -> Architecture:
    """Children of a converged population come again and again, and an `arch_id` takes half a millisecond."""
    return space.from_codes(codes)
