"""REINFORCE: its gradient, its published update, conditional decisions, off-policy trials, and the replay."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nasturtium.errors import RunError
from nasturtium.roles import Strategy
from nasturtium.space import Architecture, Space, choice, integer, real
from nasturtium.strategies._actions import INTERVALS, actions
from nasturtium.strategies._learner import Replay, data
from nasturtium.strategies.policy import Average, Sample, importance
from nasturtium.strategies.reinforce import FactorisedPolicy, Reinforce
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, mixed_space, simulate
from nasturtium.trial import History, Objective

SEPARABLE = Space(tuple(choice(*range(4)) for _ in range(6)), name="separable")


def total(architecture: Architecture) -> tuple[float]:
    return (float(sum(architecture.tree)) / 18,)


def policy_of(space: Space, seed: int = 0, **settings: float) -> FactorisedPolicy:
    made = Reinforce(**settings).policy(space, seed)  # type: ignore[arg-type]
    assert isinstance(made, FactorisedPolicy)
    return made


class TestReinforce(StrategySuite):
    objectives = (1,)

    def strategy(self) -> Strategy:
        return Reinforce(rate=0.1)


def test_updates_are_those_of_torch_with_the_published_loss() -> None:
    policy = policy_of(SEPARABLE, rate=0.5)
    logits = torch.tensor(policy.logits.reshape(6, 4), requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.5)
    rng = np.random.default_rng(0)
    numerator = denominator = 0.0
    for _ in range(30):
        [sample] = policy.sample(rng)
        reward = 90 + float(rng.random())
        policy = policy.update([sample], [reward])
        numerator, denominator = 0.9 * numerator + 0.1 * reward, 0.9 * denominator + 0.1
        chances = torch.distributions.Categorical(logits=logits)
        loss = -(chances.log_prob(torch.tensor(sample.codes)) * (reward - numerator / denominator)).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        np.testing.assert_allclose(policy.logits, logits.detach().numpy().ravel(), atol=1e-5)


def test_the_score_is_the_slope_of_the_log_probability() -> None:
    policy = policy_of(mixed_space(), spread=1.0)
    [sample] = policy.sample(np.random.default_rng(3))
    walk = policy.actions.walk(sample.codes)
    found = policy.score(walk)
    step = 1e-6
    for place in range(len(found)):
        moved = policy.logits.copy()
        moved[place] += step
        slope = (replace(policy, logits=moved).log_prob(sample.codes) - policy.log_prob(sample.codes)) / step
        assert found[place] == pytest.approx(slope, abs=1e-5)


def test_only_live_decisions_count() -> None:
    space = mixed_space()
    policy = policy_of(space, spread=1.0)
    for sample in policy.sample(np.random.default_rng(0), 30):
        live = {decision for decision, _ in policy.actions.walk(sample.codes)}
        assert live == {index for index, code in enumerate(sample.codes) if code >= 0}
        space.validate(space.from_codes(sample.codes))
        slope = policy.score(policy.actions.walk(sample.codes))
        for decision, (start, count) in enumerate(zip(policy.actions.starts, policy.actions.counts, strict=True)):
            assert bool(np.any(slope[start : start + count])) == (decision in live and count > 1)


def test_samples_follow_their_stated_probabilities() -> None:
    space = Space((choice(a=choice(1, 2, 3), b=0), choice(4, 5)), name="forked")
    policy = policy_of(space, spread=1.0)
    drawn = policy.sample(np.random.default_rng(0), 4000)
    whole = {
        architecture.codes: np.exp(policy.log_prob(architecture.codes or ())) for architecture in space.enumerate()
    }
    assert sum(whole.values()) == pytest.approx(1)
    for codes, chance in whole.items():
        share = np.mean([sample.codes == codes for sample in drawn])
        assert share == pytest.approx(chance, abs=4 * np.sqrt(chance / 4000))
    assert all(np.exp(sample.log_prob) == pytest.approx(whole[sample.codes]) for sample in drawn[:20])


def test_a_number_of_many_values_is_a_choice_among_intervals_that_cover_it() -> None:
    space = Space((real(0.0, 1.0), integer(1, 64), integer(1, 1000)), name="numbers")
    known = actions(space)
    assert known.counts == (INTERVALS, 64, INTERVALS)
    rng = np.random.default_rng(0)
    for decision in range(3):
        for action in range(known.counts[decision]):
            assert known.action(decision, known.code(decision, action, rng)) == action
    assert {known.code(2, 0, rng) for _ in range(2000)} == set(range(63))
    assert sum(1 for code in range(1000) if known.action(2, code) == 0) == 63


def test_it_learns_a_separable_toy() -> None:
    candidates = SpaceCandidates(SEPARABLE)
    found, control = list[float](), list[float]()
    for seed in range(5):
        history = simulate(Reinforce.nasbench201(), candidates, total, 150, seed=seed)
        found.append(min(trial.measures["loss0"] for trial in history.scored))
        rng = np.random.default_rng(seed)
        control.append(min(total(SEPARABLE.sample(rng))[0] for _ in range(150)))
    assert np.mean(found) < np.mean(control) - 0.05


def test_dropping_the_memory_changes_nothing_and_a_late_result_is_put_in_its_place() -> None:
    candidates = SpaceCandidates(mixed_space())
    strategy = Reinforce(rate=0.3)
    history = simulate(strategy, candidates, lambda architecture: (len(architecture.values),), 40)
    points = data(strategy.name, history, candidates.space)
    warm = Replay(strategy.policy(candidates.space, 0), 1)
    for length in (10, 30, len(points)):
        warm.at(points[:length])
    late = [*points[:-4], *points[-3:]]
    for wanted in (late, points, points[:3]):
        fresh = Replay(strategy.policy(candidates.space, 0), 1)
        np.testing.assert_array_equal(_logits(warm.at(wanted)), _logits(fresh.at(wanted)))


def test_trials_of_others_count_by_their_importance() -> None:
    known = actions(SEPARABLE)
    history = simulate(Reinforce(), SpaceCandidates(SEPARABLE), total, 10, failing=0)
    foreign = replace(history.trials[3], origin="random")
    broken = replace(history.trials[4], measures={"loss0": float("nan")})
    points = data("reinforce", History(history.objectives, (*history.trials[:3], foreign, broken)), SEPARABLE)
    assert [sample.log_prob for sample, _ in points] == [None, None, None, pytest.approx(-6 * np.log(4))]
    assert points[0][1] == -history.trials[0].measures["loss0"]
    samples = [Sample((0,) * 6), Sample((0,) * 6, known.uniform((0,) * 6))]
    weights = importance(np.array([-2.0, -6 * np.log(4) - 1.0]), samples)
    np.testing.assert_allclose(weights, [1.0, np.exp(-1)])
    np.testing.assert_allclose(importance(np.array([-2.0, -1.0]), samples), 1.0)


def test_the_average_has_no_pull_to_zero() -> None:
    values, average = Average(0.9).advantages([5.0, 7.0], own=True)
    assert values.tolist() == pytest.approx([0.0, 7.0 - (0.09 * 5 + 0.1 * 7) / 0.19])
    assert average.value(0.0) == pytest.approx((0.09 * 5 + 0.1 * 7) / 0.19)
    before, _ = Average(0.9).advantages([5.0, 7.0], own=False)
    assert before.tolist() == pytest.approx([0.0, 2.0])


def test_what_it_cannot_do_is_said() -> None:
    history = History((Objective("accuracy", "maximize"), Objective("params", "minimize")))
    with pytest.raises(RunError, match=r"'reinforce' takes one objective, and there are 2 \(accuracy, params\).*nsga2"):
        Reinforce().ask(history, 1, 0, SpaceCandidates(SEPARABLE))
    with pytest.raises(RunError, match=r"rate is 0: a learning rate must be above 0"):
        Reinforce(rate=0)
    with pytest.raises(RunError, match=r"momentum is 1: it must be at least 0"):
        Reinforce(momentum=1)


def _logits(policy: object) -> np.ndarray:
    assert isinstance(policy, FactorisedPolicy)
    return policy.logits
