"""NAS-BOWL: the Gaussian process against scikit-learn, the graph it reads, and what it is worth on a toy."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct

from nasturtium.errors import RunError
from nasturtium.roles import Features, Strategy
from nasturtium.space import Architecture, Space, choice
from nasturtium.space.graphs import tree_graph, wl_vector
from nasturtium.strategies import Random, RegularizedEvolution
from nasturtium.strategies._graph_gp import fit_graph_gp, unit
from nasturtium.strategies._rounds import known_to_round
from nasturtium.strategies.nas_bowl import NasBowl, _ranked, log_regret
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, mixed_space, simulate
from nasturtium.trial import History, Objective

SMALL = NasBowl(initial=4, batch=3, pool=30)
SEPARABLE = Space(tuple(choice(*range(4)) for _ in range(8)), name="separable")
CANDIDATES = SpaceCandidates(SEPARABLE)


def total(architecture: Architecture) -> tuple[float]:
    return (float(sum(architecture.tree)),)


class TestNasBowl(StrategySuite):
    objectives = (1,)

    def strategy(self) -> Strategy:
        return SMALL


def test_the_posterior_and_the_likelihood_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 4, (30, 3, 6)).astype(float)
    losses = 7 + counts[:, 0, 0] - 2 * counts[:, 1, 1] + 0.1 * rng.normal(size=30)
    noises = [1e-3, 1e-2, 1e-1]
    ours = fit_graph_gp(counts[:25], losses[:25], (1, 2), noises)
    likelihoods = {}
    for depth in (1, 2):
        for noise in noises:
            theirs = GaussianProcessRegressor(
                DotProduct(0.0, "fixed"), alpha=noise, optimizer=None, normalize_y=True
            ).fit(unit(counts[:25], depth), losses[:25])
            likelihoods[depth, noise] = theirs.log_marginal_likelihood_value_
            if (depth, noise) == (ours.depth, ours.noise):
                mean, deviation = theirs.predict(unit(counts[25:], depth), return_std=True)
    found = ours.predict(counts[25:])
    np.testing.assert_allclose(found[0], mean, rtol=1e-6)
    np.testing.assert_allclose(found[1], deviation, rtol=1e-4)
    assert max(likelihoods, key=lambda pair: likelihoods[pair]) == (ours.depth, ours.noise)


def test_the_kernel_is_normalised() -> None:
    counts = np.random.default_rng(0).integers(0, 5, (6, 3, 7)).astype(float)
    np.testing.assert_allclose((unit(counts, 2) ** 2).sum(1), 1)
    assert np.isfinite(unit(counts * 0, 2)).all()


def test_it_believes_what_it_has_seen() -> None:
    counts = np.random.default_rng(0).integers(0, 5, (12, 3, 40)).astype(float)
    losses = np.arange(12.0)
    mean, deviation = fit_graph_gp(counts, losses, (2,), [1e-5]).predict(counts)
    np.testing.assert_allclose(mean, losses, atol=0.05)
    assert (deviation < 0.1).all()


@dataclass(frozen=True)
class WithCounts(SpaceCandidates):
    """Candidates that give the counts of the tree themselves, or of nothing."""

    blind: bool = False

    def features(self, architecture: Architecture) -> Features:
        counts = wl_vector(tree_graph(architecture.tree))
        return {"wl": counts * 0 if self.blind else counts}


def test_counts_that_the_candidates_give_go_before_those_of_the_tree() -> None:
    history = simulate(Random(), CANDIDATES, total, 20, failing=0)
    known = known_to_round(history, 10, 10, CANDIDATES)
    plain = [one.tree for one in _ranked(SMALL, known, 0, CANDIDATES)]
    assert [one.tree for one in _ranked(SMALL, known, 0, WithCounts(SEPARABLE))] == plain
    assert [one.tree for one in _ranked(SMALL, known, 0, WithCounts(SEPARABLE, blind=True))] != plain


def test_the_target_tells_the_good_apart_and_survives_ties() -> None:
    np.testing.assert_allclose(log_regret(np.array([3.0, 5.0, 4.0])), np.log1p([0.0, 2.0, 1.0]))
    np.testing.assert_allclose(log_regret(np.array([3.0, 3.0, 3.0, 7.0])), np.log1p([0, 0, 0, 1.0]))
    np.testing.assert_allclose(log_regret(np.full(4, 2.0)), 0.0)


def test_half_of_the_pool_are_mutants_and_all_are_new() -> None:
    history = simulate(Random(), CANDIDATES, total, 20, failing=0)
    known = known_to_round(history, 10, 10, CANDIDATES)
    ranked = _ranked(NasBowl(), known, 0, CANDIDATES)
    ids = {one.arch_id for one in ranked}
    assert len(ranked) == len(ids) == 200
    assert not ids & history.ids
    best = sorted(history.trials, key=lambda trial: trial.measures["loss0"])[:10]
    near = [
        one
        for one in ranked
        if any(sum(a != b for a, b in zip(one.tree, trial.architecture.tree, strict=True)) == 1 for trial in best)
    ]
    assert len(near) >= 100


def test_a_round_is_fitted_once_and_a_dropped_memory_changes_nothing() -> None:
    history = simulate(SMALL, CANDIDATES, total, 16, failing=0)
    _ranked.cache_clear()
    for cut in (7, 8, 9):
        past = History(history.objectives, history.trials[:cut])
        assert SMALL.ask(past, 1, 0, CANDIDATES)[0] == history.trials[cut].architecture
    assert _ranked.cache_info().misses == 1


def test_it_beats_evolution_and_random_search_on_a_toy() -> None:
    best = {}
    for strategy in (NasBowl(), RegularizedEvolution(10, 3), Random()):
        runs = [simulate(strategy, CANDIDATES, total, 50, seed=seed, failing=0) for seed in range(4)]
        best[strategy.name] = np.mean([history.losses().min() for history in runs])
    assert best["nas-bowl"] < best["regularized-evolution"] < best["random"]


def test_what_it_cannot_do_is_said() -> None:
    both = History((Objective("accuracy", "maximize"), Objective("params", "minimize")))
    with pytest.raises(RunError, match=r"'nas-bowl' takes one objective, and there are 2 \(accuracy, params\)"):
        NasBowl().ask(both, 1, 0, SpaceCandidates(mixed_space()))
    with pytest.raises(RunError, match=r"depths is \(3,\): give some from 0 to 2"):
        NasBowl(depths=(3,))
    with pytest.raises(RunError, match=r"noise is \(0.1, 0.01\): 0 < least <= most"):
        replace(NasBowl(), noise=(0.1, 0.01))
