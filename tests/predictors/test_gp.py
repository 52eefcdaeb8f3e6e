from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.predictors.gp_kernel import JITTER, Hyper, Posterior, fit_hyper, hyper, negative_log_likelihood
from nasturtium.predictors.gp_views import Views, tallied, tallies, views
from nasturtium.roles import Candidates, Features
from nasturtium.space import Architecture, Space, choice, encode, integer
from nasturtium.task import Signal, Task
from nasturtium.testing.strategies import SpaceCandidates
from nasturtium.zoo import conv_macro


def made(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, two distances among them, and targets."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, 3))
    distances = np.array([cdist(points, points, "cityblock"), cdist(points, points, "sqeuclidean")])
    return points, distances, np.sin(points[:, 0]) + 0.1 * rng.standard_normal(count)


def test_the_gradient_of_the_likelihood_is_that_of_finite_differences() -> None:
    _, distances, targets = made(25)
    trend = np.linspace(-1, 1, 25)
    theta = np.array([-0.3, 0.2, 0.5, -0.4, -2.0, 0.3])
    _, gradient = negative_log_likelihood(theta, distances, targets, trend)
    for place in range(len(theta)):
        step = np.eye(len(theta))[place] * 1e-5
        up, down = (negative_log_likelihood(theta + sign * step, distances, targets, trend)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-5, rel=1e-5)


def test_predictions_and_likelihood_are_those_of_scikit_learn() -> None:
    points, distances, targets = made(30)
    new = np.random.default_rng(1).standard_normal((7, 3))
    euclidean, squared = cdist(points, points), distances[1]
    theirs = GaussianProcessRegressor(
        ConstantKernel(0.7) * Matern(2.0, nu=0.5) + ConstantKernel(0.4) * RBF(1.5) + WhiteKernel(0.1 + JITTER),
        optimizer=None,
        alpha=0.0,
    ).fit(points, targets)
    known = Hyper(np.array([0.7, 0.4]), np.array([2.0, 2 * 1.5**2]), 0.1, 0.0)
    ours = Posterior.of(known, np.array([euclidean, squared]), targets, np.zeros(30))
    mean, deviation = ours.predict(np.array([cdist(points, new), cdist(points, new, "sqeuclidean")]), np.zeros(7))
    want, spread = theirs.predict(new, return_std=True)
    assert mean == pytest.approx(want, abs=1e-8)
    assert deviation**2 + 0.1 + JITTER == pytest.approx(spread**2, abs=1e-8)
    theta = np.log([0.7, 0.4, 2.0, 2 * 1.5**2, 0.1, np.e]) - [0, 0, 0, 0, 0, 1]
    value, _ = negative_log_likelihood(theta, np.array([euclidean, squared]), targets, np.zeros(30))
    assert -value - 15 * np.log(2 * np.pi) == pytest.approx(theirs.log_marginal_likelihood_value_, abs=1e-6)


def test_the_part_that_explains_the_targets_gets_the_weight() -> None:
    rng = np.random.default_rng(2)
    points, noise = rng.standard_normal((60, 1)), rng.standard_normal((60, 4))
    distances = np.array([cdist(points, points), cdist(noise, noise)])
    distances /= np.median(distances, axis=(1, 2))[:, None, None]
    targets = np.sin(2 * points[:, 0])
    known = fit_hyper(distances, (targets - targets.mean()) / targets.std(), np.zeros(60))
    assert known.scales[0] > 3 * known.scales[1]


def test_the_trend_is_learned() -> None:
    rng = np.random.default_rng(3)
    trend = rng.standard_normal(80)
    distances = np.array([cdist(noise, noise) for noise in [rng.standard_normal((80, 5))]])
    weights = [fit_hyper(distances, sign * 0.9 * trend, trend).trend for sign in (1, -1)]
    assert weights[0] > 0.6
    assert weights[1] < 0


@dataclass(frozen=True)
class Scored(SpaceCandidates):
    """Costs, and proxies that are told."""

    proxies: tuple[float, ...] = ()

    def features(self, architecture: Architecture) -> Features:
        size = float(encode(architecture).argmax())
        known = {"costs": np.array([size, size])}
        return known | ({"proxies": np.array([self.proxies[int(size)]] * 3)} if self.proxies else {})


def test_a_promise_with_proxies_orders_by_them_too_and_is_trusted_more() -> None:
    space = Space((choice("a", "b", "c", "d"),), name="four")
    every = [space.from_codes((code,)) for code in range(4)]
    sizes, scored = Views(Scored(space)), Views(Scored(space, proxies=(9.0, 3.0, 2.0, 1.0)))
    assert np.argsort(sizes.promise(every)).tolist() == [0, 1, 2, 3]
    assert np.argsort(scored.promise(every)).tolist() == [3, 2, 1, 0], "three proxies outweigh two costs"
    assert scored.trend > sizes.trend > 0


def test_without_trials_enough_to_say_otherwise_the_trend_weighs_what_was_believed() -> None:
    _, distances, targets = made(3)
    trend = np.array([-0.1, 0.0, 0.1])
    found = [fit_hyper(distances, targets - targets.mean(), trend, weight).trend for weight in (0.3, 0.8)]
    assert found == pytest.approx([0.3, 0.8], abs=0.1)


def test_logarithms_are_undone() -> None:
    known = hyper(np.array([0.0, np.log(2), np.log(3), np.log(4), np.log(0.5), -0.2]), 2)
    assert known.scales.tolist() == pytest.approx([1, 2])
    assert known.lengths.tolist() == pytest.approx([3, 4])
    assert (known.noise, known.trend) == (pytest.approx(0.5), -0.2)


def test_shared_options_are_counted() -> None:
    space = Space((choice("a", "b"), choice("a", "b"), choice("x", "y"), integer(1, 3)), name="shared")
    shared = tallies(space)
    assert shared == {("a", "b"): (0, 1)}
    assert tallied(shared, (1, 1, 0, 2)).tolist() == [0, 2]
    seen = views(SpaceCandidates(space))
    assert [side.name for side in seen.sides] == ["encoding", "counts"]


def test_distances_are_symmetric_zero_at_home_and_of_median_one() -> None:
    space = Space(tuple(choice("a", "b", "c") for _ in range(12)), name="large")
    candidates = SpaceCandidates(space)
    assert candidates.listed is None
    seen = views(candidates)
    some = seen.reference[:50]
    distances = seen.between(some, some)
    assert np.allclose(distances, distances.transpose(0, 2, 1))
    assert np.allclose(np.diagonal(distances, axis1=1, axis2=2), 0)
    every = seen.between(seen.reference, seen.reference)
    assert all(np.median(part[part > 0]) == pytest.approx(1, abs=0.1) for part in every)


def test_distances_in_a_small_space_are_those_of_the_listed_network() -> None:
    space = Space((choice(1, 2, 3), choice(1, 2), choice(same=0, twin=0)), name="small")
    candidates = SpaceCandidates(space)
    seen = views(candidates)
    assert candidates.listed is not None
    twin = space.architecture({"0": 2, "1": 1, "2": "twin"})
    row = seen.to_listed([twin])[:, 0]
    assert row.shape[1] == len(candidates.listed) == 6
    place = [one.arch_id for one in candidates.listed].index(twin.arch_id)
    assert np.allclose(row[:, place], 0)
    assert np.allclose(seen.between([twin], list(candidates.listed)), row[:, None], atol=1e-6)


@pytest.mark.parametrize("name", ["large", "small", "networks"])
def test_kept_distances_are_those_worked_out_afresh(name: str) -> None:
    candidates: Candidates
    if name == "networks":
        space = conv_macro(Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy"), max_params=1e4)
        candidates = LimitedCandidates(space, CostModel(space), Limits(params=10_000))
    else:
        count = 12 if name == "large" else 4
        candidates = SpaceCandidates(Space(tuple(choice("a", "b", "c") for _ in range(count)), name=name))
    seen = Views(candidates)
    some = seen.reference[:20]
    for wanted in (some[:8], some[:12], some[:5], [*some[:10], *some[15:]], some):
        kept = seen.among(wanted)
        assert np.array_equal(kept, Views(candidates).among(wanted)), "or a resumed search would not agree"
        np.testing.assert_allclose(kept, seen.between(wanted, wanted), atol=1e-6)
        assert np.array_equal(kept, kept.transpose(0, 2, 1))
