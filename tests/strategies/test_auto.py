from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from nasturtium.hardware import Lazy
from nasturtium.predictors.gp_views import PROBED_REFERENCE
from nasturtium.roles import Features
from nasturtium.space import Architecture, Space, choice, encode
from nasturtium.strategies import Auto, Random
from nasturtium.strategies._acquisition import expected_hypervolume_improvement, expected_improvement
from nasturtium.strategies._carried import carried
from nasturtium.strategies._model import fitted_on, scaled
from nasturtium.strategies.auto import MOST, SHORTLIST, telling
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, first_losses, mixed_space, simulate
from nasturtium.trial import Fidelity, History, Objective, Trial

LARGE = Space(tuple(choice("a", "b", "c", "d") for _ in range(12)), name="large")


class TestAuto(StrategySuite):
    def strategy(self) -> Auto:
        return Auto()


def test_expected_improvement_is_that_of_draws() -> None:
    draws = np.random.default_rng(0).normal(1.0, 0.5, 200_000)
    assert expected_improvement(np.array([1.0]), np.array([0.5]), 0.8)[0] == pytest.approx(
        np.maximum(0.8 - draws, 0).mean(), rel=0.01
    )


def test_expected_growth_of_the_area_is_that_of_draws() -> None:
    front, reference = np.array([[0.2, 0.8], [0.5, 0.4], [0.9, 0.1]]), np.array([1.2, 1.0])
    mean, deviation = np.array([0.45, 0.3]), np.array([0.2, 0.3])
    draws = np.random.default_rng(0).normal(mean, deviation, (20_000, 2))

    def area(points: np.ndarray) -> float:
        total, top = 0.0, reference[1]
        for x, y in points[np.argsort(points[:, 0])]:
            if x < reference[0] and y < top:
                total, top = total + (reference[0] - x) * (top - y), y
        return total

    gains = [area(np.vstack([front, draw])) - area(front) for draw in draws]
    exact = expected_hypervolume_improvement(mean[None], deviation[None], front, reference)[0]
    assert exact == pytest.approx(np.mean(gains), abs=4 * np.std(gains) / np.sqrt(len(gains)))


def test_a_dominated_certainty_gains_nothing() -> None:
    gain = expected_hypervolume_improvement(
        np.array([[0.6, 0.6]]), np.array([[1e-6, 1e-6]]), np.array([[0.5, 0.5]]), np.array([1.0, 1.0])
    )
    assert gain[0] == pytest.approx(0.0, abs=1e-9)


def quadratic(architecture: object) -> tuple[float, ...]:
    """Best where all are "c"; neighbouring places matter together."""
    levels = encode(architecture).reshape(12, 4)[:, 2]  # type: ignore[arg-type]
    return (float((1 - levels).sum() - 0.5 * (levels[1:] * levels[:-1]).sum()),)


def test_in_a_space_too_large_to_list_it_is_far_better_than_random() -> None:
    candidates = SpaceCandidates(LARGE)
    assert candidates.listed is None
    best = {}
    for strategy in (Auto(), Random()):
        histories = [simulate(strategy, candidates, quadratic, 40, seed, failing=0) for seed in range(3)]
        best[strategy.name] = np.mean([history.losses().min() for history in histories])
    assert best["auto"] < best["random"] - 4


def test_three_objectives_widen_the_front() -> None:
    def losses(architecture: object) -> tuple[float, ...]:
        levels = encode(architecture).reshape(12, 4)[:, :3].sum(0)  # type: ignore[arg-type]
        return tuple((-levels).tolist())

    history = simulate(Auto(), SpaceCandidates(LARGE), losses, 40, failing=0)
    late = history.losses()[-15:]
    # Whatever is without "d" is on the front, where the losses sum to -12; random architectures reach -9 on average.
    assert late.sum(1).mean() < -11
    assert (late.min(0) <= -5).all()


def test_a_loss_at_few_epochs_is_carried_along_the_line_of_those_with_both() -> None:
    space = mixed_space()
    archs = [space.sample(seed) for seed in range(6)]

    def trial(number: int, arch: int, epochs: int, loss: float) -> Trial:
        return Trial(number, archs[arch], Fidelity(epochs), 0, "x", "complete", {"loss": loss})

    short = [trial(k, k, 1, float(k)) for k in range(6)]
    long = [trial(6 + k, k, 9, 10 + 0.5 * k) for k in range(4)]
    goals = (Objective("loss", "minimize"),)
    found, losses = carried(History(goals, (*short, *long)))
    assert [one.arch_id for one in found] == [one.arch_id for one in archs]
    assert losses[:, 0] == pytest.approx([10, 10.5, 11, 11.5, 12, 12.5])
    # With one pair only the difference is known; with none, means and deviations.
    assert carried(History(goals, (*short, long[2])))[1][:, 0] == pytest.approx([9, 10, 11, 12, 13, 14])
    apart = replace(long[0], architecture=space.sample(99), measures={"loss": 7.0})
    assert carried(History(goals, (*short, apart)))[1][:6, 0] == pytest.approx([7.0] * 6)


def test_targets_are_log_regrets_of_mean_0_and_deviation_1() -> None:
    values = scaled(np.array([0.0, 1.0, 2.0, 3.0, 100.0]), several=False)
    assert values.mean() == pytest.approx(0)
    assert values.std() == pytest.approx(1)
    gaps = np.diff(values)
    assert gaps[0] > gaps[1] > gaps[2]
    assert scaled(np.ones(4), several=False).tolist() == [0.0] * 4
    assert scaled(np.ones(4), several=True).tolist() == [0.0] * 4


def test_hyperparameters_are_refitted_ever_more_rarely() -> None:
    assert [fitted_on(count) for count in (7, 19, 21, 59, 61, 149, 151, 174, 175)] == [
        7, 19, 20, 58, 60, 144, 150, 150, 175,
    ]  # fmt: skip


def test_of_very_many_trials_the_best_and_the_latest_are_seen() -> None:
    losses = np.arange(1000.0)[::-1, None]
    rows = telling(losses)
    assert len(rows) == MOST
    assert rows == sorted(set(rows))
    assert set(range(1000 - MOST // 2, 1000)) <= set(rows)  # the last are the best here
    assert telling(losses[:MOST]) == list(range(MOST))


class Costly(SpaceCandidates):
    """A cost that is the number of fourth options."""

    def features(self, architecture: object) -> dict[str, np.ndarray]:
        levels = encode(architecture)  # type: ignore[arg-type]
        return {"encoding": levels, "costs": np.array([levels[3::4].sum(), levels[3::4].sum()])}


def begun(candidates: SpaceCandidates, objectives: int) -> list[float]:
    """Costs of the first five trials."""
    history = simulate(Auto(), candidates, first_losses(objectives), 5, failing=0)
    return [float(encode(trial.architecture)[3::4].sum()) for trial in history.trials]


@pytest.mark.parametrize("objectives", [1, 2])
def test_it_begins_with_large_networks_where_costs_are_counted(objectives: int) -> None:
    assert np.mean(begun(Costly(LARGE), objectives)) > 4  # 3 on average


@dataclass(frozen=True)
class Probed(SpaceCandidates):
    """Candidates with a size that says nothing, and a proxy that is measured: `sign` times how good one really is."""

    sign: float = 1.0
    looked: set[tuple[int, ...]] = field(default_factory=set, compare=False)

    def features(self, architecture: Architecture) -> Features:
        codes = self.space.codes(architecture)
        size = np.array([float(len(set(codes)))] * 2)
        groups = {"encoding": lambda: encode(architecture), "costs": lambda: size, "measured": lambda: self.look(codes)}
        return Lazy(groups)

    def look(self, codes: tuple[int, ...]) -> np.ndarray:
        self.looked.add(codes)
        return np.array([-self.sign * quadratic(self.space.from_codes(codes))[0]])


def test_measured_proxies_are_looked_at_for_a_few_and_help_where_they_are_good() -> None:
    good, none = Probed(LARGE, sign=1.0), Probed(LARGE, sign=0.0)
    found, plain = (simulate(Auto(), candidates, quadratic, 12) for candidates in (good, none))
    assert best(found) < best(plain) - 1
    assert len(good.looked) <= PROBED_REFERENCE + 12 * (SHORTLIST + 1)


def test_proxies_that_rank_the_trials_worse_than_size_are_measured_no_more() -> None:
    bad = Probed(LARGE, sign=-2.0)
    simulate(Auto(), bad, quadratic, 14)
    looked = len(bad.looked)
    simulate(Auto(), bad, quadratic, 24)
    assert len(bad.looked) <= looked + 10, "of ten asks, no more than what was tried, which is judged"


def best(history: History) -> float:
    return min(trial.measures["loss0"] for trial in history.scored)
