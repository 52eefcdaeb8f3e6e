"""The record of a search."""

import numpy as np

from nasturtium.space import Space, choice
from nasturtium.trial import Fidelity, History, Objective, State, Trial

SPACE = Space((choice(1, 2, 3),), name="s")
GOALS = (Objective("accuracy", "maximize"), Objective("params", "minimize"))


def trial(number: int, state: State) -> Trial:
    measures = {"accuracy": 0.5 + number, "params": 10.0 * number} if state in ("complete", "stopped") else {}
    return Trial(number, SPACE.architecture({"0": number % 3 + 1}), Fidelity(1), 0, "random", state, measures)


HISTORY = History(GOALS, (trial(0, "complete"), trial(1, "failed"), trial(2, "stopped"), trial(3, "running")))


def test_losses_are_smaller_where_better_and_only_of_scored_trials() -> None:
    assert HISTORY.losses().tolist() == [[-0.5, 0.0], [-2.5, 20.0]]
    assert HISTORY.losses((HISTORY.trials[2],)).tolist() == [[-2.5, 20.0]]
    assert HISTORY.losses(()).shape == (0, 2)
    assert History(GOALS[:1]).losses().shape == (0, 1)


def test_ids_hold_everything_that_was_proposed() -> None:
    assert HISTORY.ids == {SPACE.architecture({"0": value}).arch_id for value in (1, 2, 3)}


def test_running_and_scored_are_told_apart() -> None:
    assert [one.number for one in HISTORY.scored] == [0, 2]
    assert [one.number for one in HISTORY.running] == [3]


def test_fidelities_are_ordered_by_epochs_then_share() -> None:
    levels = [Fidelity(2), Fidelity(1, 0.5), Fidelity(1), Fidelity(2, 0.1)]
    assert sorted(levels) == [Fidelity(1, 0.5), Fidelity(1), Fidelity(2, 0.1), Fidelity(2)]


def test_signs_turn_values_into_losses() -> None:
    assert np.array([goal.sign for goal in GOALS]).tolist() == [-1.0, 1.0]
