"""CMA-ES: a normal distribution over the numbers of a space that adapts its covariance, Optuna's.

Hansen, "The CMA Evolution Strategy: A Tutorial", 2016 (arXiv:1604.00772).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import floor, log
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Choice, Space
from nasturtium.space.architecture import Value
from nasturtium.strategies._mirror import modelled
from nasturtium.strategies._optuna import REPAIRS, SAMPLER_TRIES, distributions, quiet, repaired, suggested
from nasturtium.strategies._single import refuse_several
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

PROBE = 0
"""The trial that all draws are made for, the first of its study: a draw's chance depends on the number of its trial."""

LEAST = 4
"""Of a generation: of three the best alone is selected, so the covariance learns nothing of the ranks below it, and
Optuna's library divides by that rate (c_mu, which is 0)."""

Row = tuple[tuple[tuple[str, Value], ...], float]
"""Numbers by path, and the loss."""


@dataclass(frozen=True)
class CmaEs:
    """Numbers that are live in every architecture are evolved; all other decisions are drawn uniformly.

    That is what Optuna's sampler does with categorical and conditional decisions: it learns nothing of them, so it is
    for spaces that are mostly numbers. A space without such numbers, and several objectives, are refused.

    population: lambda, the trials of a generation; None: 4 + floor(3 ln d) for d numbers (the tutorial's equation 48).
    A generation is the next lambda scored architectures, in the order in which they were proposed, whoever proposed
    them: points from elsewhere are taken as if they had been sampled. With several fidelities, those of the highest
    that has a generation. Integers are evolved as real numbers and rounded; what was tried already is mutated.
    """

    population: int | None = None
    name: str = "cma-es"

    def __post_init__(self) -> None:
        if self.population is not None and self.population < LEAST:
            raise RunError(
                f"population is {self.population}: CMA-ES needs at least {LEAST}. Give more, or leave it out for the "
                "usual one, which grows with the numbers of the space."
            )

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        import optuna

        _refuse(history, candidates.space)
        rng, space = generator(seed, history), candidates.space
        size = self.population or 4 + floor(3 * log(len(numbers(space))))
        rows = _rows(history, space, size)
        with quiet():
            study = _evolution(space, size).follow(rows)
            sampler = optuna.samplers.CmaEsSampler(seed=int(rng.integers(2**31)), popsize=size, n_startup_trials=0)
            attempt = repaired(lambda: _sampled(study, sampler, space, rng), rng)
            return novel(history, count, candidates, rng, attempt, SAMPLER_TRIES + REPAIRS)


@lru_cache(maxsize=8)
def numbers(space: Space) -> "dict[str, BaseDistribution]":
    """Path to distribution of the integers and reals that are live in every architecture and have a choice."""
    known = distributions(space)
    return {
        named.path: known[named.path]
        for named in space.decisions
        if named.index in space.program.always and not isinstance(named.decision, Choice) and named.decision.size > 1
    }


def _refuse(history: History, space: Space) -> None:
    refuse_several("cma-es", history)
    if not numbers(space):
        raise RunError(
            f"The strategy cma-es evolves numbers, and the space {space.name!r} has none that every architecture has; "
            "take regularized-evolution, local-search or tpe."
        )


def _rows(history: History, space: Space, size: int) -> tuple[Row, ...]:
    """The full generations."""
    fidelity = modelled(history, size)
    scored = [trial for trial in seasoned(history) if trial.fidelity == fidelity]
    scored = scored[: len(scored) // size * size]
    losses = history.losses(tuple(scored))[:, 0].tolist()
    return tuple(
        (tuple((path, trial.architecture.values[path]) for path in numbers(space)), loss)
        for trial, loss in zip(scored, losses, strict=True)
    )


def _sampled(
    study: "optuna.Study", sampler: "optuna.samplers.CmaEsSampler", space: Space, rng: np.random.Generator
) -> Architecture:
    """One draw from the distribution, and the rest of the decisions uniformly."""
    drawn = sampler.sample_relative(study, study.get_trials(deepcopy=False)[PROBE], numbers(space))
    raw = list(space.program.draw_raw(rng))
    for path, value in drawn.items():
        index = space.index[path]
        raw[index] = space.decisions[index].decision.code(value)
    return space.from_codes(space.program.mask(raw))


class _Evolution:
    """A study whose generations are rows that are added in their order; begun again where they are not.

    The sampler keeps its state in the trials of a study: each trial is dated when it is asked for, and the first of a
    generation holds the distribution that the one before led to. So a study that was begun again is the same.
    """

    def __init__(self, space: Space, size: int) -> None:
        self._space, self._size = space, size
        self._rows: tuple[Row, ...] = ()
        self._restart()

    def follow(self, rows: tuple[Row, ...]) -> "optuna.Study":
        if rows[: len(self._rows)] != self._rows:
            self._restart()
        for row in rows[len(self._rows) :]:
            self._add(*row)
        self._rows = rows
        return self._study

    def _restart(self) -> None:
        import optuna

        # A random sampler, because whatever a study has is asked too, and its default would fit a model.
        self._study = optuna.create_study(direction="minimize", sampler=optuna.samplers.RandomSampler(seed=0))
        self._study.ask()  # the probe
        self._rows = ()

    def _add(self, values: tuple[tuple[str, Value], ...], loss: float) -> None:
        import optuna

        sampler = optuna.samplers.CmaEsSampler(seed=0, popsize=self._size, n_startup_trials=0)
        self._study.enqueue_trial(dict(values))
        trial = self._study.ask()
        sampler.sample_relative(self._study, self._study.get_trials(deepcopy=False)[trial.number], numbers(self._space))
        for path, _ in values:
            suggested(trial, path, self._space.decisions[self._space.index[path]].decision)
        self._study.tell(trial, loss)


@lru_cache(maxsize=4)
def _evolution(space: Space, size: int) -> _Evolution:
    return _Evolution(space, size)
