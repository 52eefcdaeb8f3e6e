"""Local search against brute force."""

from dataclasses import replace

import numpy as np
import pytest

from nasturtium.errors import RunError
from nasturtium.space import Architecture, Space, choice
from nasturtium.space.variation import neighbours
from nasturtium.strategies import LocalSearch, Random
from nasturtium.testing.strategies import SpaceCandidates, simulate
from nasturtium.trial import History

SPACE = Space(tuple(choice(*range(3)) for _ in range(5)), name="rugged")
CANDIDATES = SpaceCandidates(SPACE)
LOSSES = dict(zip(SPACE.enumerate(), np.random.default_rng(0).random(3**5).tolist(), strict=True))


def rugged(architecture: Architecture) -> tuple[float]:
    return (LOSSES[architecture],)


def is_minimum(architecture: Architecture) -> bool:
    return all(LOSSES[architecture] < LOSSES[other] for other in neighbours(architecture))


def test_steepest_descent_scores_all_neighbours_and_moves_to_the_best() -> None:
    rule = LocalSearch(initial=1, steepest=True)
    history = simulate(rule, CANDIDATES, rugged, 120, failing=0)
    here, known, number = history.trials[0].architecture, {history.trials[0].architecture}, 1
    while True:
        around = set(neighbours(here))
        new = {trial.architecture for trial in history.trials[number : number + len(around - known)]}
        assert new == around - known
        number, known = number + len(new), known | new
        best = min(around, key=LOSSES.__getitem__)
        if LOSSES[best] > LOSSES[here]:
            break
        here = best
    assert is_minimum(here)
    assert history.trials[number].architecture not in around, "it starts again elsewhere"


def test_first_improvement_moves_as_soon_as_a_neighbour_is_better() -> None:
    rule = LocalSearch(initial=1)
    history = simulate(rule, CANDIDATES, rugged, 60, failing=0)
    here, moves = history.trials[0], 0
    for trial in history.trials[1:]:
        assert trial.architecture in neighbours(here.architecture)
        if LOSSES[trial.architecture] < LOSSES[here.architecture]:
            here, moves = trial, moves + 1
        assert rule.centre(History(history.objectives, history.trials[: trial.number + 1]), CANDIDATES) == here
        if is_minimum(here.architecture):
            break
    assert moves > 1


@pytest.mark.parametrize("steepest", [False, True])
def test_what_is_known_is_looked_up(steepest: bool) -> None:
    """With all but one architecture scored, every descent that does not need that one ends at a minimum for free."""
    known = simulate(Random(), CANDIDATES, rugged, 3**5 - 1, failing=0)
    missing = next(one for one in SPACE.enumerate() if one.arch_id not in known.ids)
    rule = LocalSearch(initial=5, steepest=steepest)
    assert rule.ask(known, 1, 0, CANDIDATES) == [missing]
    centre = rule.centre(known, CANDIDATES)
    assert centre is None or centre.architecture in neighbours(missing)


def test_every_minimum_is_found_in_the_end() -> None:
    """243 architectures: the whole space is scored, and restarts never loop."""
    history = simulate(LocalSearch(initial=2), CANDIDATES, rugged, 400, failing=0)
    assert len(history.trials) == 3**5


def test_a_better_trial_of_the_control_is_found_as_a_neighbour() -> None:
    rule = LocalSearch(initial=1)
    history = simulate(rule, CANDIDATES, rugged, 1, failing=0)
    start = history.trials[0]
    better = min(neighbours(start.architecture), key=LOSSES.__getitem__)
    assert LOSSES[better] < LOSSES[start.architecture]
    control = replace(start, number=1, architecture=better, origin="random", seed=1, measures={"loss0": LOSSES[better]})
    longer = History(history.objectives, (start, control))
    others = [one for one in neighbours(start.architecture) if one != better]
    asked = rule.ask(longer, 1, 0, CANDIDATES)[0]
    centre = rule.centre(longer, CANDIDATES)
    assert centre in (start, control)
    assert asked in (others if centre == start else neighbours(better))


def test_a_descent_needs_a_start() -> None:
    with pytest.raises(RunError, match="initial is 0: a descent needs at least 1 start"):
        LocalSearch(initial=0)
