"""One small finished run, made through the command line, that many tests look at."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nasturtium.data import Development, load, prepare, profile, split

Cli = Callable[..., subprocess.CompletedProcess[str]]


USUAL = ("-m", "nasturtium.cli")
QUICK = (str(Path(__file__).with_name("quick.py")),)
"""The same with trainings of three epochs."""


def run_cli(*arguments: str, cwd: Path, timeout: float = 200, quick: bool = False) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(QUICK if quick else USUAL), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope="session")
def cli() -> Cli:
    """The command line in a process of its own, as a user runs it: `cli("search", "digits", cwd=folder)`."""
    return run_cli


@pytest.fixture(scope="session")
def small_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """360 digits of three classes as an .npz, so that trainings take a second."""
    X, y = load_digits(return_X_y=True)
    rows = np.flatnonzero(np.isin(y, (0, 1, 7)))[:360]
    path = tmp_path_factory.mktemp("data") / "three.npz"
    np.savez(path, X=X[rows].reshape(-1, 8, 8, 1).astype(np.uint8), y=y[rows])
    return path


@pytest.fixture(scope="session")
def run_folder(small_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of at most four trials with a limit of 3,000 parameters."""
    place = tmp_path_factory.mktemp("run")
    done = run_cli(
        "search", str(small_digits), "--max-params", "3k", "--trials", "4", "--budget", "50s", "-o", "run", cwd=place
    )
    assert done.returncode == 0, done.stderr
    return place / "run"


@pytest.fixture(scope="session")
def result(run_folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run_folder / "result.json").read_text())
    return content


@pytest.fixture(scope="session")
def development() -> Development:
    """300 rows of four numbers, whose target is nearly linear in them."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 4))
    raw = load((inputs, inputs @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=300)))
    parts = split(raw, 0)
    profile(raw, parts)
    return prepare(raw, parts)[0]
