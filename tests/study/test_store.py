"""The journal gives back what was put in, whatever happened to the process."""

import json
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from nasturtium.errors import RunError
from nasturtium.space import Space, choice, integer, real
from nasturtium.study import Identity, JournalStore, MemoryStore, read_identity, read_study
from nasturtium.trial import Fidelity, Objective, Trial

SPACE = Space(
    (choice(1, 2, 3), choice(plain="p", deep=(integer(1, 9, step=2), choice(True, False))), real(1e-4, 1e-1, log=True)),
    name="toy",
)
GOALS = (Objective("accuracy", "maximize"), Objective("params", "minimize"))
IDENTITY = Identity(7, GOALS, "toy", "random", "full", 0.15)


def running(number: int) -> Trial:
    return Trial(number, SPACE.sample(number), Fidelity(3, 0.5), seed=number + 100, origin="random")


def ended(trial: Trial) -> Trial:
    if trial.number % 3 == 2:
        return replace(trial, state="failed", failure="diverged", seconds=0.25)
    measures = {"accuracy": 0.1 + 0.2 * trial.number, "params": 12345.0, "loss": 1 / 3}
    return replace(
        trial,
        state="complete",
        measures=measures,
        curve=(0.1, 0.2),
        seconds=1.5,
        parent=0,
        checkpoint="a/0.safetensors",
    )


def filled(path: Path, count: int = 7) -> MemoryStore:
    """`count` trials on disk, all ended but the last; the same in memory."""
    memory = MemoryStore(GOALS)
    with JournalStore(path, IDENTITY, SPACE) as store:
        for number in range(count):
            for kept in (memory, store):
                kept.start(running(number))
                if number < count - 1:
                    kept.finish(ended(running(number)))
        assert store.history == memory.history
    return memory


def test_trials_are_equal_when_read_back(tmp_path: Path) -> None:
    memory = filled(tmp_path / "study.journal")
    identity, history = read_study(tmp_path / "study.journal", SPACE)
    assert identity == read_identity(tmp_path / "study.journal") == IDENTITY
    assert history == memory.history
    with JournalStore(tmp_path / "study.journal", IDENTITY, SPACE) as store:
        assert store.history == memory.history


def test_optuna_sees_live_decisions_values_and_states(tmp_path: Path) -> None:
    filled(tmp_path / "study.journal")
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.journal"))
    )
    study = optuna.load_study(study_name="nasturtium", storage=storage)
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    states = ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE", "COMPLETE", "FAIL", "RUNNING"]
    assert [trial.state.name for trial in study.trials] == states
    assert study.trials[1].values == [0.1 + 0.2, 12345.0]
    for trial in study.trials:
        assert trial.params == dict(SPACE.sample(trial.number).values)


def test_the_journal_is_the_same_whatever_byte_a_kill_cuts_it_at(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    memory = filled(path, count=4)
    content = path.read_bytes()
    start = content.index(b'"trial"')  # from here on the identity is written
    for size in range(start, len(content), 97):
        path.write_bytes(content[:size])
        with JournalStore(path, IDENTITY, SPACE) as store:
            known = store.history.trials
            assert len(known) <= 4
            for trial, whole in zip(known, memory.history.trials, strict=False):
                assert trial in (whole, running(trial.number))
            # And it can be written on.
            for trial in known:
                if trial.state == "running" and trial.number < 3:
                    store.finish(ended(running(trial.number)))
            for number in range(len(known), 4):
                store.start(running(number))
                if number < 3:
                    store.finish(ended(running(number)))
            assert store.history == memory.history
        assert read_study(path, SPACE)[1] == memory.history


def test_a_state_that_a_kill_left_unwritten_is_written_on_opening(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    filled(path, count=2)
    lines = path.read_bytes().splitlines(keepends=True)
    cut = [line for line in lines if json.loads(line)["op_code"] != 6]  # SET_TRIAL_STATE_VALUES
    path.write_bytes(b"".join(cut))
    with JournalStore(path, IDENTITY, SPACE) as store:
        assert [trial.state for trial in store.history.trials] == ["complete", "running"]
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    assert [trial.state.name for trial in storage.get_all_trials(0)] == ["COMPLETE", "RUNNING"]


def test_the_lock_of_a_killed_writer_does_not_hold_up_the_next(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    filled(path, count=2)
    (tmp_path / "study.journal.lock").symlink_to(path)
    with JournalStore(path, IDENTITY, SPACE) as store:
        store.finish(ended(running(1)))
        assert [trial.state for trial in store.history.trials] == ["complete", "complete"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 8}, r"was made with seed 7, and now seed is 8\. Resume with the same settings, or start in a new"),
        (
            {"objectives": GOALS[:1]},
            "objectives maximize accuracy, minimize params, and now objectives is maximize acc",
        ),
        ({"space": "other"}, "space 'toy', and now space is 'other'"),
        ({"strategy": "tpe"}, "strategy 'random', and now strategy is 'tpe'"),
        ({"scheduler": "asha"}, "scheduler 'full', and now scheduler is 'asha'"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path: Path, changed: dict, message: str) -> None:
    filled(tmp_path / "study.journal", count=2)
    with pytest.raises(RunError, match=message):
        JournalStore(tmp_path / "study.journal", replace(IDENTITY, **changed), SPACE)
    JournalStore(tmp_path / "study.journal", IDENTITY, SPACE).close()


def test_a_changed_space_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "study.journal", count=2)
    other = Space((choice(1, 2, 3), *SPACE.tree[1:], "more"), name="toy")  # type: ignore[index]
    with pytest.raises(RunError, match=r"Trial 0 was architecture .* the space 'toy' has changed since"):
        JournalStore(tmp_path / "study.journal", IDENTITY, other)


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    with JournalStore(path, IDENTITY, SPACE), pytest.raises(RunError, match="Another process is running the study in"):
        JournalStore(path, IDENTITY, SPACE)
    JournalStore(path, IDENTITY, SPACE).close()


def test_what_is_no_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no study at"):
        read_identity(tmp_path / "none")
    (tmp_path / "text").write_text("hello\nworld\n")
    with pytest.raises(RunError, match="is not a readable study journal"):
        read_identity(tmp_path / "text")
    with pytest.raises(RunError, match="is not a readable study journal"):
        JournalStore(tmp_path / "text", IDENTITY, SPACE)
    (tmp_path / "empty").write_text("")
    with pytest.raises(RunError, match="holds no nasturtium study"):
        read_identity(tmp_path / "empty")
    with pytest.raises(RunError, match=r"cannot be written: No such file or directory\."):
        JournalStore(tmp_path / "no" / "folder", IDENTITY, SPACE)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "study.journal", count=2)
    content = (tmp_path / "study.journal").read_text()
    assert content.count('"schema":1') == 1
    (tmp_path / "study.journal").write_text(content.replace('"schema":1', '"schema":2'))
    with pytest.raises(RunError, match=r"has schema 2 and this version of nasturtium reads schema 1\."):
        read_identity(tmp_path / "study.journal")
