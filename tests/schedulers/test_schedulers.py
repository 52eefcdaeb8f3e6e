"""Rung arithmetic on hand-worked examples."""

from dataclasses import replace

import pytest

from nasturtium.errors import RunError
from nasturtium.roles import Continuation, Fresh, Scheduler
from nasturtium.schedulers import SCHEDULERS, Asha, Full, MedianStopping, SuccessiveHalving, rungs, scheduler
from nasturtium.space import Space, choice
from nasturtium.trial import Fidelity, History, Objective, State, Trial

SPACE = Space(tuple(choice(*range(5)) for _ in range(4)), name="s")
LOSS = (Objective("loss", "minimize"),)


def trial(number: int, epochs: int, loss: float | None, parent: int | None = None, state: State = "complete") -> Trial:
    measures = {} if loss is None else {"loss": loss, "params": -loss}
    architecture = SPACE.sample(number if parent is None else parent)
    return Trial(number, architecture, Fidelity(epochs), 0, "random", state, measures, parent=parent)


def play(rule: Scheduler, losses: list[float], steps: int, objectives: tuple[Objective, ...] = LOSS) -> list[str]:
    """One worker: what is started, as "f1" (fresh, 1 epoch) or "0>3" (trial 0 goes on to 3 epochs).

    A continuation keeps its parent's loss.
    """
    history, log, fresh = History(objectives), [], iter(losses)
    for number in range(steps):
        step = rule.next(history)
        if step is None:
            log.append("wait")
            break
        if isinstance(step, Fresh):
            log.append(f"f{step.fidelity.epochs}")
            started = trial(number, step.fidelity.epochs, next(fresh))
        else:
            log.append(f"{step.parent}>{step.fidelity.epochs}")
            parent = history.trials[step.parent]
            started = trial(number, step.fidelity.epochs, parent.measures["loss"], step.parent)
        history = History(objectives, (*history.trials, started))
    return log


def test_asha_promotes_as_worked_by_hand() -> None:
    # eta 2, rungs 1, 2, 4. Losses of the fresh trials in order: 5 3 4 1 2 ...
    # #0 (5), #1 (3): rung of 2, best half is #1 -> #2 = 1>2. #3 (4): 3 in the rung, floor(3/2) = 1, done already.
    # #4 (1): 4 there, best two #4, #1 -> #5 = 4>2; rung 2 holds #2 (3), #5 (1): best half #5 -> #6 = 5>4.
    # #7 (2): 5 there, best two are #4, #7 -> #8 = 7>2: rung 2 holds 3, best one is #5, done. Then fresh.
    expected = ["f1", "f1", "1>2", "f1", "f1", "4>2", "5>4", "f1", "7>2", "f1"]
    assert play(Asha(1, 4, 2), [5, 3, 4, 1, 2, 9], 10) == expected


def test_asha_does_not_wait_for_running_trials_and_passes_over_failed_ones() -> None:
    rule = Asha(1, 9, 3)
    history = History(LOSS, (trial(0, 1, None, state="running"), trial(1, 1, None, state="failed"), trial(2, 1, 7.0)))
    assert rule.next(history) == Fresh(Fidelity(1))
    history = History(LOSS, (*history.trials, trial(3, 1, 5.0), trial(4, 1, 6.0)))
    assert rule.next(history) == Continuation(3, Fidelity(3))
    promoted = trial(5, 3, None, parent=3, state="failed")
    assert rule.next(History(LOSS, (*history.trials, promoted))) == Fresh(Fidelity(1))


def test_asha_ranks_several_objectives_by_front() -> None:
    goals = (Objective("loss", "minimize"), Objective("params", "minimize"))
    rows = [(3.0, 3.0), (1.0, 4.0), (4.0, 4.0), (2.0, 2.0), (5.0, 1.0), (9.0, 9.0)]
    trials = tuple(
        replace(trial(number, 1, 0.0), measures={"loss": loss, "params": size})
        for number, (loss, size) in enumerate(rows)
    )
    # The front is #1, #3, #4; the extremes are the loneliest, the earlier first.
    history = History(goals, trials)
    assert Asha(1, 3, 3).next(history) == Continuation(1, Fidelity(3))
    history = History(goals, (*trials, trial(6, 3, 0.0, parent=1)))
    assert Asha(1, 3, 3).next(history) == Continuation(4, Fidelity(3))


def test_successive_halving_plays_whole_brackets() -> None:
    # eta 2, rungs 1, 2, 4: four fresh, two to 2 epochs, one to 4, and again.
    losses = [4.0, 1.0, 3.0, 2.0, 8.0, 7.0, 6.0, 5.0]
    expected = ["f1"] * 4 + ["1>2", "3>2", "4>4"] + ["f1"] * 4 + ["10>2", "9>2", "11>4"]
    assert play(SuccessiveHalving(1, 4, 2), losses, 14) == expected


def test_successive_halving_waits_for_its_rung_and_lets_failures_fall() -> None:
    rule = SuccessiveHalving(1, 4, 2)
    three = (trial(0, 1, 4.0), trial(1, 1, 1.0), trial(2, 1, None, state="failed"))
    assert rule.next(History(LOSS, (*three, trial(3, 1, None, state="running")))) is None
    whole = (*three, trial(3, 1, None, state="failed"))
    assert rule.next(History(LOSS, whole)) == Continuation(1, Fidelity(2))
    both = (*whole, trial(4, 2, 1.0, parent=1), trial(5, 2, None, parent=0, state="failed"))
    assert rule.next(History(LOSS, both)) == Continuation(4, Fidelity(4))
    assert rule.next(History(LOSS, (*both, trial(6, 4, None, parent=4, state="failed")))) == Fresh(Fidelity(1))


def test_the_median_rule_worked_by_hand() -> None:
    goals = (Objective("accuracy", "maximize"),)
    curves = [(0.2, 0.4, 0.6), (0.3, 0.5, 0.7), (0.1, 0.1, 0.1), (0.5, 0.7), (0.4, 0.6, 0.8)]
    trials = tuple(
        replace(trial(number, 3, 0.0), measures={"accuracy": curve[-1]}, curve=curve)
        for number, curve in enumerate(curves)
    )
    rule, history = MedianStopping(epochs=4, least_trials=5), History(goals, trials)
    # Running averages after 2 epochs: .3 .4 .1 .6 .5, median .4.
    assert rule.stop((0.3, 0.39), history)
    assert not rule.stop((0.3, 0.41), history)
    assert not rule.stop((0.41, 0.1), history)
    assert not rule.stop((0.0, 0.0), History(goals, trials[:4]))
    assert not rule.stop((0.0, 0.0, 0.0, 0.0), history)


def test_full_training_is_fresh_and_never_stops() -> None:
    assert Full(7).next(History(LOSS)) == Fresh(Fidelity(7))
    assert not Full(7).stop((0.0,), History(LOSS))


def test_rungs_end_at_the_longest() -> None:
    assert rungs(1, 27, 3) == (1, 3, 9, 27)
    assert rungs(4, 4, 3) == (4,)
    with pytest.raises(RunError, match="eta is 1: at least 2 is needed"):
        Asha(1, 9, 1)
    with pytest.raises(RunError, match="min_epochs is 9 and max_epochs 3: 1 <= min <= max is needed"):
        SuccessiveHalving(9, 3, 3)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers_are_found_by_their_own_names(name: str) -> None:
    assert scheduler(name, max_epochs=9).name == name
    assert scheduler(name.replace("-", "_").upper(), max_epochs=9).name == name


def test_an_unknown_scheduler_is_answered_with_near_names() -> None:
    with pytest.raises(RunError, match=r"There is no scheduler 'asah'\. Did you mean 'asha'\?"):
        scheduler("asah", max_epochs=3)


def test_median_stopping_is_refused_where_it_makes_no_sense() -> None:
    goals = (Objective("accuracy", "maximize"), Objective("params", "minimize"))
    with pytest.raises(RunError, match="'median-stopping' ends trainings by their learning curve"):
        MedianStopping(4).next(History(goals))
    for settings in ({"epochs": 0}, {"least_trials": 0}, {"warm_up": 2.0}, {"warm_up": -1.0}):
        with pytest.raises(RunError, match=r"epochs is .*, least_trials .* and warm_up .*: at least 1"):
            MedianStopping(**({"epochs": 4} | settings))  # type: ignore[arg-type]
