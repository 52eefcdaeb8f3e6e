"""Ctrl-C and kill -9 in real processes, at chosen moments of a run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

QUICK = str(Path(__file__).with_name("quick.py"))
TIMELESS = ("verdict", "best", "found", "finalists", "comparison", "control", "test_comparison")


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    command = [sys.executable, QUICK, *arguments]
    return subprocess.Popen(command, cwd=cwd, env=environment, stdout=-1, stderr=-1, text=True)


def finished(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    process = start(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=200)
    return subprocess.CompletedProcess([], process.returncode, out, err)


def jobs_done(run: Path, kind: str) -> int:
    log = run / "work" / "jobs.jsonl"
    return sum(line.startswith(f'{{"key": "{kind}') for line in log.read_text().splitlines()) if log.exists() else 0


def trials_done(run: Path) -> int:
    """Optuna's journal has a line of operation 6 for each trial that ended."""
    journal = run / "study.journal"
    return journal.read_text().count('"op_code":6') if journal.exists() else 0


def wait_until(moment: Callable[[], bool], process: subprocess.Popen[str], limit_s: float = 120) -> None:
    """Wait for a moment of a run, seen in its files; a run that has ended before is a failure of the test."""
    until = time.monotonic() + limit_s
    while not moment():
        assert process.poll() is None, f"ended before its moment: {process.communicate()}"
        assert time.monotonic() < until, "the moment never came"
        time.sleep(0.01)


def seconds_spent(run: Path) -> float:
    return float(json.loads((run / "work" / "clock.json").read_text())["seconds"])


def timeless(value: Any) -> Any:
    """Without what a clock measured."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in ("latency_ms", "seconds", "size")}
    return value


@pytest.mark.slow
def test_a_run_killed_in_every_phase_resumes_to_the_result_of_an_undisturbed_one(
    small_digits: Path, tmp_path: Path
) -> None:
    arguments = ("search", str(small_digits), "--max-params", "3k", "--trials", "4", "--workers", "1")
    whole = finished(*arguments, "-o", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    run = tmp_path / "killed"
    moments = [
        lambda: jobs_done(run, "baseline/") >= 2,
        lambda: trials_done(run) >= 2,
        lambda: jobs_done(run, "resplit") >= 2,
    ]
    command = (*arguments, "-o", "killed")
    for moment in moments:
        process = start(*command, cwd=tmp_path)
        wait_until(moment, process)
        process.kill()
        process.communicate()
        assert not (run / "result.json").exists()
        command = ("resume", "killed")
    resumed = finished(*command, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    first, second = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("whole", "killed"))
    for key in TIMELESS:
        assert timeless(first[key]) == timeless(second[key]), key


@pytest.mark.slow
def test_ctrl_c_ends_the_search_and_twice_the_run_which_can_be_resumed(small_digits: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start("search", str(small_digits), "--trials", "500", "--workers", "2", "-o", "run", cwd=tmp_path)
    wait_until(lambda: trials_done(run) >= 2, process)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: jobs_done(run, "resplit") >= 1, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "The search was interrupted after" in " ".join(err.split())
    assert "continue with: nasturtium resume run" in " ".join(err.split())
    assert "Traceback" not in err
    assert not (run / "result.json").exists()

    before = trials_done(run)
    process = start("resume", "run", "--json", cwd=tmp_path)
    wait_until(lambda: trials_done(run) > before, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err == ""
    result = json.loads(out)
    assert result["search"]["interrupted"]
    assert before < result["search"]["scored"] < 500
    assert any("The search was interrupted after" in note for note in result["notes"])
    assert len(result["best"]["test"]["per_seed"]) == 5


@pytest.mark.slow
def test_ctrl_c_before_the_search_stops_with_130_and_a_resumed_run_keeps_its_clock(
    small_digits: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = start("search", str(small_digits), "--budget", "30s", "--workers", "1", "-o", "run", cwd=tmp_path)
    wait_until(lambda: jobs_done(run, "baseline/") >= 2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "nasturtium: stopped" in err
    assert "Traceback" not in err
    assert seconds_spent(run) > 1
    # Of a budget that is used up nothing is left for trials; the run must still end, and say what it took.
    (run / "work" / "clock.json").write_text('{"seconds": 29.0}')
    resumed = finished("resume", "run", "--json", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    result = json.loads(resumed.stdout)
    assert result["seconds"] > 29
    assert result["verdict"] == "baseline"
    assert not result["search"]["interrupted"]
