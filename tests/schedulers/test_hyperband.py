"""Hyperband against the paper's table and a brute-force run of its algorithm 1."""

from dataclasses import replace
from math import ceil, floor, log

import numpy as np
import pytest

from nasturtium.errors import RunError
from nasturtium.roles import Continuation, Fresh
from nasturtium.schedulers import Hyperband, scheduler
from nasturtium.space import Space, choice
from nasturtium.trial import Fidelity, History, Objective, State, Trial

SPACE = Space(tuple(choice(*range(9)) for _ in range(5)), name="s")
LOSS = (Objective("loss", "minimize"),)

TABLE_1 = (
    ((81, 1), (27, 3), (9, 9), (3, 27), (1, 81)),
    ((34, 3), (11, 9), (3, 27), (1, 81)),
    ((15, 9), (5, 27), (1, 81)),
    ((8, 27), (2, 81)),
    ((5, 81),),
)


def loss(seed: int, epochs: int) -> float:
    """Curves that cross: who is ahead early is not who is ahead late."""
    start, end = np.random.default_rng(seed).random(2)
    return float(end + (start - end) / epochs)


def trial(history: History, step: Fresh | Continuation, state: State = "complete") -> Trial:
    number = len(history.trials)
    parent = step.parent if isinstance(step, Continuation) else None
    seed = number if parent is None else history.trials[parent].seed
    measures = {"loss": loss(seed, step.fidelity.epochs)} if state == "complete" else {}
    return Trial(number, SPACE.sample(seed), step.fidelity, seed, "random", state, measures, parent=parent)


def played(rule: Hyperband, steps: int) -> History:
    history = History(LOSS)
    for _ in range(steps):
        step = rule.next(history)
        assert step is not None, "one worker never waits"
        history = History(LOSS, (*history.trials, trial(history, step)))
    return history


def algorithm_1(most: int, eta: int, fresh: int) -> list[tuple[int, int]]:
    """(seed, epochs) of every training, with seeds numbered as trials are; `fresh` counts the trials so far."""
    log_of = floor(log(most) / log(eta) + 1e-9)
    done: list[tuple[int, int]] = []
    for s in reversed(range(log_of + 1)):
        n = ceil((log_of + 1) / (s + 1) * eta**s)
        seeds: list[int] = []
        for i in range(s + 1):
            epochs = round(most * eta ** (i - s))
            if i == 0:
                seeds = [fresh + len(done) + row for row in range(n)]
            done += [(seed, epochs) for seed in seeds]
            seeds = sorted(seeds, key=lambda seed, epochs=epochs: loss(seed, epochs))[: floor(n * eta ** -(i + 1))]
    return done


def test_the_brackets_of_81_epochs_are_those_of_table_1() -> None:
    assert Hyperband(1, 81, 3).brackets == TABLE_1


def test_two_rounds_of_brackets_run_as_algorithm_1_does() -> None:
    for most, eta in ((81, 3), (16, 2)):
        once = algorithm_1(most, eta, 0)
        expected = once + algorithm_1(most, eta, len(once))
        history = played(Hyperband(1, most, eta), len(expected))
        assert [(trial.seed, trial.fidelity.epochs) for trial in history.trials] == expected


def test_epochs_that_are_no_power_keep_the_longest_and_start_no_shorter_than_the_least() -> None:
    assert Hyperband(2, 10, 3).brackets == (((3, 3), (1, 10)), ((2, 10),))
    assert Hyperband(7, 7, 3).brackets == (((1, 7),),)
    for low, high, eta in ((1, 100, 3), (3, 200, 4), (5, 44, 2)):
        for bracket in Hyperband(low, high, eta).brackets:
            epochs = [longer for _, longer in bracket]
            assert epochs == sorted(set(epochs))
            assert epochs[0] >= low
            assert epochs[-1] == high


def test_it_waits_for_a_running_rung_and_lets_failures_fall() -> None:
    rule = Hyperband(1, 4, 2)  # brackets ((4, 1), (2, 2), (1, 4)), ((3, 2), (1, 4)), ((3, 4),)
    history = played(rule, 3)
    waiting = History(LOSS, (*history.trials, trial(history, Fresh(Fidelity(1)), "running")))
    assert rule.next(waiting) is None
    failed = History(
        LOSS, (*(replace(one, state="failed", measures={}) for one in waiting.trials[:3]), waiting.trials[3])
    )
    ended = History(LOSS, (*failed.trials[:3], trial(history, Fresh(Fidelity(1)))))
    assert rule.next(ended) == Continuation(3, Fidelity(2))
    lost = History(LOSS, (*ended.trials, trial(ended, Continuation(3, Fidelity(2)), "failed")))
    assert rule.next(lost) == Fresh(Fidelity(2)), "the second bracket begins"


def test_what_comes_next_follows_from_the_history_alone() -> None:
    whole = played(Hyperband(1, 9, 3), 40)
    for cut in range(40):
        step = Hyperband(1, 9, 3).next(History(LOSS, whole.trials[:cut]))
        assert step is not None
        assert step.fidelity == whole.trials[cut].fidelity
        assert getattr(step, "parent", None) == whole.trials[cut].parent


def test_several_objectives_are_ranked_by_front() -> None:
    goals = (Objective("loss", "minimize"), Objective("params", "minimize"))
    rows = [(3.0, 3.0), (1.0, 9.0), (4.0, 4.0), (9.0, 1.0)]
    trials = tuple(
        Trial(number, SPACE.sample(number), Fidelity(1), 0, "random", "complete", {"loss": left, "params": right})
        for number, (left, right) in enumerate(rows)
    )
    rule = Hyperband(1, 4, 2)
    assert rule.next(History(goals, trials)) == Continuation(1, Fidelity(2))
    first = replace(trials[1], number=4, fidelity=Fidelity(2), parent=1)
    assert rule.next(History(goals, (*trials, first))) == Continuation(3, Fidelity(2))


def test_it_is_found_by_name_and_refuses_what_is_no_ladder() -> None:
    assert scheduler("Hyperband", max_epochs=81) == Hyperband(1, 81, 3)
    assert not Hyperband(1, 9).stop((0.1,), History(LOSS))
    with pytest.raises(RunError, match="eta is 1: at least 2 is needed"):
        Hyperband(1, 9, 1)
