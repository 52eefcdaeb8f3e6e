"""Jobs of the protocol: run them on the executor, and remember what came of them, so that a killed run can go on."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from nasturtium.roles import Executor, Job, Outcome
from nasturtium.space import Architecture

OnDone = Callable[[Job, Outcome], None]

WAIT_S = 1.0


class JobLog:
    """Outcomes by job, appended to a file of JSON lines. A last line cut short by a kill is ignored.

    A key alone would not do: after an interrupted search "found" may be another network when the run is resumed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = dict(_read(path))

    def get(self, job: Job) -> Outcome | None:
        """What came of the job earlier, if that is known and its checkpoint is still there."""
        outcome = self._known.get((job.key, _subject(job)))
        if outcome is not None and outcome.checkpoint is not None and not Path(outcome.checkpoint).exists():
            return None
        return outcome

    def put(self, job: Job, outcome: Outcome) -> None:
        self._known[job.key, _subject(job)] = outcome
        with self._path.open("a") as file:
            file.write(json.dumps({"key": job.key, "subject": _subject(job), **asdict(outcome)}) + "\n")


def _subject(job: Job) -> str:
    """What is trained and for how long, in a few letters."""
    name = job.subject.arch_id if isinstance(job.subject, Architecture) else repr(job.subject)
    return sha256(f"{name}/{job.fidelity}/{job.seed}".encode()).hexdigest()[:16]


def _read(path: Path) -> Iterable[tuple[tuple[str, str], Outcome]]:
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        key = (record.pop("key"), record.pop("subject"))
        yield key, Outcome(**{**record, "curve": tuple(record["curve"])})


def run_jobs(executor: Executor, jobs: Iterable[Job], log: JobLog, on_done: OnDone) -> Mapping[str, Outcome]:
    """Outcome of every job, by key. Known ones are not run again. Ctrl-C cancels what is running and is passed on."""
    outcomes: dict[str, Outcome] = {}
    waiting = 0
    for job in jobs:
        known = log.get(job)
        if known is None:
            executor.submit(job)
            waiting += 1
        else:
            outcomes[job.key] = known
    try:
        while waiting:
            for job, outcome in executor.wait(WAIT_S):
                log.put(job, outcome)
                outcomes[job.key] = outcome
                waiting -= 1
                on_done(job, outcome)
    except BaseException:
        executor.cancel()
        raise
    return outcomes
