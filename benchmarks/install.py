"""What installing costs: seconds and gigabytes of the core in a new virtual environment, and the time of `--help`.

    python benchmarks/install.py          recorded in results/install.json

Measured from a checkout with `constraints.txt`; the wheels come from wherever pip finds them, so the seconds hold for a
machine beside its package index.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _record import record

ROOT = Path(__file__).parents[1]


def timed(*command: str) -> float:
    """Wall seconds of a command that must succeed."""
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.monotonic() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        created = timed(sys.executable, "-m", "venv", str(venv))
        installed = timed(str(venv / "bin" / "pip"), "install", "-q", "-c", "constraints.txt", ".")
        size = subprocess.run(("du", "-sb", str(venv)), check=True, capture_output=True, text=True).stdout
        helps = [timed(str(venv / "bin" / "nasturtium"), "--help") for _ in range(6)]
    figures = {
        "promised": {"seconds": 90, "gigabytes": 1.9, "help_s": 0.5},
        "seconds": round(created + installed, 1),
        "gigabytes": round(int(size.split()[0]) / 1e9, 3),
        "help_first_s": round(helps[0], 3),
        "help_median_s": round(statistics.median(helps[1:]), 3),
    }
    print(record("install", figures), figures)


if __name__ == "__main__":
    main()
