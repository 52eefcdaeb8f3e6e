"""What NSGA-II and NSGA-III share: generations read from the history, and Optuna's crossover and mutation.

They differ in who survives a generation, and so in nothing here but the `select` and the sampler that they hand in.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.strategies._optuna import REPAIRS, SAMPLER_TRIES, quiet, repaired
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History, Trial

if TYPE_CHECKING:
    import optuna

    Sampler = optuna.samplers.NSGAIISampler | optuna.samplers.NSGAIIISampler

Row = tuple[tuple[int, ...], tuple[float, ...]]
"""Codes and losses of a parent."""

Select = Callable[[bytes, int, int], Sequence[int]]
"""Losses (64-bit floats, row by row), number of objectives, N -> rows of the N survivors, from a pool of N or more."""


def elite(history: History, population: int, select: Select) -> list[Trial]:
    """The survivors of the latest full generation and its parents; empty before the first is full.

    A generation is the next `population` scored architectures, in the order in which they were proposed.
    """
    trials = seasoned(history)
    survivors: list[Trial] = []
    for start in range(0, len(trials) - population + 1, population):
        pool = survivors + trials[start : start + population]
        losses = history.losses(tuple(pool))
        survivors = [pool[row] for row in select(losses.tobytes(), losses.shape[1], population)]
    return survivors


def bred(
    parents: list[Trial], sampler: "type[Sampler]", history: History, count: int, seed: int, candidates: Candidates
) -> list[Architecture]:
    """Up to `count` new children of the parents, made by the Optuna sampler; random architectures where there are none.

    Genes are all decisions of the space: those that are dead in a parent are drawn from its trial's seed, so that
    crossover works on conditional spaces.
    """
    rng = generator(seed, history)
    if not parents:
        return novel(history, count, candidates, rng, lambda made: None, tries=1)
    space = candidates.space
    losses = history.losses(tuple(parents)).tolist()
    rows = tuple((_genes(space, trial), tuple(values)) for trial, values in zip(parents, losses, strict=True))
    with quiet():
        study = _family(space, rows, sampler)
        breeder = sampler(population_size=len(rows), seed=int(rng.integers(2**31)))
        attempt = repaired(lambda: _child(study, breeder, space, rng), rng)
        return novel(history, count, candidates, rng, attempt, SAMPLER_TRIES + REPAIRS)


def _genes(space: Space, trial: Trial) -> tuple[int, ...]:
    drawn = space.program.draw_raw(np.random.default_rng(trial.seed))
    return tuple(
        code if code >= 0 else other for code, other in zip(space.codes(trial.architecture), drawn, strict=True)
    )


def _child(study: "optuna.Study", sampler: "Sampler", space: Space, rng: np.random.Generator) -> Architecture:
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
def _family(space: Space, rows: tuple[Row, ...], sampler: "type[Sampler]") -> "optuna.Study":
    """A study whose generation 0 is these parents, so that what is asked next is generation 1.

    The sampler dates a trial when it starts, by counting those that are complete.
    """
    import optuna

    # A random sampler, because whatever a study has is asked too, and its default would fit a model.
    idle = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(directions=["minimize"] * len(rows[0][1]), sampler=idle)
    first = sampler(population_size=len(rows), seed=0)
    known = _distributions(space)
    for number, (codes, losses) in enumerate(rows):
        params = {named.path: codes[named.index] for named in space.decisions if named.path in known}
        study.add_trial(
            optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING, params=params, distributions=known)
        )
        first.get_trial_generation(study, study.get_trials(deepcopy=False)[number])
        study.tell(number, list(losses))
    # The sampler keeps the parents in the study at its first call, and gives them in another order from then on.
    first.get_parent_population(study, 1)
    return study
