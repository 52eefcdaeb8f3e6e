"""Jobs in persistent processes of this machine, each with the evaluator open once."""

import contextlib
import os
import pickle
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import TracebackType

from nasturtium.errors import RunError
from nasturtium.roles import Evaluator, Job, Outcome, Report
from nasturtium.study.executors._process import WORKER_FLAG, Process, main_module
from nasturtium.study.executors._worker import Answer, Main, Setup, Work

POLL_S = 0.5


@dataclass
class _Task:
    serial: int
    job: Job
    payload: bytes
    stop: Report | None
    main: Main | None


class LocalExecutor:
    """A pool of worker processes that may crash or hang.

    evaluator: frozen and picklable; opened once in each worker. workers: how many jobs run at once.
    grace_s: how long after a job's `deadline_s` its worker is killed. timeout_s: the same for jobs without a deadline,
        counted from their start; None waits for ever. open_timeout_s: for imports and `open`.
    initializer: picklable, called in each worker before `open` (to set a library's threads, say).
    threads: of each worker's numerical libraries, set in its environment.

    Workers start when a job needs them. A job whose worker died or was killed ends as a failed outcome, and another
    worker takes its place. `wait` raises what `open` raised: then no job can ever succeed. Workers ignore Ctrl-C and
    end within a second of this process.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        workers: int = 1,
        *,
        grace_s: float = 30.0,
        timeout_s: float | None = None,
        open_timeout_s: float = 300.0,
        initializer: Callable[[], None] | None = None,
        threads: int = 1,
    ) -> None:
        if workers < 1:
            raise RunError(f"--workers is {workers}: at least 1 worker is needed.")
        if WORKER_FLAG in os.environ:
            raise RunError(
                "A worker process ran this script again, because the evaluator uses names defined in it. Put the call "
                'that starts the search under `if __name__ == "__main__":`, or those names in a module of their own.'
            )
        self.workers = workers
        self._grace_s, self._timeout_s, self._open_timeout_s = grace_s, timeout_s, open_timeout_s
        self._threads = threads
        payload = pickle.dumps((initializer, evaluator))
        self._setup = Setup(list(sys.path), main_module() if b"__main__" in payload else None, payload)
        self._queue: deque[_Task] = deque()
        self._running: dict[Process, tuple[_Task, float]] = {}
        self._processes: list[Process] = []
        self._serial = 0

    def submit(self, job: Job, stop: Report | None = None) -> None:
        self._serial += 1
        payload = pickle.dumps(job)
        main = main_module() if b"__main__" in payload else None
        self._queue.append(_Task(self._serial, job, payload, stop, main))
        self._dispatch()

    def wait(self, timeout_s: float) -> list[tuple[Job, Outcome]]:
        until = time.monotonic() + timeout_s
        ended: list[tuple[Job, Outcome]] = []
        while not ended and (self._queue or self._running):
            self._dispatch()
            next_limit = min([until, *(self._limit(process) for process in self._processes)])
            pause = min(max(0.0, next_limit - time.monotonic()), POLL_S)
            heard = set(wait([process.connection for process in self._processes], pause))
            for process in list(self._processes):
                if process.connection in heard:
                    ended += self._receive(process)
                elif process.silent:
                    ended += self._died(process)
            ended += self._kill_late()
            if time.monotonic() >= until:
                break
        self._dispatch()
        return ended

    def cancel(self) -> list[Job]:
        cancelled = [task.job for task, _ in self._running.values()] + [task.job for task in self._queue]
        self._queue.clear()
        for process in list(self._running):
            self._drop(process)
        return cancelled

    def close(self) -> None:
        self._queue.clear()
        for process in list(self._processes):
            process.connection.close() if process not in self._running else process.kill()
        for process in list(self._processes):
            process.end()
        self._processes.clear()
        self._running.clear()

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _dispatch(self) -> None:
        """Give queued jobs to idle workers, and start workers for the rest."""
        for process in self._processes:
            if self._queue and process.ready and process not in self._running:
                self._start(process, self._queue.popleft())
        opening = sum(not process.ready for process in self._processes)
        for _ in range(min(len(self._queue) - opening, self.workers - len(self._processes))):
            self._processes.append(Process(self._setup, self._threads))

    def _start(self, process: Process, task: _Task) -> None:
        self._running[process] = (task, time.monotonic())
        with contextlib.suppress(
            OSError
        ):  # It died while idle: its closed pipe says so to `wait`, which fails the job.
            process.connection.send(Work(task.serial, task.payload, task.stop is not None, task.main))

    def _limit(self, process: Process) -> float:
        """When, on the monotonic clock, this worker has waited or worked for too long."""
        if not process.ready:
            return process.born + self._open_timeout_s
        if process not in self._running:
            return float("inf")
        task, started = self._running[process]
        if task.job.deadline_s is not None:
            return started + task.job.deadline_s + self._grace_s
        return started + self._timeout_s if self._timeout_s is not None else float("inf")

    def _receive(self, process: Process) -> list[tuple[Job, Outcome]]:
        """Handle one message, or the end, of a worker."""
        try:
            kind, first, second = process.connection.recv()
        except (EOFError, OSError):
            return self._died(process)
        if kind == "ready":
            process.ready = True
        elif kind == "unopened":
            self.close()
            raise RunError(str(second))
        elif process in self._running and self._running[process][0].serial == first:
            task, _ = self._running[process]
            if kind == "outcome":
                del self._running[process]
                return [(task.job, second)]
            self._answer(process, task, second)
        return []

    def _answer(self, process: Process, task: _Task, curve: tuple[float, ...]) -> None:
        stop = task.stop(curve) if task.stop is not None else False
        with contextlib.suppress(OSError):
            process.connection.send(Answer(task.serial, stop))

    def _died(self, process: Process) -> list[tuple[Job, Outcome]]:
        running = self._running.pop(process, None)
        self._processes.remove(process)
        process.end()
        if running is None:
            if not process.ready:
                self.close()
                raise RunError(f"A worker ended before its evaluator was open: {process.obituary()}.")
            return []
        task, started = running
        return [(task.job, Outcome(failure=process.obituary(), seconds=time.monotonic() - started))]

    def _kill_late(self) -> list[tuple[Job, Outcome]]:
        now = time.monotonic()
        failed = []
        for process in [process for process in self._processes if self._limit(process) <= now]:
            running = self._running.get(process)
            self._drop(process)
            if running is None:
                self.close()
                raise RunError(f"The evaluator was not open after {self._open_timeout_s:g} s.")
            task, started = running
            limit = task.job.deadline_s if task.job.deadline_s is not None else self._timeout_s
            failed.append((task.job, Outcome(failure=f"hung: killed after its {limit:.4g} s", seconds=now - started)))
        return failed

    def _drop(self, process: Process) -> None:
        self._running.pop(process, None)
        self._processes.remove(process)
        process.kill()
        process.end()
