"""The command line as a door: quick to answer, plain where nobody watches, JSON where JSON was asked for."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from nasturtium.study import Finished
from nasturtium.terminal import LiveView, PlainView
from nasturtium.trial import Fidelity, History, Objective, Trial

HEAVY = ("torch", "numpy", "pandas", "sklearn", "scipy", "optuna", "onnx", "onnxruntime", "plotly", "pyarrow")
QUICK = str(Path(__file__).with_name("quick.py"))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, nasturtium.cli as cli\n"
        "try: cli.app(['search', '--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert "--max-params" in done.stdout


@pytest.mark.slow
def test_a_run_that_nobody_watches_prints_plain_lines_and_json_alone(small_digits: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, QUICK, "search", str(small_digits), "--max-params", "3k", "--trials", "2"]
    plain = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert plain.returncode == 0, plain.stderr
    for text in (plain.stdout, plain.stderr):
        assert re.findall(r"[^\n\x20-\x7e\x80-\U0010ffff]", text) == []
        assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "Warning" not in plain.stderr
    (run,) = (tmp_path / "runs").iterdir()
    command = [sys.executable, QUICK, "predict", str(run), str(small_digits), "--json"]
    predicted = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert len(json.loads(predicted.stdout)) == 360


def test_a_full_disk_during_a_run_is_said_in_a_sentence(small_digits: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: room for the data, none for what comes of it."""
    code = (
        "import resource, signal, sys; sys.argv[0] = 'nasturtium'\n"
        f"signal.signal(signal.{signal.SIGXFSZ.name}, signal.SIG_IGN)\n"
        "from nasturtium.cli import main\n"
        "import nasturtium.workflows.search as search\n"
        "usual = search.run_baselines\n"
        "full = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
        "search.run_baselines = lambda session: (full(), usual(session))[1]\n"
        "main()"
    )
    command = [sys.executable, "-c", code, "search", str(small_digits), "--trials", "2", "-o", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2, done.stderr
    assert "The run directory 'run' cannot be written: File too large." in " ".join(done.stderr.split())
    assert "nasturtium resume run" in done.stderr
    assert "Traceback" not in done.stderr


def seen(view: type[PlainView], terminal: bool) -> str:
    """What a console shows of one finished trial."""
    console = Console(width=80, force_terminal=terminal, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    goal = Objective("accuracy", "maximize")
    trial = Trial(
        number=0,
        architecture=None,
        fidelity=Fidelity(3),
        seed=0,
        origin="random",
        state="complete",
        measures={"accuracy": 0.9, "params": 1234.0},
        seconds=1.5,
    )
    history = History((goal,), (trial,))
    with view(console) as drawn:
        drawn.phase("Search")
        drawn.jobs(3, 12, "baseline/svc")
        drawn.event(Finished(trial, history, 7, 12.0))
        if isinstance(drawn, LiveView):
            console.print(drawn.live.renderable)
    console.file.close()
    return console.export_text()


def test_the_live_view_shows_trials_budget_and_best() -> None:
    shown = seen(LiveView, terminal=True)
    assert "1 done, 0 running, 12 s left, 7 left" in shown
    assert "accuracy 0.9  1,234 params" in shown


def test_the_plain_view_says_each_new_best_in_a_line() -> None:
    assert "trial    0  accuracy 0.9  1,234 params  1.5 s  (random)" in seen(PlainView, terminal=False)


def test_without_a_live_view_long_work_is_told_of_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("nasturtium.terminal.monotonic", lambda: now[0])
    console = Console(width=80, record=True, file=io.StringIO())
    shown = PlainView(console)
    for done in range(1, 101):
        now[0] += 1.0
        shown.jobs(done, 100, "epochs, loss 0.5")
    lines = console.export_text().splitlines()
    assert lines == [f"  {done} of 100  epochs, loss 0.5" for done in (30, 60, 90)]


def test_notes_of_several_lines_stay_indented() -> None:
    console = Console(width=30, record=True, file=io.StringIO())
    PlainView(console).note("a [longer] sentence that does not fit into one line")
    lines = console.export_text().splitlines()
    assert lines == ["  note: a [longer] sentence", "  that does not fit into one", "  line"]
