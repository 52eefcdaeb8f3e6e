"""Evolution on inherited scores.

Guo, Zhang, Mu, Heng, Liu, Wei and Sun, "Single Path One-Shot Neural Architecture Search with Uniform Sampling", ECCV
2020 (arXiv:1904.00420), algorithm 1.
"""

import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, crossover, mutate

Score = Callable[[Architecture], float]
"""How good an architecture is; larger is better, NaN is worst."""
Known = MutableMapping[tuple[int, ...], float]
"""Scores by `Architecture.codes`."""

TRIES = 50
"""Draws for each wanted child, until it is new and within the limits."""


@dataclass(frozen=True)
class Evolved:
    """scored: all that was looked at, best first. generations: that were scored to the end."""

    scored: tuple[tuple[Architecture, float], ...]
    generations: int

    @property
    def best(self) -> Architecture:
        return self.scored[0][0]


@dataclass(frozen=True)
class Evolution:
    """Each generation is crossovers and mutations of the best so far; the defaults are the paper's (section 4).

    population: P, of the first generation, drawn at random. generations: T. top: k, the best so far, which breed.
    crossovers, mutations: n and m, children of each kind in a generation. rate: probability with which a mutation
    draws a decision anew (among its other values here, and at least one).
    """

    population: int = 50
    generations: int = 20
    top: int = 10
    crossovers: int = 25
    mutations: int = 25
    rate: float = 0.1

    def __post_init__(self) -> None:
        if min(self.population, self.generations, self.top) < 1:
            raise RunError(
                f"population is {self.population}, generations {self.generations} and top {self.top}: each must be at "
                "least 1."
            )

    def __call__(
        self,
        score: Score,
        candidates: Candidates,
        seed: int,
        *,
        known: Known | None = None,
        first: Sequence[Architecture] = (),
        deadline_s: float | None = None,
        enough: Callable[[int], bool] | None = None,
    ) -> Evolved:
        """The best architectures within the limits.

        known: scores that need not be found again; new ones are added, so a search that is repeated with what it had
        found goes on where it ended. first: members of the first generation in place of random ones, if within the
        limits. deadline_s: seconds after which no more is scored; one architecture always is. enough: asked before
        each with how many there are, True ends it. Raises `LimitError` where nothing is within the limits.
        """
        rng = np.random.default_rng([seed, 0])
        known = {} if known is None else known
        end = inf if deadline_s is None else time.monotonic() + deadline_s
        met: dict[tuple[int, ...], tuple[Architecture, float]] = {}
        people = self._first(candidates, first, rng)
        for generation in range(self.generations):
            for architecture in people:
                if met and (time.monotonic() > end or (enough is not None and enough(len(met)))):
                    return _ranked(met, generation)
                codes = candidates.space.codes(architecture)
                if codes not in known:
                    known[codes] = score(architecture)
                met[codes] = (architecture, known[codes])
            if generation + 1 < self.generations:
                people = self._bred(_ranked(met, generation).scored[: self.top], met, candidates, rng)
                if not people:
                    return _ranked(met, generation + 1)
        return _ranked(met, self.generations)

    def _first(
        self, candidates: Candidates, first: Sequence[Architecture], rng: np.random.Generator
    ) -> list[Architecture]:
        """The first generation, each member once."""
        space = candidates.space
        found = {space.codes(one): one for one in first if candidates.feasible(one)}
        for _ in range(TRIES * self.population):
            if len(found) >= self.population:
                break
            drawn = candidates.sample(rng)
            found.setdefault(space.codes(drawn), drawn)
        return list(found.values())[: self.population]

    def _bred(
        self,
        top: Sequence[tuple[Architecture, float]],
        met: dict[tuple[int, ...], tuple[Architecture, float]],
        candidates: Candidates,
        rng: np.random.Generator,
    ) -> list[Architecture]:
        """New children of `top`; random newcomers in place of those that were not found, as in the authors' code."""

        def parent() -> Architecture:
            return top[int(rng.integers(len(top)))][0]

        wanted = self.crossovers + self.mutations
        found: dict[tuple[int, ...], Architecture] = {}
        makers: tuple[tuple[int, Callable[[], Architecture]], ...] = (
            (self.crossovers, lambda: crossover(parent(), parent(), rng)),
            (wanted, lambda: mutate(parent(), rng, self.rate)),
            (wanted, lambda: candidates.sample(rng)),
        )
        for upto, make in makers:
            for _ in range(TRIES * wanted):
                if len(found) >= upto:
                    break
                child = make()
                codes = candidates.space.codes(child)
                if codes not in met and codes not in found and candidates.feasible(child):
                    found[codes] = child
        return list(found.values())


def _ranked(met: dict[tuple[int, ...], tuple[Architecture, float]], generations: int) -> Evolved:
    order = sorted(met.values(), key=lambda pair: pair[1] if isfinite(pair[1]) else -inf, reverse=True)
    return Evolved(tuple(order), generations)
