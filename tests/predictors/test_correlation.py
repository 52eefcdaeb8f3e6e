"""Rank correlations against the published intervals and against simulation."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from nasturtium.errors import RunError
from nasturtium.predictors import Forest, correlate, correlations, cross_validated, useful
from nasturtium.predictors.correlation import kendall_interval, spearman_interval


def trials(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Goodness, and scores that tell of it with more and less noise."""
    rng = np.random.default_rng(seed)
    good = rng.normal(size=count)
    return {
        "good": good,
        "params": good + 1.5 * rng.normal(size=count),
        "macs": good + 1.5 * rng.normal(size=count),
        "better": good + 0.3 * rng.normal(size=count),
        "same": good + 1.5 * rng.normal(size=count),
        "noise": rng.normal(size=count),
        "reversed": -good + 0.1 * rng.normal(size=count),
    }


def test_correlations_are_scipys() -> None:
    data = trials(50)
    found = correlate("macs", data["macs"], -data["good"])
    assert found.spearman == pytest.approx(spearmanr(data["macs"], data["good"]).statistic)
    assert found.kendall == pytest.approx(kendalltau(data["macs"], data["good"]).statistic)
    assert (found.name, found.n) == ("macs", 50)


def test_the_intervals_are_bonett_and_wrights() -> None:
    # By hand for rho = 0.5 and n = 28: z 0.5493, deviation sqrt(1.125 / 25) = 0.2121, so tanh(0.1335) to tanh(0.9651).
    assert spearman_interval(0.5, 28) == pytest.approx((0.1328, 0.7466), abs=2e-4)
    # tau = 0.4 and n = 30: z 0.4236, deviation sqrt(0.437 / 26) = 0.1296, so tanh(0.1695) to tanh(0.6778).
    assert kendall_interval(0.4, 30) == pytest.approx((0.1679, 0.5901), abs=2e-4)
    found = correlate("better", trials(50)["better"], -trials(50)["good"])
    assert (found.low, found.high) == spearman_interval(found.spearman, 50)
    assert (found.kendall_low, found.kendall_high) == kendall_interval(found.kendall, 50)
    assert spearman_interval(1.0, 50) == (1.0, 1.0)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    # Bivariate normal with Pearson 0.6: Spearman is 6 / pi * asin(0.3).
    truth, rng, inside, count = 6 / np.pi * np.arcsin(0.3), np.random.default_rng(2), 0, 300
    for _ in range(count):
        one = rng.normal(size=40)
        two = 0.6 * one + 0.8 * rng.normal(size=40)
        found = correlate("s", one, -two)
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / count <= 0.98


def test_the_best_come_first_and_those_that_say_nothing_last() -> None:
    data = trials(60)
    scores = {name: data[name] for name in ("noise", "better", "params", "macs")} | {"flat": np.ones(60)}
    names = [one.name for one in correlations(scores, -data["good"])]
    assert (names[0], names[-1]) == ("better", "flat")


def test_trials_without_a_score_are_left_out() -> None:
    data = trials(30)
    score = np.where(np.arange(30) % 3 == 0, np.nan, data["better"])
    found = correlate("better", score, -data["good"])
    kept = np.isfinite(score)
    assert found.n == 20
    assert found.spearman == pytest.approx(spearmanr(score[kept], data["good"][kept]).statistic)
    assert np.isnan(correlate("few", np.where(np.arange(30) < 4, 1.0, np.nan), -data["good"]).spearman)


def test_only_what_beats_params_and_macs_is_useful() -> None:
    data = trials(60)
    scores = {name: data[name] for name in data if name != "good"}
    assert useful(scores, -data["good"]) == ("better",)


def test_a_score_must_beat_a_baseline_that_ranks_backwards_too() -> None:
    data = trials(60)
    scores = {"macs": data["macs"], "params": data["reversed"], "better": data["better"]}
    assert useful(scores, -data["good"]) == ()


def test_few_trials_prove_nothing() -> None:
    data = trials(9)
    assert useful({name: data[name] for name in ("params", "macs", "better")}, -data["good"]) == ()


def test_a_score_as_good_as_the_baselines_is_seldom_called_useful() -> None:
    called = 0
    for seed in range(40):
        data = trials(40, seed)
        called += "same" in useful({name: data[name] for name in ("params", "macs", "same")}, -data["good"])
    assert called <= 4


def test_no_score_is_judged_without_its_baselines() -> None:
    with pytest.raises(RunError, match="The scores lack 'macs': no proxy is judged without params and MACs beside it"):
        useful({"params": np.zeros(3), "synflow": np.zeros(3)}, np.zeros(3))
    with pytest.raises(RunError, match="The score 'macs' has 2 values and there are 3 trials"):
        correlations({"params": np.zeros(3), "macs": np.zeros(2)}, np.zeros(3))


def test_a_predictor_is_judged_on_trials_that_it_has_not_seen() -> None:
    rng = np.random.default_rng(3)
    matrix, noise = rng.normal(size=(60, 3)), rng.normal(size=60)
    forest = Forest(trees=20)
    # Losses that nothing explains are fitted closely, and predicted not at all.
    assert correlate("seen", -forest.fit(matrix, noise, 0).predict(matrix)[0], noise).spearman > 0.7
    assert correlate("unseen", cross_validated(forest, matrix, noise, 0), noise).low < 0
    losses = matrix @ np.array([1.0, 2.0, 0.0])
    assert correlate("real", cross_validated(forest, matrix, losses, 0), losses).spearman > 0.7
    assert np.isnan(cross_validated(forest, matrix[:9], losses[:9], 0)).all()
    assert np.array_equal(cross_validated(forest, matrix, losses, 0), cross_validated(forest, matrix, losses, 0))


def test_a_model_that_has_learnt_the_mean_alone_does_not_look_like_one_that_ranks_backwards() -> None:
    """Held-out trials with high losses leave a low mean behind: folds are levelled, so that this tells little."""
    model = SimpleNamespace(
        name="mean",
        fit=lambda rows, losses, seed: SimpleNamespace(
            predict=lambda asked: (np.full(len(asked), losses.mean()), np.zeros(len(asked)))
        ),
    )
    found = []
    for seed in range(40):
        losses = np.random.default_rng(seed).normal(size=40)
        found.append(spearmanr(cross_validated(model, np.zeros((40, 1)), losses, seed), -losses).statistic)
    assert abs(np.mean(found)) < 0.1  # in random folds it is -0.27
