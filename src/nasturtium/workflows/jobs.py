"""Searches in the background: each in a process of its own, which outlives whoever started it, or not, as they asked.

A job is a folder with `spec.json`, `status.json`, `log.txt` and `lock`. The process of a job holds the lock as long as
it lives, so that a state that was left by a killed one is recognised, whoever asks.
"""

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from nasturtium.errors import RunError, hint
from nasturtium.workflows.command import search_command
from nasturtium.workflows.folder import open_folder
from nasturtium.workflows.job_status import ALIVE, JobSpec, JobStatus, OnDisconnect, read_status, write_status
from nasturtium.workflows.options import SearchOptions

PROGRAM = ("-m", "nasturtium.workflows.job")
KILLED = "The process ended without a result."
STOP_S = 10.0


@dataclass(eq=False)
class Jobs:
    """The jobs of one place.

    place: the working directory of jobs; `runs/` and `.nasturtium/jobs/` are made in it. most: that may run at once,
    whoever started them. ceiling_s: seconds that a job may take.
    """

    place: Path
    most: int
    ceiling_s: float
    _children: dict[str, int] = field(default_factory=dict)
    _lifelines: dict[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.place / ".nasturtium" / "jobs"

    def start(
        self, options: SearchOptions, on_disconnect: OnDisconnect = "continue", command: Sequence[str] | None = None
    ) -> JobStatus:
        """A new search. Its run directory is `options.output`, or one of its own under `runs/`.

        command: what one would have typed for it, for the manifest; by default, made of the options.

        The options should have been checked. Raises `RunError` where too many jobs run, or nothing can be written.
        """
        with self._registry():
            name, run = self._place_for(options)
            given = {one.name: getattr(options, one.name) for one in fields(options)} | {"output": run}
            words = list(command or search_command(options))
            spec = JobSpec(
                options=given,
                command=words,
                clocked=options.clock_s is not None,
                ceiling_s=self.ceiling_s,
                on_disconnect=on_disconnect,
            )
            status = JobStatus(
                job=name,
                state="starting",
                run=run,
                started=time.time(),
                budget_s=options.clock_s,
                trials_asked=options.trials,
                on_disconnect=on_disconnect,
            )
            return self._launch(spec, status)

    def resume(self, run: str, on_disconnect: OnDisconnect = "continue") -> JobStatus:
        """Go on with a run that was stopped or killed."""
        folder, manifest = open_folder(run)
        if folder.result.exists():
            raise RunError(f"The run in {run!r} has ended, so there is nothing to resume; see its result.")
        options = manifest.get("options", {})
        with self._registry():
            busy = [one.job for one in self.listed() if one.state in ALIVE and Path(one.run) == Path(run)]
            if busy:
                raise RunError(f"The run in {run!r} is going on, as the job {busy[0]!r}.")
            status = JobStatus(
                job=self._unused(Path(run).name),
                state="starting",
                run=run,
                started=time.time(),
                budget_s=options.get("budget_s"),
                trials_asked=options.get("trials"),
                on_disconnect=on_disconnect,
            )
            timed = status.budget_s is not None or status.trials_asked is None  # neither: ten minutes
            spec = JobSpec(resume=run, clocked=timed, ceiling_s=self.ceiling_s, on_disconnect=on_disconnect)
            return self._launch(spec, status)

    def status(self, job: str) -> JobStatus:
        """How far a job is. Raises `RunError` for an unknown one, with the nearest names."""
        folder = self._known(job)
        self._reap(job)
        alive = _alive(folder)  # before the status is read: what ends in between has told its end
        status = read_status(folder / "status.json")
        if status.state not in ALIVE:
            return self._completed(status)
        if alive:
            return status.model_copy(update={"seconds": round(time.time() - status.started, 2)})
        ended = status.model_copy(update={"state": "stopped", "error": status.error or KILLED})
        write_status(folder / "status.json", ended)
        return self._completed(ended)

    def listed(self) -> list[JobStatus]:
        """Every job, the newest first."""
        if not self.folder.is_dir():
            return []
        known = [place for place in self.folder.iterdir() if (place / "status.json").is_file()]
        return sorted((self.status(place.name) for place in known), key=lambda one: -one.started)

    def stop(self, job: str, how: Literal["finish", "now"] = "finish") -> JobStatus:
        """finish: end the search and validate what it has found, as Ctrl-C does. now: kill it; it can be resumed."""
        with self._registry():
            status = self.status(job)
            if status.state not in ALIVE:
                raise RunError(f"The job {job!r} is not running: it is {status.state}.")
            process = int((self.folder / job / "pid").read_text())
            os.kill(process, signal.SIGINT if how == "finish" else signal.SIGKILL)
        if how == "finish":
            return self.status(job)
        until = time.monotonic() + STOP_S
        while _alive(self.folder / job) and time.monotonic() < until:
            time.sleep(0.02)
        self._reap(job)
        update = {"state": "stopped", "error": "It was stopped, as asked."}
        stopped = read_status(self.folder / job / "status.json").model_copy(update=update)
        write_status(self.folder / job / "status.json", stopped)
        return self._completed(stopped)

    def close(self) -> None:
        """The server ends: jobs that asked for it are stopped."""
        for lifeline in self._lifelines.values():
            os.close(lifeline)
        self._lifelines.clear()

    def _launch(self, spec: JobSpec, status: JobStatus) -> JobStatus:
        running = [one.job for one in self.listed() if one.state in ALIVE]
        if len(running) >= self.most:
            raise RunError(
                f"{len(running)} search{'es' * (len(running) > 1)} run already ({', '.join(running)}) and the server "
                f"allows {self.most} at once. Wait for one, or stop one."
            )
        folder = self.folder / status.job
        folder.mkdir()
        status = status.model_copy(update={"log": str(folder / "log.txt")})
        (folder / "spec.json").write_text(spec.model_dump_json(indent=1), encoding="utf-8")
        write_status(folder / "status.json", status)
        theirs, ours = os.pipe() if spec.on_disconnect == "stop" else (-1, -1)
        try:
            child = self._spawn(folder, theirs)
        finally:
            if theirs >= 0:
                os.close(theirs)
        (folder / "pid").write_text(str(child))
        self._children[status.job] = child
        if ours >= 0:
            self._lifelines[status.job] = ours
        return status

    def _spawn(self, folder: Path, lifeline: int) -> int:
        """The process's id. It is born with the lock, so that there is no moment in which it seems dead."""
        with open(folder / "lock", "wb") as lock, open(folder / "log.txt", "wb") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)
            child = subprocess.Popen(
                [sys.executable, "-P", *PROGRAM, str(folder), str(lifeline)],
                cwd=self.place,
                env={**os.environ, "PYTHONSAFEPATH": "1"},  # nothing in the user's folders passes for a library
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock.fileno(), *([lifeline] if lifeline >= 0 else [])],
                start_new_session=True,
            )
        child.returncode = 0  # it may outlive us: `_reap` waits for it, and Popen is not to warn that nobody did
        return child.pid

    @contextlib.contextmanager
    def _registry(self) -> Iterator[None]:
        """One start at a time, of whatever server works here, so that the ceiling on jobs holds."""
        with contextlib.ExitStack() as opened:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = opened.enter_context(open(self.folder / ".lock", "wb"))
            except OSError as error:
                why = error.strerror or error
                raise RunError(f"Jobs need the folder {str(self.folder)!r}, which cannot be written: {why}.") from error
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _place_for(self, options: SearchOptions) -> tuple[str, str]:
        """A name that no job has, and the run directory."""
        if options.output is not None:
            return self._unused(Path(options.output).name), str(options.output)
        stem = Path(str(options.source)).stem
        name = self._unused(stem, lambda name: (self.place / "runs" / name).exists())
        return name, str(self.place / "runs" / name)

    def _unused(self, stem: str, taken: Any = lambda name: False) -> str:
        plain = re.sub(r"[^\w-]+", "-", stem).strip("-") or "run"
        names = (plain if k == 1 else f"{plain}-{k}" for k in range(1, 100_000))
        return next(name for name in names if not (self.folder / name).exists() and not taken(name))

    def _known(self, job: str) -> Path:
        names = [place.name for place in self.folder.iterdir() if place.is_dir()] if self.folder.is_dir() else []
        if job not in names:
            raise RunError(f"There is no job {job!r}. {hint(job, names) or 'None was started here.'}")
        return self.folder / job

    def _reap(self, job: str) -> None:
        """A child that ended is no zombie; its lifeline is of no more use."""
        child = self._children.get(job)
        if child is None:
            return
        with contextlib.suppress(ChildProcessError):  # another thread has waited for it
            if os.waitpid(child, os.WNOHANG) == (0, 0):
                return
        self._children.pop(job, None)
        lifeline = self._lifelines.pop(job, None)
        if lifeline is not None:
            os.close(lifeline)

    def _completed(self, status: JobStatus) -> JobStatus:
        resumable = status.state != "finished" and _resumable(status.run)
        return status.model_copy(update={"resumable": resumable})


def _alive(folder: Path) -> bool:
    """Does a process hold the job's lock?"""
    try:
        with open(folder / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def _resumable(run: str) -> bool:
    try:
        folder, manifest = open_folder(run)
    except RunError:
        return False
    return bool(manifest.get("resumable")) and not folder.result.exists()


def run_options(run: str) -> dict[str, Any]:
    """The options with which a run was started, as JSON."""
    options = open_folder(run)[1].get("options")
    return json.loads(json.dumps(options)) if isinstance(options, dict) else {}
