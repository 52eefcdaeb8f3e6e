"""NAS-BOWL: Bayesian optimisation with a Weisfeiler-Lehman graph kernel.

Ru, Wan, Dong and Osborne, "Interpretable Neural Architecture Search via Bayesian Optimisation with Weisfeiler-Lehman
Kernels", ICLR 2021 (arXiv:2006.07556), algorithm 1; settings of the authors' code (xingchenwan/nasbowl).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.space.graphs import BUCKETS, WL_DEPTH, tree_graph, wl_vector
from nasturtium.strategies._acquisition import expected_improvement
from nasturtium.strategies._graph_gp import Levels, fit_graph_gp
from nasturtium.strategies._rounds import (
    PATIENCE,
    Known,
    ask_ranked,
    best_of,
    distinct_first,
    feature,
    fresh,
    mutants,
    refuse_rounds,
    strangers,
)
from nasturtium.strategies.novel import lasting_seed
from nasturtium.trial import History

NOISES = 13
"""Noise variances that are tried, evenly spread in the logarithm."""


@dataclass(frozen=True)
class NasBowl:
    """Every `batch` scored trials, fits the Gaussian process and ranks a pool by expected improvement.

    initial: random trials before the first model. pool: half of it mutants (of one decision) of the `parents` best, the
    other half random. depths: of the kernel. noise: least and most of its variance, of losses of deviation 1. Depth and
    noise with the largest marginal likelihood are taken, from a grid where the authors climb. The best loss so far is
    that of the architecture with the best posterior mean, as in their code; `log_regret` stands for their log(error).

    The graph is that of the cells where the space has cells and the candidates give their counts (group "wl"), as in
    the paper; otherwise that of the resolved tree (`space.graphs.tree_graph`): its blocks, what is set in them, and
    their order. Labels that are equally frequent everywhere are left out. Of candidates with equal counts one is
    enough (their code takes distinct values of the improvement). Control trials are learned from like others.
    One objective only.
    """

    initial: int = 10
    batch: int = 5
    pool: int = 200
    parents: int = 10
    depths: tuple[int, ...] = (1, 2)
    noise: tuple[float, float] = (1e-5, 1e-2)
    name: str = "nas-bowl"

    def __post_init__(self) -> None:
        refuse_rounds(self.initial, self.batch, self.pool)
        if not self.depths or not all(0 <= depth <= WL_DEPTH for depth in self.depths):
            raise RunError(f"depths is {self.depths}: give some from 0 to {WL_DEPTH}.")
        if not 0 < self.noise[0] <= self.noise[1]:
            raise RunError(f"noise is {self.noise}: 0 < least <= most.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        def rank(known: Known) -> tuple[Architecture, ...]:
            return _ranked(self, known, lasting_seed(seed, history), cast(Hashable, candidates))

        return ask_ranked(self.name, self.initial, self.batch, history, count, seed, candidates, rank)


@lru_cache(maxsize=8)
def _ranked(strategy: NasBowl, known: Known, seed: int, held: Hashable) -> tuple[Architecture, ...]:
    """The pool of a round by expected improvement. held: the candidates."""
    candidates = cast(Candidates, held)
    asked = _pool(strategy, known, candidates, np.random.default_rng([seed, len(known)]))
    if not asked:
        return ()
    codes = [row.codes for row in known] + [candidates.space.codes(one) for one in asked]
    levels, losses = _levels(codes, candidates), log_regret(np.array([row.loss for row in known]))
    told, open_ = levels[: len(known)], levels[len(known) :]
    noises = np.geomspace(*strategy.noise, NOISES).tolist()
    process = fit_graph_gp(told, losses, strategy.depths, noises)
    best = losses[np.argmin(process.predict(told)[0])]
    gain = expected_improvement(*process.predict(open_), best)
    order = np.argsort(-gain, kind="stable").tolist()
    return tuple(asked[row] for row in distinct_first(order, open_, told))


def log_regret(losses: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """log(1 + regret), regrets in units of their median. The authors model log(error), which also tells the good apart;
    but an error has a zero, and a loss in general has not."""
    regret = losses - losses.min()
    middle = float(np.median(regret)) or float(regret.max()) or 1.0
    return np.asarray(np.log1p(regret / middle))


def _pool(strategy: NasBowl, known: Known, candidates: Candidates, rng: np.random.Generator) -> list[Architecture]:
    taken, half = {row.arch_id for row in known}, strategy.pool // 2
    parents = best_of(known, strategy.parents, candidates)
    mutated = fresh(mutants(parents, PATIENCE * half // len(parents), rng), half, taken, candidates)
    drawn = strangers(PATIENCE * strategy.pool, candidates, rng)
    return [*mutated, *fresh(drawn, strategy.pool - len(mutated), taken, candidates)]


def _levels(codes: Sequence[tuple[int, ...]], candidates: Candidates) -> Levels:
    """Counts of each depth, without the labels that are equally frequent in all."""
    space = candidates.space
    if "wl" in candidates.features(space.from_codes(codes[0])):
        rows = [feature(cast(Hashable, candidates), one, "wl") for one in codes]
    else:
        rows = [_of_tree(space, one) for one in codes]
    levels = np.stack(rows).reshape(len(rows), WL_DEPTH + 1, BUCKETS)
    return levels[:, :, (levels != levels[0]).any(axis=(0, 1))]


@lru_cache(maxsize=1024)
def _of_tree(space: Space, codes: tuple[int, ...]) -> Float[np.ndarray, " depths_times_buckets"]:
    return wl_vector(tree_graph(space.from_codes(codes).tree))
