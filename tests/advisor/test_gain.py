"""The forecast of a search's gain, against simulated searches of which the truth is known."""

import numpy as np
import pytest
from scipy.special import ndtri

from nasturtium.advisor.gain import Scale, oracle, outlook, single

ACCURACY = Scale(best=1.0, step=1 / 400, maximize=True, worst=0.0)
RMSE = Scale(best=None, step=1e-12, maximize=False)
PILOT, TRIALS = 8, 30


def drawn(rng: np.random.Generator, scale: Scale, mean: float, spread: float, count: int) -> np.ndarray:
    scores = scale.back(rng.normal(mean, spread, count))
    return scores if scale.best is None else np.round(scores * 400) / 400


KINDS = [(ACCURACY, 3.0, 0.2), (ACCURACY, 3.0, 0.5), (ACCURACY, 1.5, 0.35), (RMSE, -4.0, 0.05), (RMSE, -4.0, 0.15)]
SEARCHES = 60


def test_the_interval_holds_nine_of_ten_and_is_at_most_twice_as_wide_as_an_oracles() -> None:
    """Over data sets whose networks lie close together and far apart."""
    rng, inside, widths = np.random.default_rng(3), 0, []
    for scale, mean, spread in KINDS:
        ours, theirs = [], []
        for seed in range(SEARCHES):
            pilot, found = (drawn(rng, scale, mean, spread, count) for count in (PILOT, TRIALS))
            told = outlook(list(pilot), TRIALS, scale, worth=1.0, seed=seed)
            known = oracle(spread, mean, list(pilot), TRIALS, scale, seed=seed)
            best, so_far = (max(scores) if scale.maximize else -min(scores) for scores in (found, pilot))
            inside += told.gain[1] - 1e-9 <= max(0.0, best - so_far) <= told.gain[2] + 1e-9
            ours.append(told.gain[2] - told.gain[1])
            theirs.append(known.gain[2] - known.gain[1])
        widths.append(np.mean(ours) / np.mean(theirs))
    assert 0.80 <= inside / (SEARCHES * len(KINDS)) <= 0.97
    assert np.mean(widths) <= 2


def test_an_interval_from_nothing_on_leaves_a_tenth_above_and_another_a_twentieth_on_either_side() -> None:
    """Closed form: the best of N normal draws is below its p-quantile at ndtri(p^(1/N)) with chance p."""
    mean, spread, trials = -4.0, 0.1, 20

    def error(chance: float) -> float:
        return float(RMSE.back(np.array([mean + spread * ndtri(chance ** (1 / trials))]))[0])

    unlikely, likely = error(0.8), error(1e-9)
    _, low, high = oracle(spread, mean, [unlikely], trials, RMSE).gain
    assert (low, high) == (0.0, pytest.approx(unlikely - error(0.9), rel=0.1))
    _, low, high = oracle(spread, mean, [likely], trials, RMSE).gain
    assert [low, high] == pytest.approx([likely - error(0.05), likely - error(0.95)], rel=0.05)


def test_more_trials_gain_more_and_nothing_is_gained_beyond_the_best_possible() -> None:
    pilot = [0.90, 0.92, 0.88, 0.93, 0.91, 0.85]
    few, many = outlook(pilot, 5, ACCURACY), outlook(pilot, 500, ACCURACY)
    assert 0 <= few.gain[0] < many.gain[0]
    assert many.gain[2] <= 1 - 0.93 + 1e-9
    assert many.score[2] <= 1.0


def test_a_pilot_that_is_perfect_leaves_nothing_to_gain() -> None:
    assert outlook([1.0, 1.0, 0.9975, 1.0], 50, ACCURACY).gain == (0.0, 0.0, 0.0)


def test_one_bad_network_does_not_widen_the_forecast_much() -> None:
    usual = outlook([0.90, 0.92, 0.91, 0.93, 0.92, 0.91], 30, ACCURACY)
    spoilt = outlook([0.90, 0.92, 0.10, 0.93, 0.92, 0.91], 30, ACCURACY)
    assert spoilt.gain[2] - spoilt.gain[1] < 1.5 * (usual.gain[2] - usual.gain[1])


def test_the_same_pilot_gives_the_same_forecast() -> None:
    pilot = [0.90, 0.92, 0.88, 0.93]
    assert outlook(pilot, 20, ACCURACY) == outlook(pilot, 20, ACCURACY)


def test_a_scale_goes_there_and_back() -> None:
    scores = np.array([0.1, 0.5, 0.995, 1.0])
    assert np.allclose(ACCURACY.back(ACCURACY.there(scores)), scores)
    assert np.allclose(RMSE.back(RMSE.there(np.array([3.0, 50.0]))), [3.0, 50.0])


def test_one_more_network_lies_where_the_others_lie() -> None:
    middle, low, high = single([0.90, 0.92, 0.88, 0.93, 0.91, 0.90], ACCURACY)
    assert 0.88 < middle < 0.93
    assert low < 0.88
    assert 0.93 < high < 1.0
