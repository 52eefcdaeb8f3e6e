"""Searches in the background: their lives and deaths."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from nasturtium.errors import RunError
from nasturtium.serving.desk import Desk
from nasturtium.workflows import jobs
from nasturtium.workflows.command import search_command
from nasturtium.workflows.job import restored
from nasturtium.workflows.job_status import JobStatus
from nasturtium.workflows.jobs import Jobs
from nasturtium.workflows.options import SearchOptions

PATIENCE_S = 200
OPTIONS = SearchOptions("digits", budget_s=60.0)


def until(job: JobStatus, held: Jobs, wanted: Callable[[JobStatus], bool]) -> JobStatus:
    """The status as soon as it is as wanted."""
    end = time.monotonic() + PATIENCE_S
    while not wanted(status := held.status(job.job)):
        assert time.monotonic() < end, status
        time.sleep(0.02)
    return status


def searching(status: JobStatus) -> bool:
    return status.phase == "Search" and status.notes == ["Idle."]


def ended(status: JobStatus) -> bool:
    return status.state not in ("starting", "running")


def process(held: Jobs, job: JobStatus) -> int:
    return int((held.folder / job.job / "pid").read_text())


def test_a_job_tells_how_far_it_is_and_stops_at_once(desk: Desk, root: Path) -> None:
    job = desk.jobs.start(OPTIONS)
    assert (job.state, job.run) == ("starting", str(root / "runs" / "digits"))
    assert until(job, desk.jobs, searching).state == "running"
    stopped = desk.jobs.stop(job.job, "now")
    assert (stopped.state, stopped.error) == ("stopped", "It was stopped, as asked.")
    assert desk.jobs.status(job.job) == stopped
    with pytest.raises(RunError, match="The job 'digits' is not running: it is stopped"):
        desk.jobs.stop(job.job)


def test_finish_is_ctrl_c(desk: Desk) -> None:
    job = desk.jobs.start(OPTIONS)
    until(job, desk.jobs, searching)
    desk.jobs.stop(job.job, "finish")
    assert until(job, desk.jobs, ended).error == "It was stopped before its result."


def test_a_job_that_is_killed_from_outside_is_found_dead(desk: Desk) -> None:
    job = desk.jobs.start(OPTIONS)
    until(job, desk.jobs, searching)
    os.kill(process(desk.jobs, job), signal.SIGKILL)
    dead = until(job, desk.jobs, ended)
    assert (dead.state, dead.error, dead.resumable) == ("stopped", "The process ended without a result.", False)


def test_there_is_a_ceiling_on_jobs_whichever_server_starts_them(desk: Desk, root: Path) -> None:
    first = desk.jobs.start(OPTIONS)
    second = desk.jobs.start(OPTIONS)
    assert (first.job, second.job) == ("digits", "digits-2")
    another = Jobs(root.resolve(), most=2, ceiling_s=600)
    with pytest.raises(RunError, match=r"2 searches run already .* allows 2 at once\. Wait for one, or stop one\."):
        another.start(OPTIONS)
    assert [one.job for one in another.listed()] == ["digits-2", "digits"]


def test_when_the_server_ends_a_job_goes_on_or_stops_as_it_asked(desk: Desk) -> None:
    stays = desk.jobs.start(OPTIONS, "continue")
    goes = desk.jobs.start(OPTIONS, "stop")
    until(stays, desk.jobs, searching)
    until(goes, desk.jobs, searching)
    desk.jobs.close()
    gone = until(goes, desk.jobs, ended)
    assert gone.error == "The server ended, and the search was to stop then."
    assert desk.jobs.status(stays.job).state == "running"


def test_a_search_without_a_clock_ends_at_the_ceiling(desk: Desk, root: Path) -> None:
    brief = Jobs(root.resolve(), most=1, ceiling_s=0.2)
    job = brief.start(SearchOptions("digits", trials=3))
    last = until(job, brief, ended)
    assert last.notes[-1] == "The search reached the server's ceiling of 0.2 s and was ended there."


def test_a_job_that_fails_says_why(desk: Desk, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PROGRAM", ("-m", "nasturtium.workflows.job"))
    job = desk.jobs.start(SearchOptions(str(root / "nothing.csv"), budget_s=5.0))
    failed = until(job, desk.jobs, ended)
    assert failed.state == "failed"
    assert failed.error is not None
    assert "nothing.csv" in failed.error


def test_a_run_that_was_stopped_is_resumed_once(desk: Desk, root: Path) -> None:
    run = root / "runs" / "digits"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text('{"schema": 1, "resumable": true, "options": {"source": "digits", "trials": 9}}')
    job = desk.jobs.resume(str(run))
    assert (job.job, job.trials_asked, job.budget_s) == ("digits", 9, None)
    until(job, desk.jobs, searching)
    with pytest.raises(RunError, match=r"is going on, as the job 'digits'"):
        desk.jobs.resume(str(run))
    assert desk.jobs.stop("digits", "now").resumable
    assert desk.jobs.resume(str(run)).job == "digits-2"
    (run / "result.json").write_text("{}")
    with pytest.raises(RunError, match="has ended, so there is nothing to resume"):
        desk.jobs.resume(str(run))


def test_unknown_jobs_and_runs(desk: Desk, root: Path) -> None:
    with pytest.raises(RunError, match=r"There is no job 'digits'\. None was started here"):
        desk.jobs.status("digits")
    with pytest.raises(RunError, match="is not a run directory"):
        desk.jobs.resume(str(root))
    job = desk.jobs.start(OPTIONS)
    with pytest.raises(RunError, match=r"There is no job 'digit'\. Did you mean 'digits'"):
        desk.jobs.status("digit")
    assert job.job == "digits"


@pytest.mark.parametrize(
    "options",
    [
        SearchOptions("digits"),
        SearchOptions(
            "t.csv", target="y", task="regression", limits={"params": "20k", "latency": "2ms"}, budget_s=90.0, trials=3,
            objectives=("params", "macs"), strategy="tpe", scheduler="asha", seed=4, workers=1, stop_on_plateau=True,
            image_size=16, output="runs/x", control="full", group="g", metric="mae", space="mlp", accelerator="cpu",
        ),
        SearchOptions("digits", proxies=("nwot", "synflow"), drop=["a", "b"]),
    ],
)  # fmt: skip
def test_the_command_in_the_manifest_does_the_same(options: SearchOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from nasturtium.cli import app
    from nasturtium.workflows import search

    seen: list[SearchOptions] = []

    def catch(given: SearchOptions, *rest: Any) -> None:
        seen.append(given)
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "run_search_workflow", catch)
    CliRunner().invoke(app, search_command(options)[1:])
    assert seen == [options]


def test_options_survive_being_json() -> None:
    import json

    options = SearchOptions("digits", limits={"params": "20k"}, objectives=("params",), budget_s=3.0)
    given = {one.name: getattr(options, one.name) for one in fields(options)}
    assert restored(json.loads(json.dumps(given))) == options
