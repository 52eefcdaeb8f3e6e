"""What a warm start brings and what a bad one costs, on NAS-Bench-201.

    python benchmarks/transfer.py [--seeds 100]

An earlier search on CIFAR-10 (`auto`, 30 queries, one noisy 200-epoch run each) hands its three best cells to a search
on CIFAR-100 and on ImageNet16-120: `helped`. Handed its three worst cells, a search is `misled`. Both are held against
a `cold` search with the same seed, by the mean test accuracy of the best cell seen so far. Three of 30 queries are the
tenth that a warm start may take, so a misled search may be three queries late and no more: `late` is its accuracy
minus that of the cold one three queries earlier. The tables are looked for in NASTURTIUM_DATA, or ../shared/data.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _record import record

from nasturtium.bench.nb201 import load_nb201
from nasturtium.bench.problem import Problem
from nasturtium.bench.search import search
from nasturtium.roles import Outcome, Strategy
from nasturtium.schedulers import Full
from nasturtium.space import Architecture
from nasturtium.strategies import Auto, Random
from nasturtium.strategies.warm_start import WarmStart, at_most
from nasturtium.trial import Fidelity

DATA = Path(os.environ.get("NASTURTIUM_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
QUERIES = 30
AFTER = (5, 10, 20, 30)
TAKEN = 3
LATE = at_most(QUERIES)
MARGIN = 0.25
"""Points of accuracy: a difference of two means that is no more is none."""


def searched(problem: Problem, strategy: Strategy, seed: int) -> tuple[list[float], list[Architecture]]:
    """Test accuracy of the best cell seen after each query, and the cells from the best score seen to the worst."""
    seen: list[tuple[float, Architecture]] = []

    def query(architecture: Architecture, fidelity: Fidelity, trial_seed: int) -> Outcome:
        outcome = problem.query(architecture, fidelity, trial_seed)
        seen.append((outcome.measures[problem.objectives[0].name], architecture))
        return outcome

    found = search(replace(problem, query=query), strategy, Full(problem.epochs), Random(), seed)
    shown = next(iter(problem.reported(seen[0][1], seed)))
    ordered = [architecture for _, architecture in sorted(seen, key=lambda one: -one[0])]
    return [found.course.at(count)[shown] for count in range(1, QUERIES + 1)], ordered


def courses(problems: Sequence[Problem], seed: int) -> dict[str, dict[str, list[float]]]:
    """Of each data set but the first, by kind of start."""
    _, ordered = searched(problems[0], Auto(), seed)
    starts = {"helped": tuple(ordered[:TAKEN]), "misled": tuple(ordered[-TAKEN:])}
    found: dict[str, dict[str, list[float]]] = {}
    for problem in problems[1:]:
        found[problem.key] = {"cold": searched(problem, Auto(), seed)[0]}
        for name, given in starts.items():
            found[problem.key][name] = searched(problem, WarmStart(Auto(), given, LATE), seed)[0]
    return found


def told(differences: np.ndarray) -> dict[str, float]:
    """Mean and 95 % interval, in points."""
    mean, half = float(differences.mean()), 1.96 * float(differences.std(ddof=1)) / len(differences) ** 0.5
    return {"mean": round(mean, 3), "low": round(mean - half, 3), "high": round(mean + half, 3)}


def figures(found: Sequence[dict[str, dict[str, list[float]]]]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for data in found[0]:
        kinds = {kind: np.array([one[data][kind] for one in found]) for kind in found[0][data]}
        after = {kind: {str(count): round(float(held[:, count - 1].mean()), 3) for count in AFTER}
                 for kind, held in kinds.items()}  # fmt: skip
        gained = {str(count): told(kinds["helped"][:, count - 1] - kinds["cold"][:, count - 1]) for count in AFTER}
        late = {str(count): told(kinds["misled"][:, count - 1] - kinds["cold"][:, count - 1 - LATE])
                for count in AFTER if count > LATE}  # fmt: skip
        rows[data] = {"accuracy_after": after, "helped_minus_cold": gained, "misled_minus_cold_earlier": late}
    return rows


def promises(rows: dict[str, Any]) -> dict[str, bool]:
    """The share that a bad start may cost is one of the whole search, so it is judged at its end."""
    last = str(QUERIES)
    helped = [one["helped_minus_cold"] for one in rows.values()]
    late = [one["misled_minus_cold_earlier"][last] for one in rows.values()]
    return {
        "a good start helps early": all(one["5"]["low"] > 0 for one in helped),
        "a good start never hurts": all(held["high"] >= 0 for one in helped for held in one.values()),
        "a bad start costs a tenth at most": all(one["high"] >= 0 and one["low"] > -MARGIN for one in late),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    given = parser.parse_args()
    problems = load_nb201(DATA / "benchmarks", "noisy", QUERIES).problems("networks")
    found = []
    for seed in range(given.seeds):
        found.append(courses(problems, seed))
        print(f"seed {seed}", end="\r", flush=True)
    rows = figures(found)
    kept = promises(rows)
    print(record("transfer", {"n": given.seeds, "queries": QUERIES, "data": rows, "kept": kept}), kept)


if __name__ == "__main__":
    main()
