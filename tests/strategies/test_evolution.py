"""Regularized evolution: published settings, crossover, and children that are known."""

from dataclasses import replace

import pytest

from nasturtium.errors import RunError
from nasturtium.space import Architecture, Space, choice
from nasturtium.space.variation import neighbours
from nasturtium.strategies import Random, RegularizedEvolution
from nasturtium.testing.strategies import SpaceCandidates, simulate
from nasturtium.trial import Fidelity, History, Objective, Trial

GOAL = (Objective("loss0", "minimize"),)


def total(architecture: Architecture) -> tuple[float]:
    return (float(sum(architecture.tree)),)


def test_the_published_settings_have_names() -> None:
    assert RegularizedEvolution() == RegularizedEvolution(100, 25, 0.0)
    assert RegularizedEvolution.nasbench101() == RegularizedEvolution(50, 10)
    assert RegularizedEvolution.naszilla() == RegularizedEvolution(30, 10)
    assert RegularizedEvolution.nasbench201() == RegularizedEvolution(10, 3)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RunError, match=r"crossover is 1\.5: a probability lies between 0 and 1"):
        RegularizedEvolution(crossover=1.5)
    with pytest.raises(RunError, match="sample is 0 and population 5"):
        RegularizedEvolution(5, 0)


def test_crossover_mixes_two_winners_and_mutates_their_child_once() -> None:
    space = Space(tuple(choice(*range(9)) for _ in range(12)), name="wide")
    low, high = (space.architecture({name.path: str(value) for name in space.decisions}) for value in (0, 8))
    trials = tuple(
        Trial(number, one, Fidelity(1), number, "random", "complete", {"loss0": 0.0})
        for number, one in enumerate((low, high))
    )
    history, candidates = History(GOAL, trials), SpaceCandidates(space)
    crossed = RegularizedEvolution(2, 1, crossover=1.0)
    children = [crossed.ask(history, 1, seed, candidates)[0].tree for seed in range(40)]
    assert all(sum(value not in (0, 8) for value in tree) <= 1 for tree in children)
    mixed = [tree for tree in children if min(tree.count(0), tree.count(8)) > 1]
    assert 8 <= len(mixed) <= 32, "half of the pairs are one parent twice"
    mutated = [RegularizedEvolution(2, 1).ask(history, 1, seed, candidates)[0].tree for seed in range(40)]
    assert all(max(tree.count(0), tree.count(8)) == 11 for tree in mutated)


def test_a_child_that_is_known_joins_the_population_again() -> None:
    space = Space(tuple(choice(*range(3)) for _ in range(4)), name="tiny")
    candidates = SpaceCandidates(space)
    history = simulate(Random(), candidates, total, 3**4 - 1, failing=0)
    rule = RegularizedEvolution(10, 5)
    living = rule.living(history, space)
    assert len(living) == 10
    assert living[-1] == history.trials[-1]
    assert all(trial in history.trials for trial in living)
    # Almost everything is known, so almost every birth was of something known: the youngest are not the latest trials.
    assert living != list(history.trials[-10:])
    assert sum(total(trial.architecture)[0] for trial in living) < sum(
        total(trial.architecture)[0] for trial in history.trials[-10:]
    )


def test_the_population_is_the_youngest_trials_where_nothing_is_known_twice() -> None:
    space = Space(tuple(choice(*range(9)) for _ in range(12)), name="wide")
    history = simulate(RegularizedEvolution(10, 3), SpaceCandidates(space), total, 60)
    rule = RegularizedEvolution(10, 3)
    living = [trial.number for trial in rule.living(history, space)]
    scored = [trial.number for trial in history.scored]
    assert living[-1] == scored[-1]
    assert set(living) <= set(scored[-14:])


def test_the_population_does_not_depend_on_what_was_kept() -> None:
    def tiny() -> Space:
        return Space(tuple(choice(*range(3)) for _ in range(4)), name="tiny")

    rule, space = RegularizedEvolution(8, 4), tiny()
    history = simulate(rule, SpaceCandidates(space), total, 50, workers=3)
    followed = [
        [trial.number for trial in rule.living(History(GOAL, history.trials[:number]), space)] for number in range(50)
    ]
    for number in (49, 20, 35):
        alone = rule.living(History(GOAL, history.trials[:number]), tiny())
        assert [trial.number for trial in alone] == followed[number]
    # A trial that ends late changes the middle of the record.
    late = replace(history.trials[10], state="complete", measures={"loss0": -5.0})
    changed = History(GOAL, (*history.trials[:10], late, *history.trials[11:]))
    assert rule.living(changed, space) == [changed.trials[trial.number] for trial in rule.living(changed, tiny())]


def test_children_are_mutations_of_the_living() -> None:
    space = Space(tuple(choice(*range(4)) for _ in range(8)), name="eight")
    candidates = SpaceCandidates(space)
    history = simulate(Random(), candidates, total, 60)
    rule = RegularizedEvolution(10, 10)
    best = min(rule.living(history, space), key=lambda trial: (trial.measures["loss0"], trial.number))
    for seed in range(10):
        child = rule.ask(history, 1, seed, candidates)[0]
        assert child in neighbours(best.architecture)
