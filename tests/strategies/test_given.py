"""What was found beforehand is tried first; nothing else is ever told to be of what found it."""

import pytest

from nasturtium.schedulers import Full
from nasturtium.space import Architecture
from nasturtium.strategies import Given, Random
from nasturtium.study import InlineExecutor, MemoryStore, Study, run_study
from nasturtium.testing.evaluators import Scripted
from nasturtium.testing.strategies import SpaceCandidates, mixed_space, simulate, small_space, within
from nasturtium.trial import History, Objective

GOALS = (Objective("score", "maximize"),)


def some(candidates: SpaceCandidates, count: int) -> tuple[Architecture, ...]:
    return tuple(Random().ask(History(GOALS), count, 3, candidates))


@pytest.mark.parametrize("workers", [1, 3])
def test_they_come_in_their_order_and_then_nothing(workers: int) -> None:
    candidates = SpaceCandidates(mixed_space(), within)
    given = some(candidates, 4)
    history = simulate(Given(given, "fairnas"), candidates, lambda one: (0.0,), 10, workers=workers, failing=2)
    assert [trial.architecture.arch_id for trial in history.trials] == [one.arch_id for one in given]
    assert list(Given(given, "fairnas").ask(history, 3, 0, candidates)) == []


def test_each_network_is_proposed_once_and_only_within_the_limits() -> None:
    space = small_space()
    decided = ((1, "same"), (1, "twin"), (2, "same"))
    first, twin, over = (space.architecture({"0": number, "1": "1", "2": key}) for number, key in decided)
    assert first.arch_id == twin.arch_id
    candidates = SpaceCandidates(small_space(), lambda one: one.tree[0] != 2)
    found = Given((first, over, twin), "fairnas").ask(History(GOALS), 3, 0, candidates)
    assert [one.values for one in found] == [first.values]


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_in_a_study_what_comes_after_them_is_the_controls(share: float) -> None:
    candidates = SpaceCandidates(mixed_space(), within)
    given = some(candidates, 3)
    asked = Given(given, "fairnas")
    study = Study(asked, Random(), Full(1), candidates, GOALS, seed=5, trials=9, control_share=share)
    history = run_study(study, InlineExecutor(Scripted()), MemoryStore(GOALS))
    ids = {one.arch_id for one in given}
    told = [(trial.origin, trial.architecture.arch_id in ids) for trial in history.trials]
    assert len(told) == 9
    assert set(told) == {("fairnas", True), ("random", False)}
    assert told.count(("fairnas", True)) == 3
