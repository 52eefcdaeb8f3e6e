"""A worker process as the main process sees it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import nasturtium
from nasturtium.errors import RunError
from nasturtium.study.executors._worker import Main, Setup

WORKER_FLAG = "NASTURTIUM_WORKER"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
PROGRAM = "from nasturtium.study.executors._worker import main; main()"
PACKAGE_PARENT = str(Path(nasturtium.__file__).parents[1])
PARTING_S = 2.0


def main_module() -> Main:
    """(name, file) by which a worker can import what the running script defines: one of them is None."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return spec.name, None
    file = getattr(main, "__file__", None)
    if file is None:
        raise RunError(
            "The space or the evaluator uses classes or functions defined in a notebook or prompt, which worker "
            "processes cannot import. Put them in a module file and import them from it."
        )
    return None, os.path.abspath(file)


class Process:
    """One worker: its pipe, and whether its evaluator is open.

    The pipe's buffer holds the set-up message (a pickled spec, small), so starting never waits for the child.
    """

    def __init__(self, setup: Setup, threads: int) -> None:
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(filter(None, [PACKAGE_PARENT, os.environ.get("PYTHONPATH")]))
        environment = (
            os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {WORKER_FLAG: "1", "PYTHONPATH": path}
        )
        with theirs:
            command = [sys.executable, "-c", PROGRAM, str(theirs.fileno()), str(os.getpid())]
            # A process group of its own: the terminal's Ctrl-C goes to the main process alone, which then decides.
            self._child = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=2,
                process_group=0,
            )
        self.connection = Connection(ours.detach())
        self.ready = False
        self.born = time.monotonic()
        with contextlib.suppress(OSError):  # It died at once: its closed pipe says so to whoever listens.
            self.connection.send(setup)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def silent(self) -> bool:
        """Ended, and nothing left to read (a child of the worker may keep the pipe open, so its end may not show)."""
        return self._child.poll() is not None and not self.connection.poll()

    def kill(self) -> None:
        """Kill the worker and the processes it started (they share its group)."""
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def end(self) -> None:
        """Close the pipe, which ends an idle worker, and reap the process; kill it if it does not end by itself."""
        self.connection.close()
        try:
            self._child.wait(PARTING_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def obituary(self) -> str:
        """Why an ended process ended, in a few words."""
        code = self._child.returncode
        if code is None or code >= 0:
            return f"the worker exited with code {code}"
        name = signal.Signals(-code).name
        return f"the worker was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
