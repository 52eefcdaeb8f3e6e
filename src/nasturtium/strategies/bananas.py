"""BANANAS: an ensemble of neural predictors on path encodings, and mutants of the best.

White, Neiswanger and Savani, "BANANAS: Bayesian Optimization with Neural Architectures for Neural Architecture Search",
AAAI 2021 (arXiv:1910.11858), algorithm 1; settings of the authors' code (naszilla).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import cast

import numpy as np
from jaxtyping import Float

from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies._mlp_ensemble import MlpEnsemble
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

FEATURES = ("paths", "graph", "encoding")
"""Groups of features, the first that the candidates have is used."""


@dataclass(frozen=True)
class Bananas:
    """Every `batch` scored trials, trains the ensemble, draws a loss for each mutant of the best, and takes the lowest.

    initial: random trials before the first model. batch: k of the paper. pool: mutants that are compared; the best
    architecture is mutated first, then the next best, up to `parents` of them. rate: by which a mutant differs, in
    decisions that are re-drawn on average (the authors' code re-draws 1.5 of the 6 of NAS-Bench-201). ensemble: the
    published networks.

    The paper's path encoding is used where the space has cells and the candidates give it (group "paths"); otherwise
    the group "graph", and for spaces without a known graph the one-hot encoding, which the paper finds worse. The
    losses are standardised before training, which the authors' code leaves out, because here they have any unit. Of
    candidates with equal features one is enough, as in their code. Control trials are learned from like others. One
    objective only.
    """

    initial: int = 10
    batch: int = 10
    pool: int = 100
    parents: int = 5
    rate: float = 1.5
    ensemble: MlpEnsemble = field(default_factory=MlpEnsemble)
    name: str = "bananas"

    def __post_init__(self) -> None:
        refuse_rounds(self.initial, self.batch, self.pool)

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        def rank(known: Known) -> tuple[Architecture, ...]:
            return _ranked(self, known, lasting_seed(seed, history), cast(Hashable, candidates))

        return ask_ranked(self.name, self.initial, self.batch, history, count, seed, candidates, rank)


@lru_cache(maxsize=8)
def _ranked(strategy: Bananas, known: Known, seed: int, held: Hashable) -> tuple[Architecture, ...]:
    """The candidates of a round by a loss drawn for each from its own normal distribution (independent Thompson
    sampling, section 4). held: the candidates."""
    candidates = cast(Candidates, held)
    rng = np.random.default_rng([seed, len(known)])
    asked = _pool(strategy, known, candidates, rng)
    if not asked:
        return ()
    codes = [row.codes for row in known] + [candidates.space.codes(one) for one in asked]
    table, losses = _features(codes, candidates), np.array([row.loss for row in known])
    told, open_ = table[: len(known)], table[len(known) :]
    predicted = strategy.ensemble.fit(told, losses, seed).predict(open_)
    drawn = rng.normal(predicted.mean(0), predicted.std(0))
    order = np.argsort(drawn, kind="stable").tolist()
    return tuple(asked[row] for row in distinct_first(order, open_, told))


def _pool(strategy: Bananas, known: Known, candidates: Candidates, rng: np.random.Generator) -> list[Architecture]:
    """Mutants of the best; random architectures where there are not enough (a small or a narrow space)."""
    parents = best_of(known, strategy.parents, candidates)
    mutated = (
        mutant
        for parent in parents
        for mutant in mutants([parent], strategy.pool, rng, strategy.rate / max(len(parent.values), 1))
    )
    drawn = strangers(PATIENCE * strategy.batch, candidates, rng)
    return fresh(chain(mutated, drawn), strategy.pool, {row.arch_id for row in known}, candidates)


def _features(codes: Sequence[tuple[int, ...]], candidates: Candidates) -> Float[np.ndarray, "architectures features"]:
    """The first group that there is, without what is the same for all; counts are scaled to at most 1."""
    known = candidates.features(candidates.space.from_codes(codes[0]))
    group = next(name for name in FEATURES if name in known)
    table = np.stack([feature(cast(Hashable, candidates), one, group) for one in codes])
    varied = table[:, (table != table[0]).any(axis=0)]
    return np.asarray(varied / np.maximum(np.abs(varied).max(axis=0), 1.0))
