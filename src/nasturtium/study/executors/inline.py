"""Jobs in this process, one after the other: for own `evaluate=` functions, and for tests."""

from collections import deque

from nasturtium.roles import Evaluator, Job, OpenEvaluator, Outcome, Report
from nasturtium.study.executors._scoring import score


class InlineExecutor:
    """Runs a queued job inside `wait`. It cannot survive a crash or a hang; `deadline_s` is the evaluator's to keep.

    The evaluator is opened at the first job, and what `open` raises escapes from `wait`.
    """

    workers = 1

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._open: OpenEvaluator | None = None
        self._queue: deque[tuple[Job, Report | None]] = deque()

    def submit(self, job: Job, stop: Report | None = None) -> None:
        self._queue.append((job, stop))

    def wait(self, timeout_s: float) -> list[tuple[Job, Outcome]]:
        """Runs the oldest job to its end, whatever `timeout_s` is."""
        if not self._queue:
            return []
        if self._open is None:
            self._open = self._evaluator.open()
        job, stop = self._queue[0]
        # The job leaves the queue only when it has ended, so that `cancel` after a KeyboardInterrupt returns it.
        outcome = score(self._open, job, stop if stop is not None else _never)
        self._queue.popleft()
        return [(job, outcome)]

    def cancel(self) -> list[Job]:
        cancelled = [job for job, _ in self._queue]
        self._queue.clear()
        return cancelled

    def close(self) -> None:
        self._queue.clear()
        self._open = None


def _never(curve: tuple[float, ...]) -> bool:
    return False
