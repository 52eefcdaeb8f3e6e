"""Learning curves: closed forms, simulated curves of known distribution, and real ones where they are here."""

import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal, spearmanr

from nasturtium.errors import RunError
from nasturtium.predictors import CurveModel, Shape, _curve_shape, extrapolate, ladder, learn_shape, power_law
from nasturtium.predictors._curve_shape import _surprise, grouped, mean_curve
from nasturtium.predictors._segments import Segments

EPOCHS = 40
TRUE = Shape(np.log(4.0), -0.3, np.log(0.2), 0.3, np.log(2.0), -0.4)


def simulated(count: int, seed: int = 0, epochs: int = EPOCHS) -> np.ndarray:
    """Curves drawn from the model itself, epoch by epoch, around a power law."""
    times = np.arange(1.0, epochs + 1)
    covariance = TRUE.covariance(times, np.ones(epochs))
    noise = np.random.default_rng(seed).multivariate_normal(np.zeros(epochs), covariance, size=count)
    return 90 - 50 * times**-0.7 + noise


def test_segments_grow_and_end_with_the_curve() -> None:
    assert ladder(20) == (1, 2, 3, 4, 6, 9, 14, 20)
    assert ladder(1) == (1,)
    assert ladder(100, first=5, growth=3) == (5, 15, 45, 100)
    with pytest.raises(RunError, match="A curve of 0 epochs cannot be cut into segments from 1 on"):
        ladder(0)
    with pytest.raises(RunError, match=r"Segments that grow by 1\.0 never get there"):
        ladder(10, growth=1.0)


def test_curves_become_means_over_segments() -> None:
    segments = Segments.of([[1, 2, 3, 5, 7, 9], [4, 4, 4], []], (1, 2, 4, 6))
    assert np.array_equal(segments.counts, [1, 1, 2, 2, 1])
    assert np.allclose(segments.times, [1, 2, 12**0.5, 30**0.5, 6])
    assert np.allclose(segments.values[0], [1, 2, 4, 8, 9])
    assert segments.reached.tolist() == [5, 2, 0]


def test_the_mean_of_curves_of_unequal_length_is_that_of_the_dense_formula() -> None:
    ends = (1, 2, 4)
    curves = [[1.0, 2.0, 4.0, 4.0], [2.0, 2.5], [0.5]]
    segments = Segments.of(curves, ends)
    covariance = TRUE.covariance(segments.times, segments.counts)
    mean, doubt = mean_curve(covariance, grouped(segments.values, segments.reached), segments.times)
    # One long vector of all that was seen, and the mean of each point repeated in it.
    places = [point for row in segments.reached for point in range(row)]
    dense = np.zeros((len(places), len(places)))
    start = 0
    for count in segments.reached:
        dense[start : start + count, start : start + count] = covariance[:count, :count]
        start += count
    design = np.eye(4)[places]
    seen = np.concatenate([row[:count] for row, count in zip(segments.values, segments.reached, strict=True)])
    information = design.T @ np.linalg.solve(dense, design)
    assert np.allclose(doubt, np.linalg.inv(information))
    assert np.allclose(mean, np.linalg.solve(information, design.T @ np.linalg.solve(dense, seen)))
    surprise = _surprise(covariance, grouped(segments.values, segments.reached))
    constant = 0.5 * len(seen) * np.log(2 * np.pi)
    assert surprise + constant == pytest.approx(-multivariate_normal(design @ mean, dense).logpdf(seen))


def test_a_prediction_is_the_conditional_normal() -> None:
    curves = simulated(400)
    model = CurveModel.of(curves.tolist(), ladder(EPOCHS), TRUE)
    prefix = curves[0, :9]
    mean, deviation = model.predict([prefix.tolist()])
    segments = Segments.of([prefix], ladder(EPOCHS))
    used = [0, 1, 2, 3, 4, 5, -1]
    covariance = TRUE.covariance(segments.times[used], segments.counts[used])
    weights = np.linalg.solve(covariance[:-1, :-1], covariance[:-1, -1])
    expected = model.mean[-1] + weights @ (segments.values[0, :6] - model.mean[:6])
    assert mean[0] == pytest.approx(expected)
    # 400 curves: hardly any doubt about the mean is left.
    assert deviation[0] ** 2 == pytest.approx(covariance[-1, -1] - weights @ covariance[:-1, -1], rel=0.02)


def test_the_shape_of_simulated_curves_is_learnt() -> None:
    found = learn_shape(simulated(300).tolist(), ladder(EPOCHS))
    assert found.scale == pytest.approx(TRUE.scale, abs=0.2)
    assert found.fall == pytest.approx(TRUE.fall, abs=0.1)
    assert found.noise == pytest.approx(TRUE.noise, abs=0.3)


@pytest.mark.parametrize("length", [3, 10, 25])
def test_scores_fall_within_the_deviation_as_often_as_they_should(length: int) -> None:
    # 30 finished curves to learn from; the deviation covers the noise of the last score, not the doubt about the shape.
    inside = []
    for seed in range(8):
        curves = simulated(130, seed)
        model = CurveModel.of(curves[:30].tolist(), ladder(EPOCHS))
        mean, deviation = model.predict(curves[30:, :length].tolist())
        inside.append(np.mean(np.abs(curves[30:, -1] - mean) < 1.96 * deviation))
    assert 0.88 <= np.mean(inside) <= 0.985


def test_longer_prefixes_are_surer_and_the_whole_curve_is_certain() -> None:
    curves = simulated(30)
    deviations = [extrapolate(curves[0, :length], curves[1:], EPOCHS)[1] for length in (1, 2, 5, 7, 20, 39, 40)]
    assert deviations == sorted(deviations, reverse=True)
    assert extrapolate(curves[0], curves[1:], EPOCHS) == (curves[0, -1], 0.0)


def test_unfinished_curves_of_others_help() -> None:
    curves = simulated(60)
    few = CurveModel.of(curves[:4].tolist(), ladder(EPOCHS), TRUE)
    more = CurveModel.of([*curves[:4].tolist(), *curves[4:, :14].tolist()], ladder(EPOCHS), TRUE)
    assert np.trace(more.doubt) < np.trace(few.doubt)
    assert more.predict([curves[0, :9]])[1] < few.predict([curves[0, :9]])[1]


def test_extrapolation_does_not_depend_on_the_unit_or_direction() -> None:
    curves = simulated(20)
    mean, deviation = extrapolate(curves[0, :8], curves[1:], EPOCHS)
    for factor, offset in ((0.01, 0.0), (-1.0, 100.0)):
        moved = extrapolate(factor * curves[0, :8] + offset, factor * curves[1:] + offset, EPOCHS)
        assert moved == pytest.approx((factor * mean + offset, abs(factor) * deviation), rel=1e-2)


def test_dead_networks_do_not_spoil_the_others() -> None:
    curves = simulated(40)
    dead = np.full((4, EPOCHS), 10.0)
    clean = extrapolate(curves[0, :14], curves[1:], EPOCHS)
    spoilt = extrapolate(curves[0, :14], [*curves[1:], *dead], EPOCHS)
    assert spoilt[0] == pytest.approx(clean[0], abs=0.5)
    assert spoilt[1] < 2 * clean[1]


def test_equal_and_single_curves_are_no_trouble() -> None:
    flat = [[5.0] * EPOCHS] * 12
    mean, deviation = extrapolate([5.0, 5.0], flat, EPOCHS)
    assert mean == pytest.approx(5.0, abs=1e-6)
    assert np.isfinite(deviation)
    assert extrapolate([4.9, 4.95], flat, EPOCHS) == power_law(np.array([4.9, 4.95]), np.arange(1.0, 3), EPOCHS)
    model = CurveModel.of([[1.0, 2.0]], ladder(EPOCHS))
    assert np.isfinite(model.predict([[1.0], []])).all()


def test_few_finished_curves_leave_the_power_law() -> None:
    curves = simulated(5)
    alone = power_law(curves[0, :10], np.arange(1.0, 11), EPOCHS)
    assert extrapolate(curves[0, :10], [*curves[1:3], *curves[3:, :20]], EPOCHS) == alone
    assert extrapolate(curves[0, :10], curves[1:4], EPOCHS) != alone


def test_a_power_law_is_continued() -> None:
    times = np.arange(1.0, 21)
    values = 0.9 - 0.5 * times**-0.6
    mean, deviation = power_law(values, times, 100.0)
    assert mean == pytest.approx(0.9 - 0.5 * 100**-0.6, abs=0.02)
    assert 0 < deviation < 0.1
    noisy = power_law(values + 0.05 * np.random.default_rng(0).normal(size=20), times, 100.0)
    assert noisy[1] > deviation
    assert power_law(values[:3], times[:3], 100.0)[1] > deviation


def test_one_score_is_believed_with_reserve() -> None:
    mean, deviation = power_law(np.array([0.5]), np.array([1.0]), 50.0)
    assert mean == pytest.approx(0.5)
    assert 0.01 < deviation < 1.0


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(RunError, match="Curve 0 is nan after epoch 2: leave out trials that diverged"):
        extrapolate([0.5, np.nan], [], 10)
    with pytest.raises(RunError, match="There is no learning curve of an epoch or more"):
        extrapolate([], [], 10)


def test_real_curves_are_ranked_better_than_by_their_last_score(shared_data) -> None:
    with np.load(shared_data / "benchmarks" / "spikenas_c10_valacc.npz") as stored:
        curves = np.random.default_rng(0).permutation(stored["val_acc_x250_100"])[:300] / 250.0
    curves = curves[curves[:, -1] > 80]
    model = CurveModel.of(curves[:50].tolist(), ladder(100))
    for length in (14, 32):
        mean, deviation = model.predict(curves[50:, :length].tolist())
        last = spearmanr(curves[50:, length - 1], curves[50:, -1]).statistic
        assert spearmanr(mean, curves[50:, -1]).statistic > last
        # Real scores have a long tail below, which the deviation does not cover; those expected to be good are.
        good = mean > np.median(mean)
        assert np.mean(np.abs(curves[50:, -1] - mean)[good] < 1.96 * deviation[good]) > 0.8


def test_curves_that_are_all_too_short_are_refused() -> None:
    with pytest.raises(RunError, match="No learning curve has the 4 epochs of the first segment: there is nothing"):
        CurveModel.of([[0.1, 0.2, 0.3]], ladder(20, first=4))


def test_a_shape_that_cannot_be_inverted_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """L-BFGS may step into a corner of the box, where a covariance is singular to rounding."""
    calls = itertools.count()

    def surprise(covariance: np.ndarray, groups: object) -> float:
        if next(calls) == 3:
            raise np.linalg.LinAlgError("Singular matrix")
        return _surprise(covariance, groups)  # type: ignore[arg-type]

    monkeypatch.setattr(_curve_shape, "_surprise", surprise)
    curves = simulated(9, seed=5)
    shape = learn_shape(curves, ladder(EPOCHS))
    assert next(calls) > 4
    assert np.isfinite([shape.scale, shape.fall, shape.rate, shape.settling, shape.noise, shape.calming]).all()
