"""The program of one worker process: `main()`, with the pipe's descriptor and the parent's process id as arguments.

Started as a program of its own and not through `multiprocessing`, for three reasons: the user's unguarded script is not
run again unless the evaluator needs a name from it; the environment (one thread) is set before any library loads;
standard output goes to standard error, so that a chatty evaluator cannot spoil `--json` or an MCP stream.

Messages from the main process: `Setup` once, then `Work` and `Answer`s. Messages to it, all
triples: ("ready", None, None) or ("unopened", None, why) once, then ("report", serial, curve) and
("outcome", serial, outcome).
"""

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from nasturtium.errors import UserError
from nasturtium.roles import OpenEvaluator, Outcome
from nasturtium.study.executors._scoring import describe, score

ORPHAN_POLL_S = 0.5


Main = tuple[str | None, str | None]
"""(module name, file) of the script that is running: one of them is None."""


@dataclass(frozen=True)
class Setup:
    """What a worker needs before it can unpickle the evaluator. main: (module name or None, file or None)."""

    path: list[str]
    main: Main | None
    payload: bytes


@dataclass(frozen=True)
class Work:
    """One pickled job. stoppable: a stop rule listens to its reports. main: as in `Setup`, where the job names it."""

    serial: int
    payload: bytes
    stoppable: bool
    main: Main | None = None


@dataclass(frozen=True)
class Answer:
    """To the latest report of job `serial`."""

    serial: int
    stop: bool


def die_with(parent: int) -> None:
    """End this process soon after its parent is gone, even in the middle of a training.

    By polling: the kernel's death signal is tied to the parent's *thread*, and an inherited pipe may be held open by
    another child of the parent.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_POLL_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def listen(connection: Connection, serial: int) -> Callable[[tuple[float, ...]], bool]:
    """A report that sends the curve and returns the answer to the *previous* one.

    So the main process has a whole epoch to answer and training is not held up; and because the answer is waited for,
    not looked for, the epoch at which a trial stops does not depend on the clock: a replay stops at the same one.
    """
    waiting = False

    def report(curve: tuple[float, ...]) -> bool:
        nonlocal waiting
        stop = False
        while waiting:
            message = connection.recv()
            if isinstance(message, Answer) and message.serial == serial:
                stop, waiting = message.stop, False
        connection.send(("report", serial, tuple(float(value) for value in curve)))
        waiting = True
        return stop

    return report


def run_one(connection: Connection, evaluate: OpenEvaluator, work: Work) -> Outcome:
    try:
        adopt_main(work.main)
        job = pickle.loads(work.payload)
    except Exception as error:
        return Outcome(failure=f"the worker could not read the job: {describe(error)}")
    report = listen(connection, work.serial) if work.stoppable else lambda curve: False
    return score(evaluate, job, report)


def adopt_main(main: Main | None) -> None:
    """Import what the running script defines, once, as `multiprocessing` does for every child; here only if named."""
    if main is None:
        return
    from multiprocessing import spawn

    name, file = main
    spawn.prepare({"init_main_from_name": name} if name else {"init_main_from_path": file})


def open_evaluator(setup: Setup) -> OpenEvaluator:
    sys.path[:] = setup.path
    adopt_main(setup.main)
    initializer, evaluator = pickle.loads(setup.payload)
    if initializer is not None:
        initializer()
    opened: OpenEvaluator = evaluator.open()
    return opened


def serve(connection: Connection) -> None:
    try:
        evaluate = open_evaluator(connection.recv())
    except UserError as error:
        connection.send(("unopened", None, str(error)))
        return
    except Exception as error:
        connection.send(("unopened", None, f"The evaluator could not be opened: {describe(error)}"))
        return
    connection.send(("ready", None, None))
    while True:
        message = connection.recv()
        if isinstance(message, Work):
            connection.send(("outcome", message.serial, run_one(connection, evaluate, message)))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    try:
        serve(Connection(descriptor))
    except (EOFError, ConnectionError, KeyboardInterrupt):
        return
