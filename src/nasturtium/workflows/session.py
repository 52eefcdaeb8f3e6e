"""One run's parts in one place, handed from phase to phase."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from math import isinf

from nasturtium.hardware import Limits
from nasturtium.protocol import JobLog, Plan, run_jobs
from nasturtium.roles import Executor, Job, Outcome
from nasturtium.study import Event, Finished
from nasturtium.task import Task
from nasturtium.training import Recipe
from nasturtium.workflows.clock import Clock
from nasturtium.workflows.folder import RunFolder, write_json
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.preparation import Prepared
from nasturtium.workflows.progress import Progress

LEAST_S = 0.5
"""A training is never asked to end sooner than this."""


@dataclass(frozen=True, eq=False)
class Session:
    """What every phase of a run needs. notes: sentences for the result: assumptions and warnings, in order."""

    options: SearchOptions
    folder: RunFolder
    data: Prepared
    limits: Limits
    recipe: Recipe
    plan: Plan
    clock: Clock
    executor: Executor
    log: JobLog
    progress: Progress
    notes: list[str] = field(default_factory=list)

    @property
    def task(self) -> Task:
        return self.data.task

    def seed(self, purpose: str, number: int = 0) -> int:
        """A seed of its own for each purpose, derived from the run's."""
        return seed_for(self.options.seed, purpose, number)

    def deadline(self, seconds: float) -> float | None:
        """Deadline of a job that may take so long; None where the run has no clock, so that it replays exactly."""
        return None if isinf(seconds) else max(LEAST_S, seconds)

    def run(self, jobs: Iterable[Job]) -> Mapping[str, Outcome]:
        """Run jobs with progress; what an earlier part of a resumed run did is not done again."""
        listed = list(jobs)
        done = [0]

        def on_done(job: Job, outcome: Outcome) -> None:
            done[0] += 1
            self.tick()
            self.progress.jobs(done[0], len(listed), job.key)

        self.progress.jobs(0, len(listed))
        return run_jobs(self.executor, listed, self.log, on_done)

    def tick(self) -> None:
        """Write the clock down, so that a resumed run does not get its budget twice."""
        write_json(self.folder.clock, {"seconds": round(self.clock.seconds, 3)})

    def listen(self, event: Event) -> None:
        """Listener of the study."""
        if isinstance(event, Finished):
            self.tick()
        self.progress.event(event)

    def remark(self, sentence: str) -> None:
        """Tell now, and keep for the result."""
        self.notes.append(sentence)
        self.progress.note(sentence)


def seed_for(seed: int, purpose: str, number: int = 0) -> int:
    """What `Session.seed` gives in a run of this seed."""
    return int.from_bytes(sha256(f"{seed}/{purpose}/{number}".encode()).digest()[:4], "big")
