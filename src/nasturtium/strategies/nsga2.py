"""NSGA-II: Optuna's crossover and mutation among the elite of the generations so far.

Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE TEC 2002.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.strategies._optuna import REPAIRS, SAMPLER_TRIES, quiet, repaired
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History, Trial

if TYPE_CHECKING:
    import optuna

Row = tuple[tuple[int, ...], tuple[float, ...]]
"""Codes and losses of a parent."""


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

        rng = generator(seed, history)
        parents = self.parents(history)
        if not parents:
            return novel(history, count, candidates, rng, lambda made: None, tries=1)
        space = candidates.space
        losses = history.losses(tuple(parents)).tolist()
        rows = tuple((_genes(space, trial), tuple(values)) for trial, values in zip(parents, losses, strict=True))
        with quiet():
            study = _family(space, rows)
            sampler = optuna.samplers.NSGAIISampler(population_size=len(rows), seed=int(rng.integers(2**31)))
            attempt = repaired(lambda: _child(study, sampler, space, rng), rng)
            return novel(history, count, candidates, rng, attempt, SAMPLER_TRIES + REPAIRS)

    def parents(self, history: History) -> list[Trial]:
        """The elite after the latest full generation; empty before the first is full."""
        trials = seasoned(history)
        elite: list[Trial] = []
        for start in range(0, len(trials) - self.population + 1, self.population):
            pool = elite + trials[start : start + self.population]
            losses = history.losses(tuple(pool))
            elite = [pool[row] for row in _order(losses.tobytes(), losses.shape[1])[: self.population]]
        return elite


@lru_cache(maxsize=256)
def _order(losses: bytes, objectives: int) -> tuple[int, ...]:
    """`pareto.order`, kept: each ask passes through all generations again."""
    return tuple(pareto.order(np.frombuffer(losses).reshape(-1, objectives)).tolist())


def _genes(space: Space, trial: Trial) -> tuple[int, ...]:
    drawn = space.program.draw_raw(np.random.default_rng(trial.seed))
    return tuple(
        code if code >= 0 else other for code, other in zip(space.codes(trial.architecture), drawn, strict=True)
    )


def _child(
    study: "optuna.Study", sampler: "optuna.samplers.NSGAIISampler", space: Space, rng: np.random.Generator
) -> Architecture:
    """A child's genes; those that the sampler leaves out are the mutated ones, drawn uniformly."""
    import optuna

    trial = study.ask()
    relative = sampler.sample_relative(study, study.get_trials(deepcopy=False)[trial.number], _distributions(space))
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    drawn = space.program.draw_raw(rng)
    return space.from_codes(
        space.program.mask([relative.get(named.path, drawn[named.index]) for named in space.decisions])
    )


@lru_cache(maxsize=8)
def _distributions(space: Space) -> "dict[str, optuna.distributions.BaseDistribution]":
    """Codes, since uniform crossover does not look at values; what has one value alone is left out."""
    from optuna.distributions import IntDistribution

    return {
        named.path: IntDistribution(0, named.decision.size - 1) for named in space.decisions if named.decision.size > 1
    }


@lru_cache(maxsize=4)
def _family(space: Space, rows: tuple[Row, ...]) -> "optuna.Study":
    """A study whose generation 0 is these parents, so that what is asked next is generation 1.

    The sampler dates a trial when it starts, by counting those that are complete.
    """
    import optuna

    study = optuna.create_study(directions=["minimize"] * len(rows[0][1]))
    sampler = optuna.samplers.NSGAIISampler(population_size=len(rows), seed=0)
    known = _distributions(space)
    for number, (codes, losses) in enumerate(rows):
        params = {named.path: codes[named.index] for named in space.decisions if named.path in known}
        study.add_trial(
            optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING, params=params, distributions=known)
        )
        sampler.get_trial_generation(study, study.get_trials(deepcopy=False)[number])
        study.tell(number, list(losses))
    # The sampler keeps the parents in the study at its first call, and gives them in another order from then on.
    sampler.get_parent_population(study, 1)
    return study
