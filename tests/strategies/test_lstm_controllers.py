"""The LSTM of the controllers against torch, and the two ways in which it is trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nasturtium.blocks.cell_stack import CellNode, CellTerm, FreeNode
from nasturtium.errors import RunError
from nasturtium.roles import Strategy
from nasturtium.space import Space, choice
from nasturtium.strategies._actions import actions
from nasturtium.strategies._learner import Replay, data
from nasturtium.strategies._lstm import Lstm
from nasturtium.strategies.enas_controller import EnasController, EnasPolicy
from nasturtium.strategies.nasnet_controller import NasnetController, PpoPolicy, clipped_slope
from nasturtium.strategies.policy import Policy, Sample
from nasturtium.task import Signal, Task
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, mixed_space, simulate
from nasturtium.trial import Fidelity, History, Objective, Trial
from nasturtium.zoo import darts, nasnet

SEPARABLE = Space(tuple(choice(*range(4)) for _ in range(5)), name="separable")
SMALL_PPO = NasnetController(units=8, batch=4, epochs=3, rate=0.05)
SMALL_ENAS = EnasController(units=8, layers=1, batch=4, rate=0.05)


class TestNasnet(StrategySuite):
    objectives = (1,)

    def strategy(self) -> Strategy:
        return SMALL_PPO


class TestEnas(StrategySuite):
    objectives = (1,)

    def strategy(self) -> Strategy:
        return SMALL_ENAS


def torch_log_probs(network: Lstm, flat: torch.Tensor, walks: list) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability and entropy of each walk with torch's own LSTM cells."""
    weights, at = {}, 0
    for name, shape in network.shapes.items():
        weights[name] = flat[at : at + int(np.prod(shape))].reshape(shape)
        at += int(np.prod(shape))
    units, sums, entropies = network.units, [], []
    # torch orders its gates input, forget, new, output; ours input, forget, output, new.
    order = torch.cat([torch.arange(2 * units), torch.arange(3 * units, 4 * units), torch.arange(2 * units, 3 * units)])
    for walk in walks:
        states = [(torch.zeros(units), torch.zeros(units)) for _ in range(network.layers)]
        read, log_prob, entropy = 0, torch.zeros(()), torch.zeros(())
        for decision, action in walk:
            x = weights["embedding"][read]
            for layer, (hidden, memory) in enumerate(states):
                matrix, bias = weights["weight"][layer][order], weights["bias"][layer][order]
                hidden, memory = torch.lstm_cell(
                    x[None], (hidden[None], memory[None]), matrix[:, :units], matrix[:, units:], bias, bias * 0
                )
                states[layer] = hidden[0], memory[0]
                x = hidden[0]
            first, count = network.actions.starts[decision], network.actions.counts[decision]
            logits = weights["head"][first : first + count] @ x + weights["head_bias"][first : first + count]
            logits = logits if network.temperature is None else logits / network.temperature
            logits = logits if network.tanh is None else network.tanh * torch.tanh(logits)
            chances = torch.distributions.Categorical(logits=logits)
            log_prob = log_prob + chances.log_prob(torch.tensor(action))
            entropy = entropy + chances.entropy()
            read = 1 + first + action
        sums.append(log_prob)
        entropies.append(entropy)
    return torch.stack(sums), torch.stack(entropies)


@pytest.mark.parametrize(("layers", "tanh", "temperature"), [(1, None, None), (2, 2.5, 5.0), (1, 1.1, None)])
def test_probabilities_entropies_and_slopes_are_those_of_torch(
    layers: int, tanh: float | None, temperature: float | None
) -> None:
    network = Lstm(actions(mixed_space()), 5, layers, tanh, temperature, spread=0.9)
    rng = np.random.default_rng(0)
    flat = network.start(rng)
    walks = [network.actions.walk(sample.codes) for sample in network.sample(flat, rng, 7)]
    assert len({len(walk) for walk in walks}) > 1, "rows that end early are among them"
    made = network.forward(flat, walks)
    twin = torch.tensor(flat, requires_grad=True)
    torch.set_default_dtype(torch.float64)
    try:
        log_prob, entropy = torch_log_probs(network, twin, walks)
        np.testing.assert_allclose(made.log_prob, log_prob.detach().numpy(), atol=1e-10)
        np.testing.assert_allclose(made.entropy, entropy.detach().numpy(), atol=1e-10)
        first, second = rng.normal(size=7), rng.normal(size=7)
        (torch.tensor(first) @ log_prob + torch.tensor(second) @ entropy).backward()  # type: ignore[no-untyped-call]
    finally:
        torch.set_default_dtype(torch.float32)
    assert twin.grad is not None
    np.testing.assert_allclose(network.gradient(flat, made, first, second), twin.grad.numpy(), atol=1e-9)


@pytest.mark.parametrize("strategy", [SMALL_PPO, SMALL_ENAS])
def test_samples_are_of_the_space_and_carry_their_probability(strategy: NasnetController | EnasController) -> None:
    space = mixed_space()
    policy = strategy.policy(space, 0)
    for sample in policy.sample(np.random.default_rng(0), 30):
        space.validate(space.from_codes(sample.codes))
        assert sample.log_prob == pytest.approx(policy.log_prob(sample.codes))


def test_probabilities_of_a_conditional_space_sum_to_one() -> None:
    space = Space((choice(a=choice(1, 2, 3), b=0), choice(4, 5)), name="forked")
    network = Lstm(actions(space), 6, spread=1.0)
    flat = network.start(np.random.default_rng(0))
    every = [architecture.codes or () for architecture in space.enumerate()]
    made = network.forward(flat, [network.actions.walk(codes) for codes in every])
    assert np.exp(made.log_prob).sum() == pytest.approx(1)
    drawn = [sample.codes for sample in network.sample(flat, np.random.default_rng(1), 4000)]
    for codes, chance in zip(every, np.exp(made.log_prob), strict=True):
        assert drawn.count(codes) / 4000 == pytest.approx(chance, abs=4 * np.sqrt(chance / 4000))


def test_the_clipped_objective_has_the_slope_of_equation_7() -> None:
    def objective(ratio: torch.Tensor, advantage: torch.Tensor) -> torch.Tensor:
        return torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)

    logs = torch.tensor([-0.5, -0.1, 0.0, 0.1, 0.5] * 2, requires_grad=True)
    advantage = torch.tensor([1.0] * 5 + [-1.0] * 5)
    objective(logs.exp(), advantage).sum().backward()  # type: ignore[no-untyped-call]
    assert logs.grad is not None
    found = clipped_slope(logs.exp().detach().numpy(), advantage.numpy(), 0.2)
    np.testing.assert_allclose(found, logs.grad.numpy(), rtol=1e-6)


def test_ppo_moves_along_its_objective_and_the_first_update_starts_at_ratio_one() -> None:
    strategy = replace(SMALL_PPO, epochs=1)
    policy = strategy.policy(SEPARABLE, 0)
    samples = policy.sample(np.random.default_rng(0), 8)
    told = policy.update(samples, list(range(8)))
    own = policy.update([Sample(sample.codes) for sample in samples], list(range(8)))
    assert isinstance(told, PpoPolicy)
    assert isinstance(own, PpoPolicy)
    np.testing.assert_allclose(told.flat, own.flat, atol=1e-9)
    assert policy.log_prob(samples[7].codes) < own.log_prob(samples[7].codes)


def test_ppo_keeps_near_the_old_policy() -> None:
    strategy = replace(SMALL_PPO, epochs=200)
    policy = strategy.policy(SEPARABLE, 0)
    samples = policy.sample(np.random.default_rng(0), 4)
    moved = policy.update(samples, [0.0, 1.0, 2.0, 3.0])
    ratio = np.exp(moved.log_prob(samples[3].codes) - policy.log_prob(samples[3].codes))
    assert 1.1 < ratio < 2.5


def test_the_entropy_is_part_of_the_reward_of_enas() -> None:
    policy = replace(SMALL_ENAS, entropy=0.5).policy(SEPARABLE, 0)
    assert isinstance(policy, EnasPolicy)
    samples = policy.sample(np.random.default_rng(0), 2)
    walks = [policy.network.actions.walk(sample.codes) for sample in samples]
    entropy = policy.network.forward(policy.flat, walks).entropy
    after = policy.update(samples, [1.0, 1.0])
    assert isinstance(after, EnasPolicy)
    wanted = (0.99 * entropy[0] + entropy[1]) / 1.99 * 0.5 + 1
    assert after.baseline.value(0.0) == pytest.approx(wanted)


def test_the_authors_squash_operations_more_than_inputs() -> None:
    """melodyguan/enas, micro_controller.py: 1.10 for indices, 1.10 / op_tanh_reduce = 0.44 for operations."""
    first, second = (CellTerm(choice(0, 1), choice("a", "b", "c")) for _ in range(2))
    space = Space((FreeNode((first, second)), CellNode(choice((0, 1), (0, 2)), (choice("a", "b"), "c"))), name="cells")
    policy = EnasController.original().policy(space, 0)
    assert isinstance(policy, EnasPolicy)
    network, flat = policy.network, np.zeros_like(policy.flat)
    raw = network.views(flat)["head_bias"]  # the logits, as all else is 0
    raw[:] = np.random.default_rng(0).normal(size=len(raw))
    codes = space.sample(3).codes
    assert codes is not None
    made, log_prob, slopes = network.forward(flat, [network.actions.walk(codes)]), 0.0, np.zeros_like(raw)
    for named, start in zip(space.decisions, network.actions.starts, strict=True):
        mine, tanh = slice(start, start + named.decision.size), 0.44 if "operation" in named.path else 1.10
        chances = np.exp(tanh * np.tanh(raw[mine])) / np.exp(tanh * np.tanh(raw[mine])).sum()
        log_prob += np.log(chances[codes[named.index]])
        hit = np.arange(named.decision.size) == codes[named.index]
        slopes[mine] = (hit - chances) * tanh * (1 - np.tanh(raw[mine]) ** 2)
    np.testing.assert_allclose(made.log_prob, [log_prob])
    found = network.gradient(flat, made, np.ones(1), np.zeros(1))
    np.testing.assert_allclose(network.views(found)["head_bias"], slopes)


def test_the_inputs_of_published_cells_are_known_as_such() -> None:
    task = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy", tuple("0123456789"))
    assert len(actions(nasnet(task)).reads) == 2 * 5 * 2, "two cells of five nodes with two inputs each"
    assert len(actions(darts(task)).reads) == 2 * 3, "pairs of inputs, but of the first node, which has one pair"
    assert not actions(mixed_space()).reads


@pytest.mark.parametrize(("clip", "shortened"), [(0.01, True), (1e6, False)])
def test_a_gradient_above_the_clip_keeps_its_direction(clip: float, shortened: bool) -> None:
    policy = replace(SMALL_ENAS, clip=None).policy(SEPARABLE, 0)
    samples = policy.sample(np.random.default_rng(0), 4)
    plain, clipped = (
        replace(policy, settings=replace(SMALL_ENAS, clip=most)).update(samples, [0.0, 9.0, 0.0, 3.0])
        for most in (None, clip)
    )
    whole, used = plain.moments.first, clipped.moments.first  # without momentum, the gradients themselves
    norm = np.linalg.norm(whole)
    np.testing.assert_allclose(used, whole * (clip / norm if shortened else 1), rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(used), min(norm, clip))
    # The first step of Adam: the gradient over its own size and epsilon.
    wanted = policy.flat - SMALL_ENAS.rate * used / (np.abs(used) + SMALL_ENAS.epsilon)
    np.testing.assert_allclose(clipped.flat, wanted)


@pytest.mark.parametrize("strategy", [SMALL_PPO, replace(SMALL_ENAS, rate=0.02)])
def test_a_policy_alone_learns_a_toy(strategy: NasnetController | EnasController) -> None:
    """As a one-shot trainer uses it: no history, only samples and rewards."""
    policy: Policy = strategy.policy(SEPARABLE, 0)
    rng = np.random.default_rng(0)
    for _ in range(60):
        samples = policy.sample(rng, 10)
        policy = policy.update(samples, [-sum(sample.codes) / 15 for sample in samples])
    assert np.mean([sum(sample.codes) for sample in policy.sample(rng, 100)]) < 3.0, "7.5 at the start"


@pytest.mark.parametrize("strategy", [SMALL_PPO, SMALL_ENAS])
def test_dropping_the_memory_changes_nothing(strategy: NasnetController | EnasController) -> None:
    candidates = SpaceCandidates(mixed_space())
    history = simulate(strategy, candidates, lambda architecture: (len(architecture.values),), 40)
    points = data(strategy.name, history, candidates.space)
    warm = Replay(strategy.policy(candidates.space, 0), strategy.batch)
    for length in (7, 20, len(points)):
        warm.at(points[:length])
    for wanted in ([*points[:-4], *points[-3:]], points, points[:9]):
        kept, fresh = warm.at(wanted), Replay(strategy.policy(candidates.space, 0), strategy.batch).at(wanted)
        assert isinstance(kept, PpoPolicy | EnasPolicy)
        assert isinstance(fresh, PpoPolicy | EnasPolicy)
        np.testing.assert_array_equal(kept.flat, fresh.flat)


def test_what_they_cannot_do_is_said() -> None:
    both = History((Objective("loss0", "minimize"), Objective("loss1", "minimize")))
    for strategy in (NasnetController(), EnasController(), EnasController.original()):
        with pytest.raises(RunError, match=rf"'{strategy.name}' takes one objective"):
            strategy.ask(both, 1, 0, SpaceCandidates(SEPARABLE))
    with pytest.raises(RunError, match="units is 0"):
        NasnetController(units=0)
    with pytest.raises(RunError, match=r"clip is 1.5: it must be between 0 and 1"):
        NasnetController(clip=1.5)
    with pytest.raises(RunError, match="layers 0"):
        EnasController(layers=0)
    with pytest.raises(RunError, match=r"op_tanh_reduce is 0\.0: it divides tanh, so it must be above 0"):
        EnasController(op_tanh_reduce=0.0)


def test_one_policy_is_taught_each_batch_once_though_a_study_asks_with_another_seed_each_time(monkeypatch) -> None:
    taught, update = [], PpoPolicy.update

    def counted(policy: PpoPolicy, samples: list[Sample], rewards: list[float]) -> PpoPolicy:
        taught.append(len(samples))
        return update(policy, samples, rewards)

    monkeypatch.setattr(PpoPolicy, "update", counted)
    candidates, history = SpaceCandidates(SEPARABLE), History((Objective("loss0", "minimize"),))
    for number in range(12):
        [found] = SMALL_PPO.ask(history, 1, 100 + number, candidates)
        trial = Trial(number, found, Fidelity(1), number, SMALL_PPO.name, "complete", measures={"loss0": float(number)})
        history = History(history.objectives, (*history.trials, trial))
    assert taught == [4, 4]
