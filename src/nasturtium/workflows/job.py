"""The program of one search in the background: `python -m nasturtium.workflows.job FOLDER LIFELINE`.

FOLDER holds `spec.json` (what to do), and gets `status.json`. LIFELINE: a descriptor whose other end the server holds;
when that is closed, the search stops. -1: the search goes on without the server.
"""

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from nasturtium.errors import UserError
from nasturtium.study import Event, Finished, Plateau
from nasturtium.workflows.job_status import JobSpec, State, TrialBrief, read_status, write_status
from nasturtium.workflows.options import SearchOptions

QUIET_S = 0.2
"""What happens sooner than this after the last thing written is told with the next."""
SEARCHING = ("", "Data", "Baselines", "Search", "Random control")
"""Phases in which Ctrl-C still leads to a validated result, or loses little."""
OVERTIME = 1.5
GRACE_S = 120.0


class Teller:
    """Listener of a workflow that keeps `status.json` up to date."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.status = read_status(path)
        self._lock = threading.RLock()
        self._written = 0.0
        self._ended = False

    def phase(self, name: str, detail: str = "") -> None:
        self._tell(True, state="running", phase=name, detail=detail, done=None, total=None)

    def lines(self, lines: list[str]) -> None:
        pass

    def jobs(self, done: int, total: int, detail: str = "") -> None:
        self._tell(done == total, done=done, total=total, detail=detail)

    def event(self, event: Event) -> None:
        if isinstance(event, Plateau):
            self.note(event.sentence)
        if isinstance(event, Finished):
            ended = sum(trial.state != "running" for trial in event.history.trials)
            self._tell(False, trials=ended, best=best_trial(event))

    def note(self, sentence: str) -> None:
        self._tell(True, notes=[*self.status.notes, sentence])

    def end(self, state: State, **more: Any) -> None:
        """The last word: nothing that is told later is written."""
        with self._lock:
            self._tell(True, state=state, **more)
            self._ended = True

    def _tell(self, at_once: bool, **changes: Any) -> None:
        with self._lock:
            if self._ended:
                return
            spent = time.time() - self.status.started
            self.status = self.status.model_copy(update={**changes, "seconds": round(spent, 2)})
            if at_once or time.monotonic() - self._written >= QUIET_S:
                write_status(self.path, self.status)
                self._written = time.monotonic()


def best_trial(event: Finished) -> TrialBrief | None:
    """The best by the metric at the highest fidelity."""
    from nasturtium.protocol import ranked

    metric = event.history.objectives[0].name
    best = next(iter(ranked(event.history.trials, metric)), None)
    if best is None:
        return None
    costs = {name: int(best.measures[name]) for name in ("params", "macs") if name in best.measures}
    return TrialBrief(trial=best.number, metric=metric, score=best.measures[metric], **costs)


def restored(options: dict[str, Any]) -> SearchOptions:
    """Options that have been JSON."""
    return SearchOptions(**options)


def work(spec: JobSpec, teller: Teller, began: float) -> None:
    """Search or resume, and tell how it ended."""
    try:
        if spec.options is not None:
            options = restored(spec.options)
            sys.argv = spec.command  # what the manifest says that was typed
            from nasturtium.workflows.search import run_search_workflow

            result = run_search_workflow(options, teller, began)
        else:
            assert spec.resume is not None
            from nasturtium.workflows.resume import resume_run

            result = resume_run(spec.resume, teller)
    except UserError as error:
        teller.end("failed", error=str(error))
    except KeyboardInterrupt:
        teller.end("stopped", error="It was stopped before its result.")
    except Exception as error:
        traceback.print_exc()
        teller.end("failed", error=f"Something unforeseen went wrong ({type(error).__name__}); the log says more.")
    else:
        teller.end("finished", sentence=result.record["sentence"], phase="", detail="")


def watch_line(lifeline: int, teller: Teller) -> None:
    """Stop at once when the server is gone. A run that is killed can be resumed."""
    while os.read(lifeline, 1):
        pass
    teller.end("stopped", error="The server ended, and the search was to stop then.")
    os.kill(os.getpid(), signal.SIGKILL)


def watch_clock(ceiling_s: float, clocked: bool, teller: Teller) -> None:
    """The ceiling of a job, whatever its own clock says. clocked: has it one?"""
    time.sleep(ceiling_s)
    if not clocked and teller.status.phase in SEARCHING:
        teller.note(f"The search reached the server's ceiling of {ceiling_s:g} s and was ended there.")
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep((OVERTIME - 1) * ceiling_s + GRACE_S)
    teller.end("stopped", error=f"It ran far beyond the server's ceiling of {ceiling_s:g} s. It can be resumed.")
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    began = time.monotonic()
    folder, lifeline = Path(sys.argv[1]), int(sys.argv[2])
    # A server that was started in the background hands down an ignored Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    spec = JobSpec.model_validate_json((folder / "spec.json").read_text(encoding="utf-8"))
    teller = Teller(folder / "status.json")
    threading.Thread(target=watch_clock, args=(spec.ceiling_s, spec.clocked, teller), daemon=True).start()
    if lifeline >= 0:
        threading.Thread(target=watch_line, args=(lifeline, teller), daemon=True).start()
    work(spec, teller, began)


if __name__ == "__main__":
    main()
