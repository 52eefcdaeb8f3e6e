"""Statistics against SciPy, closed forms, enumeration and simulation."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from nasturtium.protocol.statistics import (
    compare,
    crossed,
    expected_best,
    holm,
    resampled_t_test,
    row_values,
    score_interval,
)
from nasturtium.protocol.statistics.best_of import order_weights


def accuracy(outputs, targets):
    return float((outputs.argmax(1) == targets).mean())


def auc(outputs, targets):
    return float(roc_auc_score(targets, outputs[:, 1] - outputs[:, 0]))


def rmse(outputs, targets):
    return float(np.sqrt(((outputs - targets) ** 2).mean(0)).mean())


def correctness(rng, rows, seeds, accuracy, difficulty=2.0, seed_effect=0.05, shared=None):
    """0/1 tables by a probit model: hard and easy rows, good and bad seeds, and luck; mean `accuracy` exactly."""
    hard = difficulty * (rng.normal(size=(rows, 1)) if shared is None else shared)
    seed = seed_effect * np.sqrt(1 + difficulty**2)
    start = stats.norm.ppf(accuracy) * np.sqrt(1 + difficulty**2 + seed**2)
    latent = start + hard + seed * rng.normal(size=(1, seeds)) + rng.normal(size=(rows, seeds))
    return (latent > 0).astype(float)


@pytest.mark.parametrize("draws", [1, 2, 4, 7])
def test_the_expected_best_equals_the_mean_over_all_subsets(draws):
    scores = np.random.default_rng(0).normal(size=7)
    brute = np.mean([max(subset) for subset in combinations(scores, draws)])
    assert expected_best(scores, draws).expected == pytest.approx(brute)
    brute = np.mean([min(subset) for subset in combinations(scores, draws)])
    assert expected_best(scores, draws, direction="minimize").expected == pytest.approx(brute)


def test_order_weights_are_a_distribution_for_large_numbers_too():
    weights = order_weights(5000, 1234)
    assert weights.sum() == pytest.approx(1)
    assert weights[-1] == pytest.approx(1234 / 5000)


@pytest.mark.parametrize(("observed", "draws"), [(15, 5), (15, 15), (15, 100), (40, 250)])
def test_random_search_at_equal_cost_lands_in_its_interval(observed, draws):
    rng = np.random.default_rng(1)
    inside, expected, real = 0, [], []
    for _ in range(400):
        guess = expected_best(1 - 0.02 * np.exp(0.7 * rng.normal(size=observed)), draws, best_possible=1.0)
        best = 1 - 0.02 * np.exp(0.7 * rng.normal(size=draws)).min()
        inside += guess.low <= best <= guess.high
        expected.append(guess.expected)
        real.append(best)
    assert inside / 400 > 0.89
    assert np.mean(expected) == pytest.approx(np.mean(real), abs=0.001)
    assert guess.extrapolated == (draws > observed)


def test_failed_trials_are_left_out_and_the_best_possible_bounds_the_tail():
    guess = expected_best(np.array([0.9, np.nan, 0.999, 0.95]), 10**6, best_possible=1.0)
    assert guess.observed == 3
    assert guess.low <= guess.expected <= guess.high <= 1
    loss = expected_best(np.array([3.0, 2.0, 1.0]), 1000, direction="minimize", best_possible=0.0)
    assert 0 <= loss.low <= loss.expected <= min(loss.high, 1.0)
    with pytest.raises(ValueError, match="needs a finite score and a draw"):
        expected_best(np.array([np.nan]), 3)


def test_equal_scores_have_no_spread():
    guess = expected_best(np.full(15, 0.97), 100, best_possible=1.0)
    assert guess.low == pytest.approx(0.97)
    assert guess.expected == pytest.approx(0.97)
    assert guess.high == pytest.approx(0.97)


def test_the_resampled_test_is_the_paired_t_test_but_for_the_overlap():
    gains = np.array([0.01, 0.03, -0.01, 0.02, 0.015])
    plain = stats.ttest_1samp(gains, 0)
    almost = resampled_t_test(gains, train_rows=10**12, score_rows=1)
    assert almost.p_value == pytest.approx(plain.pvalue)
    interval = plain.confidence_interval(0.95)
    assert (almost.low, almost.high) == pytest.approx((interval.low, interval.high))
    corrected = resampled_t_test(gains, train_rows=300, score_rows=100)
    assert corrected.error / almost.error == pytest.approx(np.sqrt((1 / 5 + 1 / 3) / (1 / 5)))
    assert corrected.p_better == pytest.approx(corrected.p_value / 2)
    assert corrected.exceeds(corrected.mean) == pytest.approx(0.5)


def test_the_interval_and_the_p_value_agree():
    gains = np.array([0.01, 0.03, -0.01, 0.02, 0.015])
    test = resampled_t_test(gains, train_rows=300, score_rows=100)
    at_edge = resampled_t_test(gains - test.low, train_rows=300, score_rows=100)
    assert at_edge.p_value == pytest.approx(0.05)


def test_one_row_more_in_every_resplit_is_no_certainty():
    gains = np.full(5, 1 / 360)
    assert resampled_t_test(gains, train_rows=1080, score_rows=360).p_better == 0
    assert resampled_t_test(gains, train_rows=1080, score_rows=360, share=True).p_better > 0.1
    assert resampled_t_test(np.zeros(5), train_rows=1080, score_rows=360, share=True).p_value == 1


def test_the_detectable_gain_is_detected_in_eight_of_ten_studies():
    rng = np.random.default_rng(2)
    spread, resplits = 0.01, 5
    # Draws whose mean has the corrected error that the test assumes: independent ones, with no rows to score.
    tests = [resampled_t_test(spread * rng.normal(size=resplits), train_rows=10**9, score_rows=1) for _ in range(2000)]
    shift = tests[0].detectable() / tests[0].error * spread / np.sqrt(resplits)
    found = [test.exceeds(-shift) <= 0.05 for test in tests]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


def test_a_test_needs_two_finite_gains():
    with pytest.raises(ValueError, match="at least two finite gains"):
        resampled_t_test(np.array([0.1, np.nan]), train_rows=3, score_rows=1)


def test_holm_equals_the_closed_test_of_bonferroni():
    values = np.random.default_rng(3).uniform(0, 0.1, 4)
    families = [family for size in range(1, 5) for family in combinations(range(4), size)]
    closed = [max(min(1, len(f) * min(values[list(f)])) for f in families if one in f) for one in range(4)]
    assert holm(list(values)) == pytest.approx(closed)


def test_the_crossed_variance_is_unbiased():
    rng = np.random.default_rng(4)
    rows, seeds = 40, 5
    variances, means = [], []
    for _ in range(3000):
        table = rng.normal(size=(rows, 1)) + 0.5 * rng.normal(size=(1, seeds)) + 2 * rng.normal(size=(rows, seeds))
        found = crossed(table)
        variances.append(found.variance)
        means.append(found.mean)
    truth = 1 / rows + 0.25 / seeds + 4 / (rows * seeds)
    assert np.var(means) == pytest.approx(truth, rel=0.06)
    assert np.mean(variances) == pytest.approx(truth, rel=0.05)  # cut at no seed effect, hence a little above


def test_one_seed_has_the_variance_of_a_plain_mean():
    column = np.random.default_rng(5).normal(size=(50, 1))
    assert crossed(column).variance == pytest.approx(stats.sem(column[:, 0]) ** 2)
    assert crossed(np.repeat(column, 5, 1)).variance == pytest.approx(stats.sem(column[:, 0]) ** 2)


@pytest.mark.parametrize("rows", [360, 1000])
@pytest.mark.parametrize("mean", [0.9, 0.97, 0.99])
def test_accuracy_intervals_cover_95_of_100_tests_near_one_too(rows, mean):
    rng = np.random.default_rng(rows)
    found = [score_interval(correctness(rng, rows, 5, mean), "share") for _ in range(600)]
    covered = np.mean([one.low <= mean <= one.high for one in found])
    assert 0.93 <= covered <= 0.975  # 600 simulations: standard error 0.009


def test_a_binomial_score_gets_a_binomial_interval():
    column = np.r_[np.ones(352), np.zeros(8)][:, None]
    interval = score_interval(column, "share")
    exact = stats.binomtest(352, 360).proportion_ci(method="exact")
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high), abs=0.002)


def test_a_perfect_score_has_an_interval_below_one():
    interval = score_interval(np.ones((360, 5)), "share")
    assert (interval.mean, interval.high) == (1.0, 1.0)
    assert 0.985 < interval.low < 0.995
    assert interval.per_seed == (1.0,) * 5
    groups = score_interval(np.ones((20, 1)), "share", test_rows=360)
    assert groups.low == pytest.approx(interval.low)


@pytest.mark.parametrize("rows", [90, 360])
def test_rmse_intervals_cover_95_of_100_tests(rows):
    rng = np.random.default_rng(rows + 1)
    inside = 0
    for _ in range(600):
        errors = 0.9 * rng.normal(size=(1, rows)) + 0.4 * rng.normal(size=(5, rows))
        values = row_values("rmse", rmse, errors[:, :, None], np.zeros((rows, 1)))
        interval = score_interval(values.values, values.scale)
        inside += interval.low <= np.sqrt(0.97) <= interval.high
    assert 0.925 <= inside / 600 <= 0.975


def test_row_values_average_to_each_seed_s_score():
    rng = np.random.default_rng(6)
    targets = rng.integers(0, 2, 300)
    outputs = rng.normal(size=(3, 300, 2)) + np.eye(2)[targets]
    for name, metric in (("accuracy", accuracy), ("auc", auc)):
        found = row_values(name, metric, outputs, targets)
        np.testing.assert_allclose(found.values.mean(0), [metric(one, targets) for one in outputs])
        assert (found.scale, found.rows) == ("share", 300)
    goals = rng.normal(size=(300, 2))
    found = row_values("rmse", rmse, outputs, goals)
    np.testing.assert_allclose(found.values.mean(0), [rmse(one, goals) for one in outputs])


def test_the_jackknife_finds_delong_s_variance_of_an_auc():
    rng = np.random.default_rng(7)
    targets = np.repeat([0, 1], 150)
    outputs = rng.normal(size=(1, 300, 2)) + 1.2 * np.eye(2)[targets]
    margin = outputs[0, :, 1] - outputs[0, :, 0]
    wins = margin[targets == 1][:, None] > margin[targets == 0][None]
    delong = wins.mean(1).var(ddof=1) / 150 + wins.mean(0).var(ddof=1) / 150
    found = crossed(row_values("auc", auc, outputs, targets).values)
    assert found.variance == pytest.approx(delong, rel=0.2)


def test_differences_on_the_test_set_are_covered():
    rng = np.random.default_rng(8)
    inside = 0
    for _ in range(600):
        hard = rng.normal(size=(360, 1))
        first, second = (correctness(rng, 360, 5, mean, shared=hard) for mean in (0.97, 0.95))
        found = compare(first, second, "share")
        inside += found.low <= 0.02 <= found.high
    assert 0.93 <= inside / 600 <= 0.985


def test_a_difference_without_seeds_is_a_paired_t_test():
    rng = np.random.default_rng(9)
    first, second = rng.normal(size=(80, 1)), rng.normal(size=(80, 1))
    expected = stats.ttest_rel(first[:, 0], second[:, 0])
    found = compare(first, second, "real")
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high, found.p_value) == pytest.approx((interval.low, interval.high, expected.pvalue))


def test_models_that_never_disagree_still_have_an_interval():
    same = np.ones((360, 5))
    found = compare(same, same[:, :1], "share")
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert found.low < 0 < found.high
