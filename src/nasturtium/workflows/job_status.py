"""What a search in the background is asked (`spec.json`), and how far it is (`status.json`)."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nasturtium.errors import RunError

State = Literal["starting", "running", "finished", "failed", "stopped"]
OnDisconnect = Literal["continue", "stop"]
ALIVE: tuple[State, ...] = ("starting", "running")


class JobSpec(BaseModel):
    """options: of a new search, the fields of `SearchOptions` as JSON; or resume: a run directory to go on with.
    command: what one would have typed for it, for the manifest.

    clocked: has the run a budget of time?
    ceiling_s: after so many seconds a search without a clock is ended as by Ctrl-C; after half as many more and two
    minutes, whatever still runs is killed (it can be resumed).
    """

    options: dict[str, Any] | None = None
    command: list[str] = Field(default_factory=list)
    resume: str | None = None
    ceiling_s: float
    clocked: bool = True
    on_disconnect: OnDisconnect = "continue"


class TrialBrief(BaseModel):
    """The best trial so far: its score on the validation rows of the search, which flatters."""

    model_config = ConfigDict(frozen=True)

    trial: int = Field(description="Number of the trial.")
    metric: str = Field(description="Name of the metric.")
    score: float = Field(description="Validation score.")
    params: int | None = Field(default=None, description="Parameters.")
    macs: int | None = Field(default=None, description="Multiply-accumulates of one row.")


class JobStatus(BaseModel):
    """How far a search in the background is."""

    model_config = ConfigDict(frozen=True)

    job: str = Field(description="Name of the job.")
    state: State = Field(description="starting, running; finished, failed or stopped.")
    run: str = Field(description="The run directory.")
    phase: str = Field(default="", description="Data, Baselines, Search, Finalists, Final training, Export, Test.")
    detail: str = Field(default="", description="What is going on in the phase.")
    done: int | None = Field(
        default=None, description="Trainings of this phase that have ended; null where not counted."
    )
    total: int | None = Field(default=None, description="Trainings of this phase.")
    trials: int = Field(default=0, description="Trials of the search that have ended.")
    trials_asked: int | None = Field(default=None, description="The budget in trials; null where time alone bounds it.")
    best: TrialBrief | None = Field(default=None, description="The best trial so far.")
    started: float = Field(description="When it began, in seconds since 1970.")
    seconds: float = Field(default=0.0, description="Time since it began, until now or its end.")
    budget_s: float | None = Field(
        default=None, description="The budget of time in seconds; null where trials bound it."
    )
    on_disconnect: OnDisconnect = Field(default="continue", description="What it does if the server ends.")
    resumable: bool = Field(default=False, description="Can it be resumed? Of stopped and failed jobs.")
    notes: list[str] = Field(default_factory=list, description="Remarks and warnings of the run.")
    sentence: str | None = Field(default=None, description="The verdict, once it has finished.")
    error: str | None = Field(default=None, description="Why it failed or stopped.")
    log: str = Field(default="", description="File with everything that the process printed.")


def write_status(path: Path, status: JobStatus) -> None:
    """Whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(status.model_dump_json(indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def read_status(path: Path) -> JobStatus:
    """Raises `RunError` for a file that is missing or damaged."""
    try:
        return JobStatus.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise RunError(f"The state of the job {path.parent.name!r} cannot be read: {error}.") from error
