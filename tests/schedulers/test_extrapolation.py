"""Stopping and pausing by learning curves, on simulated searches."""

from dataclasses import replace

import numpy as np
import pytest

from nasturtium.errors import RunError
from nasturtium.roles import Continuation, Fresh, Scheduler
from nasturtium.schedulers.extrapolation import CurveStopping, milestone
from nasturtium.schedulers.lineage import trainings
from nasturtium.schedulers.pausing import CurvePausing
from nasturtium.space import Space, choice
from nasturtium.trial import Fidelity, History, Objective, Trial

SPACE = Space(tuple(choice(*range(5)) for _ in range(4)), name="s")
ACCURACY = (Objective("accuracy", "maximize"),)
EPOCHS = 27


def curves(count: int, seed: int = 0) -> np.ndarray:
    """Curves that rise to limits between 0.5 and 0.9, good ones sooner, with noise."""
    rng = np.random.default_rng(seed)
    limits = rng.uniform(0.5, 0.9, size=(count, 1))
    times = np.arange(1.0, EPOCHS + 1)
    return limits - 0.4 * times**-0.8 + 0.005 * rng.normal(size=(count, EPOCHS))


def searched(
    rule: Scheduler, table: np.ndarray, goals: tuple[Objective, ...] = ACCURACY, steps: int | None = None
) -> History:
    """One worker; ends when a network more is wanted than the table has. params: 100, 99 … in the order of arrival."""
    history, rows = History(goals), list[int]()
    while steps is None or len(history.trials) < steps:
        step = rule.next(history)
        assert step is not None
        parent = step.parent if isinstance(step, Continuation) else None
        fresh = sum(trial.parent is None for trial in history.trials)
        if parent is None and fresh == len(table):
            break
        rows.append(fresh if parent is None else rows[parent])
        done = 0 if parent is None else history.trials[parent].fidelity.epochs
        scores = tuple(table[rows[-1], done : step.fidelity.epochs].tolist())
        number = len(history.trials)
        length = next((at for at in range(1, len(scores)) if rule.stop(scores[:at], history)), len(scores))
        state = "complete" if length == len(scores) else "stopped"
        measures = {"accuracy": scores[length - 1], "params": 100.0 - rows[-1]}
        trial = Trial(number, SPACE.sample(rows[-1]), step.fidelity, 0, "random", state, measures, scores[:length])
        history = History(goals, (*history.trials, replace(trial, parent=parent)))
    return history


def spent(history: History) -> int:
    return sum(len(trial.curve) for trial in history.trials)


def best(history: History) -> float:
    return max(trial.measures["accuracy"] for trial in history.trials if trial.fidelity.epochs == EPOCHS)


def test_hopeless_trials_end_early_and_the_best_is_found() -> None:
    table = curves(60)
    history = searched(CurveStopping(EPOCHS), table)
    assert best(history) == table[:, -1].max()
    assert spent(history) < 0.5 * table.size
    stopped = [trial for trial in history.trials if trial.state == "stopped"]
    assert len(stopped) > 40
    assert all(table[trial.number, -1] < table[: trial.number, -1].max() for trial in stopped)


def test_nothing_is_stopped_before_three_have_finished() -> None:
    table = curves(10)
    history = searched(CurveStopping(EPOCHS), table, steps=3)
    assert all(trial.state == "complete" for trial in history.trials)
    rule, awful = CurveStopping(EPOCHS), (0.0,) * 10
    assert not rule.stop(awful, History(ACCURACY, history.trials[:2]))
    assert rule.stop(awful, history)
    assert not CurveStopping(EPOCHS, least_epochs=11).stop(awful, history)
    assert not rule.stop((0.0,) * EPOCHS, history)
    assert not rule.stop((), history)
    assert not rule.stop((0.1, float("nan")), history)


def test_a_lower_bar_or_threshold_spends_more() -> None:
    table = curves(40)
    usual = spent(searched(CurveStopping(EPOCHS), table))
    assert spent(searched(CurveStopping(EPOCHS, threshold=0.001), table)) > usual
    assert spent(searched(CurveStopping(EPOCHS, top=0.3), table)) > usual


def test_losses_are_stopped_as_their_mirrored_scores_are() -> None:
    table = curves(12)
    up = searched(CurveStopping(EPOCHS), table)
    mirrored = tuple(
        replace(trial, measures={"loss": -trial.measures["accuracy"]}, curve=tuple(-one for one in trial.curve))
        for trial in up.trials
    )
    down = History((Objective("loss", "minimize"),), mirrored)
    rule = CurveStopping(EPOCHS)
    for row in curves(20, seed=1):
        for length in (2, 5, 12):
            shown = tuple(row[:length].tolist())
            assert rule.stop(shown, up) == rule.stop(tuple(-one for one in shown), down)


def test_stopping_by_one_curve_is_refused_for_several_objectives() -> None:
    goals = (*ACCURACY, Objective("params", "minimize"))
    with pytest.raises(
        RunError, match=r"there are 2 \(accuracy, params\)\. Schedulers for several: curve-pausing, asha"
    ):
        CurveStopping(EPOCHS).next(History(goals))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RunError, match=r"threshold is 1\.5: a probability between 0 and 1 is needed"):
        CurveStopping(EPOCHS, threshold=1.5)
    with pytest.raises(RunError, match=r"top is 1\.0: a part of the trials between 0 and 1 is needed"):
        CurveStopping(EPOCHS, top=1.0)
    with pytest.raises(RunError, match="min_epochs is 9 and max_epochs 3: 1 <= min <= max is needed"):
        CurvePausing(9, 3)
    with pytest.raises(RunError, match="pool is 0: a round needs at least 1 trial"):
        CurvePausing(1, 9, pool=0)
    with pytest.raises(RunError, match=r"optimism is -1\.0, thinning 1\.2 and growth 1\.15"):
        CurvePausing(1, 9, optimism=-1.0)


def test_pausing_finds_the_best_for_a_fraction_of_the_epochs() -> None:
    for seed in range(5):
        table = curves(80, seed)
        history = searched(CurvePausing(1, EPOCHS, pool=80), table)
        assert best(history) >= table[:, -1].max() - 0.01  # twice the noise of a score
        assert spent(history) < 0.25 * table.size


def test_a_round_begins_with_all_its_trials_and_a_thin_halving() -> None:
    rule = CurvePausing(1, 9, pool=10, thinning=1.0, growth=3.0)
    assert rule.steps == (1, 3, 9)
    history = searched(rule, curves(10)[:, :9], steps=14)
    assert [trial.fidelity.epochs for trial in history.trials] == [1] * 10 + [3] * 3 + [9]
    order = np.argsort(-curves(10)[:, 0])
    assert [trial.parent for trial in history.trials[10:13]] == order[:3].tolist()


def test_the_next_round_begins_when_the_finished_cannot_be_beaten() -> None:
    rule = CurvePausing(1, EPOCHS, pool=8)
    history = searched(rule, curves(16))
    fresh = [trial.number for trial in history.trials if trial.parent is None]
    assert fresh[:8] == list(range(8))
    assert fresh[8] > 8 + 5
    assert [number - fresh[8] for number in fresh[8:]] == list(range(8))


def test_no_training_is_continued_twice_or_beyond_its_end() -> None:
    history = searched(CurvePausing(2, EPOCHS, pool=30), curves(30))
    parents = [trial.parent for trial in history.trials if trial.parent is not None]
    assert len(parents) == len(set(parents))
    for trial in history.trials:
        if trial.parent is not None:
            parent = history.trials[trial.parent]
            assert parent.fidelity < trial.fidelity <= Fidelity(EPOCHS)
            assert parent.architecture == trial.architecture


def test_asking_again_gives_the_same_and_a_killed_search_resumes() -> None:
    rule = CurvePausing(1, EPOCHS, pool=20)
    history = searched(rule, curves(20))
    for cut in (0, 5, 20, 26, 35, len(history.trials) - 1):
        step = CurvePausing(1, EPOCHS, pool=20).next(History(ACCURACY, history.trials[:cut]))
        happened = history.trials[cut]
        expected = (
            Fresh(happened.fidelity) if happened.parent is None else Continuation(happened.parent, happened.fidelity)
        )
        assert step == expected


def test_running_trials_are_not_waited_for_unless_they_are_all_there_is() -> None:
    rule = CurvePausing(1, EPOCHS, pool=6)
    history = searched(rule, curves(6), steps=6)
    running = tuple(replace(trial, state="running", curve=(), measures={}) for trial in history.trials)
    assert rule.next(History(ACCURACY, running)) is None
    half = History(ACCURACY, (*history.trials[:3], *running[3:]))
    assert isinstance(rule.next(half), Continuation)


def test_failed_trials_are_left_alone() -> None:
    rule = CurvePausing(1, EPOCHS, pool=6)
    history = searched(rule, curves(6), steps=6)
    order = np.argsort([-trial.measures["accuracy"] for trial in history.trials])
    failed = replace(history.trials[order[0]], state="failed", curve=(), measures={}, failure="diverged")
    trials = tuple(failed if trial.number == failed.number else trial for trial in history.trials)
    step = rule.next(History(ACCURACY, trials))
    assert isinstance(step, Continuation)
    assert step.parent == order[1]
    every = tuple(replace(trial, state="failed", curve=(), measures={}) for trial in history.trials)
    assert rule.next(History(ACCURACY, every)) == Fresh(Fidelity(1))


def test_with_several_objectives_no_front_is_left_unfinished() -> None:
    goals = (*ACCURACY, Objective("params", "minimize"))
    table = curves(25)
    history = searched(CurvePausing(1, EPOCHS, pool=25), table, goals)
    finished = [trial for trial in history.trials if trial.fidelity.epochs == EPOCHS]
    # Later networks are smaller: on the true front are those better than all that came after them.
    front = {row for row in range(25) if table[row, -1] > max(table[row + 1 :, -1], default=0.0)}
    rows = {int(np.flatnonzero(np.isclose(table[:, -1], trial.measures["accuracy"]))[0]) for trial in finished}
    assert len(front - rows) <= len(front) // 4
    assert spent(history) < 0.8 * table.size


def test_trials_that_continue_one_another_are_one_training() -> None:
    first = Trial(0, SPACE.sample(0), Fidelity(2), 0, "r", "complete", {"accuracy": 0.2}, (0.1, 0.2))
    other = Trial(1, SPACE.sample(1), Fidelity(2), 0, "r", "failed")
    onward = Trial(2, SPACE.sample(0), Fidelity(3), 0, "r", "complete", {"accuracy": 0.3}, (0.3,), parent=0)
    last = Trial(3, SPACE.sample(0), Fidelity(5), 0, "r", parent=2)
    found = trainings(History(ACCURACY, (first, other, onward, last)))
    assert [one.curve for one in found] == [(0.1, 0.2, 0.3), ()]
    assert [one.latest.number for one in found] == [3, 1]
    assert not any(one.resting for one in found)
    assert trainings(History(ACCURACY, (first, other, onward)))[0].resting


def test_milestones_are_rare_and_never_ahead() -> None:
    reached = [milestone(count) for count in range(1, 1000)]
    assert reached == sorted(reached)
    assert all(mark <= count for count, mark in enumerate(reached, 1))
    assert len(set(reached)) < 35
    assert all(mark > 0.7 * count for count, mark in enumerate(reached, 1))


def test_networks_that_are_all_dead_end_no_other() -> None:
    """Three curves at one half, and one that rises from just below: a curve that starts low is all there is to see."""
    dead = (0.5,) * EPOCHS
    done = tuple(
        Trial(n, SPACE.sample(n), Fidelity(EPOCHS), 0, "random", "complete", {"accuracy": 0.5}, dead) for n in range(3)
    )
    rule = CurveStopping(EPOCHS)
    assert not any(rule.stop(shown, History(ACCURACY, done)) for shown in ((0.49,), (0.49, 0.5), (0.48,) * 5))
    lively = replace(done[0], number=3, measures={"accuracy": 0.9}, curve=tuple(np.linspace(0.5, 0.9, EPOCHS).tolist()))
    assert rule.stop((0.1,) * (EPOCHS - 1), History(ACCURACY, (*done, lively)))
