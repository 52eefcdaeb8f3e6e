"""The loop: budgets, control, failures, resuming."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nasturtium.errors import RunError
from nasturtium.roles import Job, Outcome, Report, Scheduler
from nasturtium.schedulers import Asha, Full, MedianStopping
from nasturtium.space import Space, choice
from nasturtium.strategies import Random, RegularizedEvolution
from nasturtium.study import (
    Ended,
    Finished,
    InlineExecutor,
    JournalStore,
    LocalExecutor,
    MemoryStore,
    Plateau,
    Started,
    Study,
    read_study,
    run_study,
)
from nasturtium.study.interrupts import uninterrupted
from nasturtium.study.loop import is_control
from nasturtium.testing.evaluators import EvaluatorSuite, Scripted
from nasturtium.testing.strategies import SpaceCandidates, small_space
from nasturtium.trial import Fidelity, History, Objective, Trial

SPACE = Space(tuple(choice(*range(4)) for _ in range(6)), name="toy")
GOALS = (Objective("score", "maximize"),)


def study(**changes: object) -> Study:
    settings: dict = {
        "strategy": RegularizedEvolution(6, 3),
        "control": Random(),
        "scheduler": Full(2),
        "candidates": SpaceCandidates(SPACE),
        "objectives": GOALS,
        "seed": 5,
        "trials": 20,
    }
    return Study(**{**settings, **changes})


def run(made: Study, evaluator: object = None, on_event: Callable = lambda event: None) -> History:
    executor = InlineExecutor(evaluator or Scripted())  # type: ignore[arg-type]
    return run_study(made, executor, MemoryStore(made.objectives), on_event)


def without_seconds(history: History) -> list[Trial]:
    return [replace(trial, seconds=0.0) for trial in history.trials]


class TestScripted(EvaluatorSuite):
    def evaluator(self) -> Scripted:
        return Scripted()

    def jobs(self) -> list[Job]:
        return [Job(str(number), SPACE.sample(number), Fidelity(3), seed=0) for number in range(3)]


def test_a_study_runs_its_trials_and_says_so() -> None:
    events: list = []
    history = run(study(), on_event=events.append)
    assert [trial.number for trial in history.trials] == list(range(20))
    assert all(trial.state == "complete" and len(trial.curve) == 2 for trial in history.trials)
    assert len({trial.seed for trial in history.trials}) == 20
    assert sum(isinstance(event, Started) for event in events) == 20
    assert [event.trials_left for event in events if isinstance(event, Finished)] == list(reversed(range(20)))
    assert isinstance(events[-1], Ended)
    assert events[-1].sentence == "All 20 trials are done."


def test_the_control_has_its_share_at_every_moment() -> None:
    for share in (0.0, 0.15, 0.5, 1.0):
        turns = [is_control(number, share) for number in range(200)]
        for count in range(1, 201):
            assert share * count - 1e-6 <= sum(turns[:count]) < share * count + 1
    origins = [trial.origin for trial in run(study()).trials]
    assert origins.count("random") == 3
    assert set(origins) == {"random", "regularized-evolution"}


def test_continuations_start_from_their_parents_weights(tmp_path: Path) -> None:
    seen: list[Job] = []

    class Spy:
        def open(self) -> Callable[[Job, Report], Outcome]:
            inner = Scripted().open()
            return lambda job, report: seen.append(job) or inner(job, report)  # type: ignore[func-returns-value]

    history = run(study(scheduler=Asha(1, 4, 2), checkpoints=tmp_path), Spy())
    went_on = [trial for trial in history.trials if trial.parent is not None]
    assert went_on
    for trial in went_on:
        parent = history.trials[trial.parent or 0]
        assert trial.architecture == parent.architecture
        assert trial.origin == parent.origin
        assert seen[trial.number].parent == parent.checkpoint == str(tmp_path / f"{parent.number}.safetensors")
        assert trial.fidelity.epochs == 2 * parent.fidelity.epochs


def test_time_ends_a_study_and_shortens_its_last_trials() -> None:
    left = iter([10.0, 10.0, 10.0, 3.0, 3.0, 3.0, 0.0, 0.0])
    jobs: list[Job] = []

    class Spy:
        def open(self) -> Callable[[Job, Report], Outcome]:
            inner = Scripted().open()
            return lambda job, report: jobs.append(job) or inner(job, report)  # type: ignore[func-returns-value]

    events: list = []
    history = run(study(seconds_left=lambda: next(left), trial_deadline_s=5.0, trials=None), Spy(), events.append)
    assert len(history.trials) == 2
    assert [job.deadline_s for job in jobs] == [5.0, 3.0]
    assert events[-1].sentence == "The budget of time is used up."


def test_an_exhausted_space_ends_the_study() -> None:
    events: list = []
    history = run(study(candidates=SpaceCandidates(small_space())), on_event=events.append)
    assert len(history.trials) == 6
    assert events[-1].sentence == "The space is exhausted: all 6 architectures within the limits were tried."


def test_measures_that_are_missing_or_not_finite_are_failures() -> None:
    history = run(study(trials=4), Scripted({"1": "nan", "2": "missing", "3": "raise"}))
    reasons = [None, "score is nan", "the evaluator gave no 'score'", "ValueError: scripted to raise"]
    assert [trial.failure for trial in history.trials] == reasons
    assert "score" not in history.trials[1].measures


def test_twenty_equal_failures_in_a_row_stop_the_study() -> None:
    script = {str(number): "raise" for number in range(3, 40)} | {"10": ""}
    store = MemoryStore(GOALS)
    with pytest.raises(
        RunError, match=r"The last 20 trials failed for the same reason \(ValueError: scripted to raise\)"
    ):
        run_study(study(trials=40), InlineExecutor(Scripted(script)), store)
    assert len(store.history.trials) == 31


def test_a_plateau_is_announced_once_and_stops_only_when_told_to() -> None:
    class Flat:
        def open(self) -> Callable[[Job, Report], Outcome]:
            return lambda job, report: Outcome({"score": min(0.9, 0.88 + 0.01 * int(job.key))})

    events: list = []
    assert len(run(study(trials=60), Flat(), events.append).trials) == 60
    found = [event for event in events if isinstance(event, Plateau)]
    assert len(found) == 1
    assert found[0].sentence.startswith("The last ")
    assert "would probably gain less than" in found[0].sentence
    stopped = run(study(trials=60, stop_on_plateau=True), Flat(), events.append)
    assert len(stopped.trials) == len(found[0].history.trials) < 60
    assert events[-1].sentence.startswith("Stopped on a plateau.")


@pytest.mark.parametrize("scheduler", [Full(2), Asha(1, 4, 2), MedianStopping(8, least_trials=3)])
def test_a_study_stopped_anywhere_resumes_to_the_same_history(tmp_path: Path, scheduler: Scheduler) -> None:
    made = study(scheduler=scheduler, trials=14)
    whole = without_seconds(run(made))
    for stop_after in (0, 1, 5, 13):
        path = tmp_path / f"{stop_after}.journal"

        class Interrupting:
            def open(self, stop_after: int = stop_after) -> Callable[[Job, Report], Outcome]:
                inner = Scripted().open()

                def score(job: Job, report: Report) -> Outcome:
                    if job.key == str(stop_after):
                        raise KeyboardInterrupt
                    return inner(job, report)

                return score

        with JournalStore(path, made.identity, SPACE) as store:
            history = run_study(made, InlineExecutor(Interrupting()), store)
        assert [trial.failure for trial in history.trials] == [None] * stop_after + ["interrupted"]
        assert read_study(path, SPACE)[1].trials[-1].state == "running"
        with JournalStore(path, made.identity, SPACE) as store:
            again: list = []
            resumed = run_study(made, InlineExecutor(Scripted()), store, again.append)
        assert again[0].again
        assert without_seconds(resumed) == whole


def test_settings_are_checked() -> None:
    with pytest.raises(RunError, match="--trials is 0: at least 1 trial is needed"):
        study(trials=0)
    with pytest.raises(RunError, match=r"share is 1\.5: it must lie between 0 and 1"):
        study(control_share=1.5)
    with pytest.raises(RunError, match="at least one objective"):
        study(objectives=())


KILLED = """
import sys
from pathlib import Path
from nasturtium.roles import *
from nasturtium.schedulers import Asha
from nasturtium.space import Space, choice
from nasturtium.strategies import Random, RegularizedEvolution
from nasturtium.study import *
from nasturtium.testing.evaluators import Scripted
from nasturtium.testing.strategies import SpaceCandidates
from nasturtium.trial import Objective

space = Space(tuple(choice(*range(4)) for _ in range(6)), name="toy")
made = Study(RegularizedEvolution(6, 3), Random(), Asha(1, 4, 2), SpaceCandidates(space),
    (Objective("score", "maximize"),), 5, trials=30)
evaluator = Scripted(pause_s=float(sys.argv[2]))
with JournalStore(Path(sys.argv[1]), made.identity, space) as store, LocalExecutor(evaluator) as executor:
    history = run_study(made, executor, store)
print(len(history.trials), sum(trial.failure == "interrupted" for trial in history.trials))
"""


def trials_in(path: Path) -> int:
    return path.read_bytes().count(b'"op_code":4,') if path.exists() else 0


def test_a_killed_study_resumes_to_the_history_of_an_undisturbed_one(tmp_path: Path) -> None:
    made = study(scheduler=Asha(1, 4, 2), trials=30)
    whole = without_seconds(run(made))
    path = tmp_path / "study.journal"
    for kill_after in (3, 9, 21, None):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(path), "0.01"], stdout=subprocess.DEVNULL)
        while kill_after is not None and trials_in(path) < kill_after and child.poll() is None:
            time.sleep(0.005)
        if kill_after is not None:
            child.kill()
        child.wait(60)
    assert without_seconds(read_study(path, SPACE)[1]) == whole


def test_ctrl_c_ends_a_study_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path), "0.2"], stdout=subprocess.PIPE, text=True)
    while trials_in(path) < 5 and child.poll() is None:
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGINT)
    count, interrupted = map(int, child.communicate(timeout=60)[0].split())
    assert child.returncode == 0
    assert 5 <= count < 30
    assert interrupted == 1
    assert json.loads(path.read_bytes().splitlines()[-1])["op_code"] == 4, "the last trial is left to be run again"


def test_several_workers_with_crashes_finish_the_study(tmp_path: Path) -> None:
    made = study(trials=16)
    with (
        JournalStore(tmp_path / "study.journal", made.identity, SPACE) as store,
        LocalExecutor(Scripted({"2": "exit", "7": "segfault"}), workers=2) as executor,
    ):
        history = run_study(made, executor, store)
    assert [trial.number for trial in history.trials if trial.state == "failed"] == [2, 7]
    assert len(history.ids) == len(history.trials) == 16
    assert read_study(tmp_path / "study.journal", SPACE)[1] == history


def test_an_interrupt_waits_for_the_record_to_be_whole() -> None:
    done: list[str] = []

    def write() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("written")
        done.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == ["written"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
