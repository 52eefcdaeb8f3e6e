"""The default strategy: a Gaussian process on what architectures are, asked where improvement is most expected.

Our own combination of known parts, chosen on tabular benchmarks (docs/strategies.md says how it compares): each network
counts once (by `arch_id`); kernels on decisions, graph, costs and proxies are added, and the data weigh them (Gaussian
processes for NAS: Kandasamy et al. 2018, Ru et al. 2021; graph features: Kadlecova et al. 2024); losses become log
regrets, so that the model looks at the good end; expected improvement (Jones et al. 1998), without the noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from nasturtium import pareto
from nasturtium.predictors.gp_views import views
from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies._acquisition import expected_hypervolume_improvement, expected_improvement
from nasturtium.strategies._carried import carried
from nasturtium.strategies._model import Data, Model, Prediction, fitted_on, model
from nasturtium.strategies._pool import around, pool
from nasturtium.strategies._trusted import trusted
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import History

STARTERS, PROBED = 50, 10
"""Random architectures of which a starter is the most promising; fewer where each has to be measured for that."""
MANY = 150
"""From so many trials on, a small space is not asked about as a whole each time, but those that were promising when
hyperparameters were last worked out; of a large space the pool is `FEWER` of the usual one: on six made-up losses the
best after 260 trials was 0.315 with 0.3, 0.317 with 0.5 and 0.335 with the whole pool."""
FEWER = 0.3
PROMISING = 700
MOST = 600
"""Trials that the model sees: its cost grows with their third power."""
CLIMBS = 2
CLIMBERS, NEAR = 3, 12
SHORTLIST = 64
"""Architectures whose proxies are measured, an ask. On NAS-Bench-201 the best cell took 14.3 and 15.1 queries so (C10,
C100; 40 searches), and 14.4 and 13.5 where all proxies were known beforehand."""
DRAWS = 32


@dataclass(frozen=True)
class Auto:
    """Any space, any number of objectives and of workers; trials of several fidelities.

    startup: trials before the model is used (5): each of 50 random architectures the one with most parameters and MACs,
    since larger networks are mostly better, and with the best proxies where there are any; where nothing is counted,
    random ones. So too with several objectives: queries to NSGA-II's hypervolume, 50 searches, were 52 with large ones
    and 83 with some of every size. Running trials are believed to turn out as predicted (Ginsbourger et al. 2010,
    "kriging believer"), so that workers spread.
    """

    startup: int = 5
    name: str = "auto"

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        rng = generator(seed, history)
        architectures, losses = carried(history)
        if len(losses) < self.startup or not views(candidates).sides:
            proposed = starters(seed, candidates)
        else:
            rows = telling(losses)
            attached = tuple(candidates.space.attach(architectures[row]) for row in rows)
            proposed = _Search(Data(attached, losses[rows]), candidates, rng).proposals(history, count)
        following = iter(proposed)
        return novel(history, count, candidates, rng, lambda made: next(following, None), tries=len(proposed) + 1)


def telling(losses: Float[np.ndarray, "n objectives"]) -> list[int]:
    """Rows that the model sees: all, or of very many the best half of `MOST` and the latest others."""
    if len(losses) <= MOST:
        return list(range(len(losses)))
    order = pareto.order(losses).tolist()
    return sorted([*order[: MOST // 2], *sorted(order[MOST // 2 :])[-(MOST - MOST // 2) :]])


def starters(seed: int, candidates: Candidates) -> list[Architecture]:
    """`STARTERS` random architectures, the most promising first. Each ask of a study draws others, for its seed is
    another."""
    rng, measured = np.random.default_rng([seed, STARTERS]), views(candidates).measurable
    drawn = [candidates.sample(rng) for _ in range(PROBED if measured else STARTERS)]
    order = np.argsort(-views(candidates, measured).promise(drawn), kind="stable")
    return [drawn[row] for row in order]


@dataclass(frozen=True)
class _Search:
    """One ask."""

    data: Data
    candidates: Candidates
    rng: np.random.Generator

    def proposals(self, history: History, count: int) -> list[Architecture]:
        """The most promising new architectures, one after the other, each believed before the next is chosen."""
        plain = views(self.candidates)
        known = [model(self.data, plain)]
        if plain.measurable:
            seen = views(self.candidates, measured=True)
            known += [model(self.data, seen)] if trusted(self.data, seen) else []
        for trial in history.running:
            known = [one.believe(self.candidates.space.attach(trial.architecture)) for one in known]
        found: list[Architecture] = []
        taken = history.ids
        while len(found) < count:
            winner = self._winner(known, taken)
            if winner is None:
                break
            found.append(winner)
            taken = taken | {winner.arch_id}
            if len(found) < count:
                known = [one.believe(winner) for one in known]
        return found

    def _winner(self, known: Sequence[Model], taken: frozenset[str]) -> Architecture | None:
        """The most promising new one; where proxies are measured, of the `SHORTLIST` most promising without them."""
        ranked = self._of_list(known[0]) if self.candidates.listed else self._of_pool(known[0])
        fresh = (one for one in ranked if one.arch_id not in taken)
        if len(known) == 1:
            return next(fresh, None)
        few = list(islice(fresh, SHORTLIST))
        return few[int(np.argmax(self._gain(known[1], known[1].predict(few))))] if few else None

    def _of_list(self, known: Model) -> Iterator[Architecture]:
        """A small space, the best first."""
        every = self.candidates.listed or ()
        count = len(self.data.losses)
        places = None if count < MANY else promising(self.candidates, self.data.first(fitted_on(count)))
        gains = self._gain(known, known.predict_listed(places))
        order = np.argsort(-gains, kind="stable")
        return (every[row] for row in (order if places is None else places[order]))

    def _of_pool(self, known: Model) -> Iterator[Architecture]:
        """A pool, and what is around its best; the best first."""
        space, order = self.candidates.space, pareto.order(self.data.losses)
        seen = frozenset(space.codes(one) for one in known.architectures)
        share = 1.0 if len(self.data.losses) < MANY else FEWER
        asked = pool(self.candidates, [self.data.architectures[row] for row in order[:20]], seen, self.rng, share)
        if not asked:
            return iter(())
        gains = self._gain(known, known.predict(asked))
        for _ in range(CLIMBS):
            top = [asked[row] for row in np.argsort(-gains, kind="stable")[:CLIMBERS]]
            met = seen | {space.codes(one) for one in asked}
            more = around(self.candidates, top, met, round(share * NEAR), self.rng)
            if not more:
                break
            asked, gains = [*asked, *more], np.concatenate([gains, self._gain(known, known.predict(more))])
        return (asked[row] for row in np.argsort(-gains, kind="stable"))

    def _gain(self, known: Model, predicted: Prediction) -> Float[np.ndarray, " m"]:
        """The expected gain of a trial of each."""
        return expected_gain(known, predicted, self.rng)


def expected_gain(known: Model, predicted: Prediction, rng: np.random.Generator) -> Float[np.ndarray, " m"]:
    """Of the loss; of the area behind the front of two; of a random scalarisation of more (Knowles 2006, ParEGO)."""
    means, deviations = predicted
    losses = known.losses
    if losses.shape[1] == 1:
        return expected_improvement(means[:, 0], deviations[:, 0], float(losses.min()))
    if losses.shape[1] == 2:
        return expected_hypervolume_improvement(means, deviations, losses[pareto.fronts(losses) == 0], known.reference)
    weights = rng.dirichlet(np.ones(losses.shape[1]))
    draws = means + deviations * rng.standard_normal((DRAWS, *means.shape))
    best = chebyshev(losses, losses, weights).min()
    return np.asarray(np.maximum(best - chebyshev(draws, losses, weights), 0.0).mean(0))


def chebyshev(
    values: Float[np.ndarray, "... objectives"],
    losses: Float[np.ndarray, "n objectives"],
    weights: Float[np.ndarray, " objectives"],
) -> Float[np.ndarray, "..."]:
    """Augmented: the worst weighted loss and a twentieth of the sum, from the best seen (Knowles 2006, eq. 2)."""
    weighted = weights * (values - losses.min(0))
    return np.asarray(weighted.max(-1) + 0.05 * weighted.sum(-1))


@lru_cache(maxsize=64)
def _promising(candidates: Candidates, architectures: tuple[Architecture, ...], flat: tuple[float, ...]) -> Any:
    losses = np.array(flat).reshape(len(architectures), -1)
    known = model(Data(architectures, losses), views(candidates))
    gains = expected_gain(known, known.predict_listed(None), np.random.default_rng(0))
    return np.sort(np.argsort(-gains, kind="stable")[:PROMISING])


def promising(candidates: Candidates, data: Data) -> Int[np.ndarray, " m"]:
    """Places in the list of a small space of those that promised most, given these data."""
    return np.asarray(_promising(candidates, data.architectures, tuple(data.losses.ravel().tolist())))
