"""The default strategy: a Gaussian process on what architectures are, asked where improvement is most expected.

Our own combination of known parts, chosen on tabular benchmarks (docs/strategies.md says how it compares): each network
counts once (by `arch_id`); kernels on decisions, graph, costs and proxies are added, and the data weigh them (Gaussian
processes for NAS: Kandasamy et al. 2018, Ru et al. 2021; graph features: Kadlecova et al. 2024); losses become log
regrets, so that the model looks at the good end; expected improvement (Jones et al. 1998), without the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nasturtium import pareto
from nasturtium.predictors.gp_views import views
from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies._acquisition import expected_hypervolume_improvement, expected_improvement
from nasturtium.strategies._model import Model, data_of, model
from nasturtium.strategies._pool import around, pool
from nasturtium.strategies.novel import generator, novel
from nasturtium.strategies.seasoned import seasoned
from nasturtium.trial import History, Trial

STARTERS = 50
CLIMBS = 2
CLIMBERS, NEAR = 3, 12


@dataclass(frozen=True)
class Auto:
    """Any space, any number of objectives, any number of workers.

    startup: trials before the model is used (5): of 50 random architectures those with most parameters and MACs, since
    larger networks are mostly better; with several objectives, and where nothing is counted, random ones. Running
    trials are believed to turn out as predicted (Ginsbourger et al. 2010, "kriging believer"), so that workers spread.
    """

    startup: int = 5
    name: str = "auto"

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        rng = generator(seed, history)
        trials = seasoned(history)
        if len(trials) < self.startup or len(views(candidates).sides) == 0:
            first = iter(starters(history, seed, candidates))
            return novel(history, count, candidates, rng, lambda made: next(first, None), tries=STARTERS)
        chosen = propose(history, trials, count, candidates, rng)
        proposals = iter(chosen)
        return novel(history, count, candidates, rng, lambda made: next(proposals, None), tries=len(chosen) + 1)


def starters(history: History, seed: int, candidates: Candidates) -> list[Architecture]:
    """`STARTERS` random architectures, the largest first; in random order where size should not matter."""
    rng = np.random.default_rng([seed, STARTERS])
    drawn = [candidates.sample(rng) for _ in range(STARTERS)]
    if len(history.objectives) > 1:
        return drawn
    costs = [candidates.features(one).get("costs") for one in drawn]
    if costs[0] is None:
        return drawn
    table = np.array(costs)[:, :2]  # params and MACs
    score = ((table - table.mean(0)) / np.maximum(table.std(0), 1e-12)).sum(1)
    return [drawn[row] for row in np.argsort(-score, kind="stable")]


def propose(
    history: History, trials: Sequence[Trial], count: int, candidates: Candidates, rng: np.random.Generator
) -> list[Architecture]:
    """The most promising new architectures, one after the other, each believed before the next is chosen."""
    known = model(data_of(history, trials), candidates)
    for trial in history.running:
        known = known.believe(trial.architecture)
    order = pareto.order(history.losses(tuple(trials)))
    best = [candidates.space.attach(trials[row].architecture) for row in order[:20]]
    found: list[Architecture] = []
    taken = history.ids
    for _ in range(count):
        winner = _winner(known, best, taken, candidates, rng)
        if winner is None:
            break
        found.append(winner)
        taken = taken | {winner.arch_id}
        if len(found) < count:
            known = known.believe(winner)
    return found


def _winner(
    known: Model,
    best: Sequence[Architecture],
    taken: frozenset[str],
    candidates: Candidates,
    rng: np.random.Generator,
) -> Architecture | None:
    if candidates.listed is not None:
        gains = gain(known, None)
        for row in np.argsort(-gains, kind="stable"):
            if candidates.listed[row].arch_id not in taken:
                return candidates.listed[row]
        return None
    asked = pool(candidates, best, taken, rng)
    if not asked:
        return None
    asked, gains = _climb(candidates, known, asked, gain(known, asked), taken, rng)
    return asked[int(np.argmax(gains))]


def gain(known: Model, asked: Sequence[Architecture] | None) -> Float[np.ndarray, " m"]:
    """The expected gain of a trial of each."""
    means, deviations = known.predict(asked)
    losses = known.losses
    if losses.shape[1] == 1:
        return expected_improvement(means[:, 0], deviations[:, 0], float(losses.min()))
    if losses.shape[1] == 2:
        front = losses[pareto.fronts(losses) == 0]
        return expected_hypervolume_improvement(means, deviations, front, known.reference)
    raise NotImplementedError


def _climb(
    candidates: Candidates,
    known: Model,
    asked: list[Architecture],
    gains: Float[np.ndarray, " m"],
    taken: frozenset[str],
    rng: np.random.Generator,
) -> tuple[list[Architecture], Float[np.ndarray, " m"]]:
    """Look around the most promising ones too."""
    for _ in range(CLIMBS):
        top = [asked[row] for row in np.argsort(-gains, kind="stable")[:CLIMBERS]]
        more = around(candidates, top, taken | {one.arch_id for one in asked}, NEAR, rng)
        if not more:
            break
        asked, gains = [*asked, *more], np.concatenate([gains, gain(known, more)])
    return asked, gains
