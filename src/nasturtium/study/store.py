"""The record of a study on disk: an Optuna journal, one Optuna trial for each of ours.

Parameters are the live decisions by path, so that Optuna's dashboard and importances work on it; the whole trial is a
JSON record in the user attribute `trial`. A trial costs three appends: creation, record, state. The record decides: if
the process dies between the last two, opening the journal writes the missing state.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nasturtium.errors import RunError
from nasturtium.space import Choice, Integer, Real, Space
from nasturtium.study.records import Identity, trial_from_json, trial_to_json
from nasturtium.trial import History, Objective, Trial

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import JournalStorage

STUDY_NAME = "nasturtium"
IDENTITY, RECORD = "nasturtium", "trial"


class Store(Protocol):
    """Where a study keeps its trials. `start` and `finish` return the history that includes the trial."""

    @property
    def history(self) -> History: ...

    def start(self, trial: Trial) -> History:
        """Record a running trial, whose number is the count of trials so far."""
        ...

    def finish(self, trial: Trial) -> History:
        """Record the end of a trial that was started."""
        ...


class MemoryStore:
    """A study that is not kept."""

    def __init__(self, objectives: tuple[Objective, ...], trials: tuple[Trial, ...] = ()) -> None:
        self.history = History(objectives, trials)

    def start(self, trial: Trial) -> History:
        self.history = History(self.history.objectives, (*self.history.trials, trial))
        return self.history

    def finish(self, trial: Trial) -> History:
        trials = list(self.history.trials)
        trials[trial.number] = trial
        self.history = History(self.history.objectives, tuple(trials))
        return self.history


class JournalStore:
    """A study in a journal file, open for writing by one process at a time.

    path: of the journal, made if absent. identity: compared with the stored one. space: rebuilds the architectures.
    Raises `RunError` if another process writes it, if it was made with other settings, or if it cannot be read or
    written. A last line cut short by a kill is removed.
    """

    def __init__(self, path: Path, identity: Identity, space: Space) -> None:
        self._path, self._space = path, space
        with _disk(path, "written"):
            self._lock = _locked(path)
            _mend(path)
        try:
            self._storage = _storage(path)
            self._study = self._adopt(identity)
            self._memory = MemoryStore(identity.objectives, _trials(self._storage, self._study, space))
            self._mend_states()
        except BaseException:
            self.close()
            raise

    @property
    def history(self) -> History:
        return self._memory.history

    def start(self, trial: Trial) -> History:
        with _disk(self._path, "written"):
            self._storage.create_new_trial(self._study, _template(trial, self._space))
        return self._memory.start(trial)

    def finish(self, trial: Trial) -> History:
        # Trial ids and numbers agree, because the journal holds one study and nothing else creates trials in it.
        with _disk(self._path, "written"):
            self._storage.set_trial_user_attr(trial.number, RECORD, trial_to_json(trial))
            self._write_state(trial)
        return self._memory.finish(trial)

    def close(self) -> None:
        """Let another process write. The trials stay readable."""
        os.close(self._lock)

    def __enter__(self) -> "JournalStore":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _adopt(self, identity: Identity) -> int:
        from optuna.study import StudyDirection

        studies = {study.study_name: study for study in self._storage.get_all_studies()}
        if STUDY_NAME not in studies:
            directions = [StudyDirection[goal.direction.upper()] for goal in identity.objectives]
            with _disk(self._path, "written"), _quiet():
                number = self._storage.create_new_study(directions, STUDY_NAME)
        else:
            number = studies[STUDY_NAME]._study_id
        stored = self._storage.get_study_user_attrs(number).get(IDENTITY)
        if stored is not None:
            identity.check(Identity.from_json(stored), str(self._path))
            return number
        with _disk(self._path, "written"):
            self._storage.set_study_user_attr(number, IDENTITY, identity.to_json())
        return number

    def _write_state(self, trial: Trial) -> None:
        from optuna.trial import TrialState

        objectives = self._memory.history.objectives
        values = [trial.measures[goal.name] for goal in objectives] if trial.scored else None
        self._storage.set_trial_state_values(
            trial.number, TrialState.COMPLETE if trial.scored else TrialState.FAIL, values
        )

    def _mend_states(self) -> None:
        """Write the states that a kill between record and state left unwritten."""
        for trial, stored in zip(self.history.trials, self._storage.get_all_trials(self._study), strict=True):
            if trial.state != "running" and not stored.state.is_finished():
                self._write_state(trial)


def read_study(path: Path, space: Space) -> tuple[Identity, History]:
    """The study in a journal, without locking or changing it; a running study may be read.

    Raises `RunError` if the file is absent or holds no study of ours.
    """
    identity, storage = _open_read_only(path)
    return identity, History(identity.objectives, _trials(storage, 0, space))


def read_identity(path: Path) -> Identity:
    """What a study was made with; needs no space. Raises as `read_study`."""
    return _open_read_only(path)[0]


def read_records(path: Path) -> tuple[Identity, list[dict[str, Any]]]:
    """What a study was made with and its trials as they were written (`trial_to_json`); needs no space."""
    identity, storage = _open_read_only(path)
    return identity, [dict(trial.user_attrs[RECORD]) for trial in storage.get_all_trials(0, deepcopy=False)]


def _open_read_only(path: Path) -> tuple[Identity, "JournalStorage"]:
    if not path.is_file():
        raise RunError(f"There is no study at {path}.")
    with _disk(path, "read"):
        storage = _storage(path)
    studies = [study for study in storage.get_all_studies() if study.study_name == STUDY_NAME]
    if not studies or IDENTITY not in studies[0].user_attrs:
        raise RunError(f"{path} holds no nasturtium study.")
    return Identity.from_json(studies[0].user_attrs[IDENTITY]), storage


def _storage(path: Path) -> "JournalStorage":
    import optuna
    from optuna.storages.journal import JournalFileBackend

    try:
        return optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    except (ValueError, KeyError, AssertionError) as error:
        raise RunError(f"{path} is not a readable study journal ({error}). Restore it from a copy.") from error


def _trials(storage: "JournalStorage", study: int, space: Space) -> tuple[Trial, ...]:
    found = storage.get_all_trials(study, deepcopy=False)
    return tuple(trial_from_json(trial.user_attrs[RECORD], trial.number, space) for trial in found)


def _template(trial: Trial, space: Space) -> Any:
    from optuna.trial import FrozenTrial, TrialState

    distributions = _distributions(space)
    params = dict(trial.architecture.values)
    return FrozenTrial(
        number=trial.number,
        trial_id=trial.number,
        state=TrialState.RUNNING,
        value=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params=params,
        distributions={path: distributions[path] for path in params},
        user_attrs={RECORD: trial_to_json(trial)},
        system_attrs={},
        intermediate_values={},
    )


@lru_cache(maxsize=8)
def _distributions(space: Space) -> dict[str, "BaseDistribution"]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, BaseDistribution] = {}
    for named in space.decisions:
        match named.decision:
            case Choice() as decision:
                made[named.path] = CategoricalDistribution(decision.keys)
            case Integer() as decision:
                made[named.path] = IntDistribution(decision.low, decision.value(decision.size - 1), step=decision.step)
            case Real() as decision:
                made[named.path] = FloatDistribution(decision.low, decision.high, log=decision.log)
    return made


def _locked(path: Path) -> int:
    """A descriptor that holds the kernel's lock on the journal: a killed process cannot leave it behind."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise RunError(f"Another process is running the study in {path}. Wait for it, or stop it first.") from None
    return descriptor


def _mend(path: Path) -> None:
    """Cut a half-written last line, and remove the link by which a killed writer still seems to lock the journal."""
    with path.open("rb+") as file:
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{path}.lock")


@contextlib.contextmanager
def _disk(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be {done}: {error.strerror or error}.") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Optuna announces each new study on standard error; its logger is left as it was found."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
