"""BANANAS: the ensemble against torch, the rounds, and what it is worth on a toy."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from nasturtium.errors import RunError
from nasturtium.roles import Features, Strategy
from nasturtium.space import Architecture, Space, choice, encode
from nasturtium.strategies import Random, RegularizedEvolution
from nasturtium.strategies._mlp_ensemble import MlpEnsemble
from nasturtium.strategies._rounds import distinct_first, known_to_round
from nasturtium.strategies.bananas import Bananas, _ranked
from nasturtium.strategies.novel import lasting_seed
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, mixed_space, simulate
from nasturtium.trial import Fidelity, History, Objective

SMALL = Bananas(initial=4, batch=5, pool=30, ensemble=MlpEnsemble(members=3, layers=2, width=8, epochs=20))
SEPARABLE = Space(tuple(choice(*range(4)) for _ in range(8)), name="separable")
CANDIDATES = SpaceCandidates(SEPARABLE)


def total(architecture: Architecture) -> tuple[float]:
    return (float(sum(architecture.tree)),)


class TestBananas(StrategySuite):
    objectives = (1,)

    def strategy(self) -> Strategy:
        return SMALL


def test_training_is_that_of_torch() -> None:
    """The same starts, orders and steps: the whole training of three members, member by member."""
    spec = MlpEnsemble(members=3, layers=2, width=4, epochs=4, batch=8, rate=0.01)
    rng = np.random.default_rng(0)
    features, losses = rng.normal(size=(20, 5)), rng.normal(size=20)
    fitted = spec.fit(features, losses, seed=1)
    chance = np.random.default_rng([1, 20])
    start = spec._start(5, chance)
    wanted = torch.tensor((losses - losses.mean()) / losses.std(), dtype=torch.float32)
    inputs = torch.tensor(features, dtype=torch.float32)
    orders = [chance.permuted(np.tile(np.arange(20), (3, 1)), axis=1) for _ in range(4)]
    for member in range(3):
        layers = [
            (torch.tensor(weight[member], requires_grad=True), torch.tensor(bias[member], requires_grad=True))
            for weight, bias in spec.views(start, 5)
        ]
        optimiser = torch.optim.Adam([part for layer in layers for part in layer], 0.01, (0.9, 0.99), 1e-7)
        for order in orders:
            for first in range(0, 20, 8):
                rows = torch.tensor(order[member, first : first + 8])
                optimiser.zero_grad()
                (_forward(layers, inputs[rows]) - wanted[rows]).abs().mean().backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        told = _forward(layers, inputs).detach().numpy() * losses.std() + losses.mean()
        np.testing.assert_allclose(fitted.predict(features)[member], told, atol=2e-3)


def _forward(layers: list, values: torch.Tensor) -> torch.Tensor:
    for place, (weight, bias) in enumerate(layers):
        values = values @ weight + bias
        values = values if place == len(layers) - 1 else torch.relu(values)
    return values[:, 0]


def test_the_published_ensemble_learns_a_rough_function() -> None:
    rng = np.random.default_rng(0)
    features = rng.integers(0, 2, (120, 30)).astype(float)
    losses = 50 + features[:, :5].sum(1) + 2 * features[:, 5] * features[:, 6]
    predicted = MlpEnsemble().fit(features[:100], losses[:100], 0).predict(features[100:])
    assert predicted.shape == (5, 20)
    assert np.corrcoef(predicted.mean(0), losses[100:])[0, 1] > 0.7
    constant = MlpEnsemble(epochs=2).fit(features, np.full(120, 3.0), 0).predict(features)
    assert np.isfinite(constant).all()


def test_a_round_is_learned_once_and_followed_to_its_end() -> None:
    strategy = replace(SMALL, batch=4)
    history = simulate(strategy, CANDIDATES, total, 20, failing=0)
    # 4 random ones, then rounds of 4: each proposal is the next of the ranking of its round.
    for begin in (4, 8, 12, 16):
        past = History(history.objectives, history.trials[:begin])
        known = known_to_round(past, 4, 4, CANDIDATES)
        assert len(known) == begin
        ranked = _ranked(strategy, known, lasting_seed(0, past), CANDIDATES)
        made = [trial.architecture.arch_id for trial in history.trials[begin : begin + 4]]
        assert made == [one.arch_id for one in ranked[:4]]
    _ranked.cache_clear()
    past = History(history.objectives, history.trials[:14])
    assert strategy.ask(past, 1, 0, CANDIDATES)[0] == history.trials[14].architecture
    # A study asks with another seed each time: the round's ranking stays.
    assert strategy.ask(past, 1, 99, CANDIDATES)[0] == history.trials[14].architecture
    assert _ranked.cache_info().misses == 1


def test_candidates_are_mutants_of_the_best() -> None:
    history = simulate(Random(), CANDIDATES, total, 30, failing=0)
    known = known_to_round(history, 10, 10, CANDIDATES)
    best = sorted(history.trials, key=lambda trial: trial.measures["loss0"])[:5]
    ranked = _ranked(Bananas(ensemble=SMALL.ensemble), known, 0, CANDIDATES)
    assert len(ranked) == 100
    for one in ranked:
        steps = [sum(a != b for a, b in zip(one.tree, trial.architecture.tree, strict=True)) for trial in best]
        assert min(steps) <= 5


def test_scores_at_the_highest_fidelity_with_enough_of_them_are_used_and_infinite_ones_are_not() -> None:
    history = simulate(Random(), CANDIDATES, total, 12, failing=0)
    raised = tuple(
        replace(trial, number=12 + row, fidelity=Fidelity(3), parent=trial.number, measures={"loss0": -1.0})
        for row, trial in enumerate(history.trials[:6])
    )
    longer = History(history.objectives, (*history.trials, *raised))
    assert len(known_to_round(longer, 10, 1, CANDIDATES)) == 12
    assert [row.loss for row in known_to_round(longer, 6, 1, CANDIDATES)] == [-1.0] * 6
    broken = replace(history.trials[0], measures={"loss0": float("inf")})
    assert len(known_to_round(History(history.objectives, (broken, *history.trials[1:])), 5, 1, CANDIDATES)) == 11


@dataclass(frozen=True)
class WithGroups(SpaceCandidates):
    """Candidates whose group "paths" tells everything, and whose encoding tells nothing."""

    group: str = "paths"

    def features(self, architecture: Architecture) -> Features:
        told = np.asarray(encode(architecture), dtype=float)
        return {self.group: told, "encoding": told * 0 + 1}


def test_path_encodings_are_used_before_other_graph_features_and_these_before_encodings() -> None:
    history = simulate(Random(), CANDIDATES, total, 40, failing=0)
    known = known_to_round(history, 10, 10, CANDIDATES)
    plain = _ranked(SMALL, known, 0, CANDIDATES)
    for group in ("paths", "graph"):
        assert [one.tree for one in _ranked(SMALL, known, 0, WithGroups(SEPARABLE, group=group))] == [
            one.tree for one in plain
        ]


def test_candidates_that_look_like_others_come_last() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    assert distinct_first([3, 2, 0, 1], rows, rows[:0]) == [3, 2, 1, 0]
    assert distinct_first([3, 2, 0, 1], rows, np.array([[2.0, 2.0]])) == [2, 1, 3, 0]


def test_it_beats_evolution_and_random_search_on_a_toy() -> None:
    best = {}
    fast = Bananas(ensemble=MlpEnsemble(members=3, layers=3, epochs=60))
    for strategy in (fast, RegularizedEvolution(10, 3), Random()):
        runs = [simulate(strategy, CANDIDATES, total, 60, seed=seed, failing=0) for seed in range(4)]
        best[strategy.name] = np.mean([history.losses().min() for history in runs])
    assert best["bananas"] < best["regularized-evolution"] < best["random"]


def test_what_it_cannot_do_is_said() -> None:
    both = History((Objective("accuracy", "maximize"), Objective("params", "minimize")))
    with pytest.raises(RunError, match=r"'bananas' takes one objective, and there are 2 \(accuracy, params\)"):
        Bananas().ask(both, 1, 0, SpaceCandidates(mixed_space()))
    with pytest.raises(RunError, match=r"initial is 1: the first model needs at least 2"):
        Bananas(initial=1)
    with pytest.raises(RunError, match=r"batch is 20 and pool 10: 1 <= batch <= pool"):
        Bananas(batch=20, pool=10)
