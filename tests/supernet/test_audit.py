"""The supernet audit: correlations against SciPy, intervals, and what the sentence says."""

from math import isnan

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau, spearmanr

from nasturtium.errors import RunError
from nasturtium.hardware import LimitedCandidates, Limits
from nasturtium.space import Architecture, Space
from nasturtium.supernet.audit import Alone, audit, correlated, sampled
from nasturtium.supernet.inherited import parted
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.training import Recipe


def scores(noise: float, count: int = 40, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    first = rng.normal(size=count)
    second = first + noise * rng.normal(size=count)
    return (first.round(1), second.round(1)) if ties else (first, second)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.5, 5.0])
def test_the_correlations_are_those_of_scipy(noise: float, ties: bool) -> None:
    first, second = scores(noise, ties=ties)
    found = correlated((), first, second)
    assert found.kendall == pytest.approx(kendalltau(first, second).statistic, abs=1e-12)
    assert found.spearman == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)
    assert found.kendall_low <= found.kendall <= found.kendall_high
    assert found.spearman_low <= found.spearman <= found.spearman_high


def test_the_interval_covers_the_true_correlation_about_as_often_as_it_says() -> None:
    """Pairs from a bivariate normal: tau is 2 / pi asin(rho). The percentile interval is a little narrow at n = 40."""
    rng, rho = np.random.default_rng(1), 0.6
    true = 2 / np.pi * np.arcsin(rho)
    covered = 0
    for seed in range(40):
        first = rng.normal(size=40)
        second = rho * first + np.sqrt(1 - rho**2) * rng.normal(size=40)
        found = correlated((), first, second, seed)
        covered += found.kendall_low <= true <= found.kendall_high
    assert covered >= 33


def test_the_same_seed_gives_the_same_interval_and_nan_pairs_are_left_out() -> None:
    first, second = scores(0.5)
    found, again = correlated((), first, second, 3), correlated((), first, second, 3)
    assert (found.kendall_low, found.kendall_high) == (again.kendall_low, again.kendall_high)
    holes = first.copy()
    holes[:5] = np.nan
    assert correlated((), holes, second).n == 35


def test_the_sentence_says_what_to_do() -> None:
    first, second = scores(0.1)
    good = correlated((), first, second)
    assert good.sentence.startswith(
        f"Kendall's tau between inherited and stand-alone scores is {good.kendall:.2f} (95 %"
    )
    assert good.sentence.endswith("they rank architectures well enough to search by; still train the finalists alone.")
    rough = correlated((), *scores(1.2))
    assert 0.2 <= rough.kendall < 0.5
    assert "they sort out the worst architectures, no more: train the best tenth alone" in rough.sentence
    bad = correlated((), first, np.random.default_rng(9).normal(size=40))
    assert bad.kendall < 0.2
    assert "do not trust inherited scores here: train the supernet longer, shrink the space" in bad.sentence
    few = correlated((), *scores(1.0, 12))
    assert few.kendall_low < 0.2
    assert few.sentence.endswith("The sample is too small to be sure of that: audit more architectures.")


def test_scores_that_are_all_equal_say_nothing() -> None:
    found = correlated((), np.ones(20), np.arange(20.0))
    assert isnan(found.kendall)
    assert found.sentence.startswith("The audit of 20 architectures says nothing: one of the two scores is the same")


def test_an_audit_scores_both_ways_and_wants_ten_architectures(path_space: Space) -> None:
    candidates = LimitedCandidates(path_space, None, Limits())
    some = sampled(candidates, 12, seed=0)
    assert len({one.arch_id for one in some}) == 12
    assert some == sampled(candidates, 12, seed=0)

    def size(architecture: Architecture) -> float:
        return float(sum(path_space.codes(architecture)))

    found = audit(size, lambda one: -size(one), some)
    assert found.kendall == pytest.approx(-1)
    assert found.n == 12
    with pytest.raises(RunError, match="needs at least 10 architectures, and there are 9"):
        audit(size, size, some[:9])


def test_alone_trains_each_network_from_its_own_weights(path_space: Space, path_rows: SearchRows) -> None:
    data = parted(path_rows, 0.3, 0, torch.device("cpu"))
    alone = Alone(data, path_rows.task, Recipe(lr=1e-2, epochs=8, batch_size=16), (0, 1))
    architecture = path_space.sample(4)
    first = alone(architecture)
    assert first == alone(architecture)
    assert first == pytest.approx((alone.measure(architecture, 0) + alone.measure(architecture, 1)) / 2)
    assert first > 0.6


def test_parts_are_stratified_disjoint_and_repeat_by_seed(path_rows: SearchRows) -> None:
    data = parted(path_rows, 0.3, 0, torch.device("cpu"))
    assert data.score_inputs is not None
    assert data.score_targets is not None
    assert np.bincount(data.score_targets).tolist() == [9, 9, 9]
    assert len(data.inputs) == 63
    rows = {tuple(row.flatten().tolist()) for row in torch.cat([data.inputs, data.score_inputs])}
    assert len(rows) == 90
    again = parted(path_rows, 0.3, 0, torch.device("cpu"))
    assert torch.equal(data.inputs, again.inputs)
    assert not torch.equal(data.inputs, parted(path_rows, 0.3, 1, torch.device("cpu")).inputs)
