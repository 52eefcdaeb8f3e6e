"""What `nasturtium advise` foresees, against what happens.

    python benchmarks/advise.py plans       ten needs with data: the first proposal builds, trains, meets its limits
    python benchmarks/advise.py runs        34 searches of `--trials N`: time and gain, foreseen and real
    python benchmarks/advise.py runs --only 3 --first 5
    python benchmarks/advise.py again       what today's rule foresees of the recorded runs, from their pilots' scores
    python benchmarks/advise.py speed       wall seconds of `advise digits` with and without the pilot

Each run in a process of its own, one at a time, on an otherwise idle machine; recorded in results/advise-*.json, run by
run, so that what was interrupted goes on where it stopped. Real gain: best validation score of the search over the best
of the pilot's random networks, 0 at least. The oracle knows mean and spread of all random trials of a data set.
Where a pilot has already got every row right (wine, iris, three digits, at times) there is nothing to foresee, and the
interval holds for certain; "friedman" and "few-digits" leave room on either side.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _record import RESULTS, record

from nasturtium.advisor.gain import Scale, oracle, outlook


@dataclass(frozen=True)
class Case:
    """source: as of `search`, or a name of `MADE`. trials: of the search."""

    source: str
    trials: int
    seed: int
    flags: tuple[str, ...] = ()


CASES = tuple(
    Case(source, trials, seed, flags)
    for source, flags, trials, seeds in (
        ("wine", (), 12, 4),
        ("iris", (), 20, 4),
        ("breast_cancer", (), 12, 4),
        ("diabetes", (), 16, 8),
        ("three-digits", ("--max-params", "3k"), 12, 2),
        ("friedman", (), 12, 8),
        ("few-digits", ("--max-params", "1k"), 12, 4),
    )
    for seed in range(seeds)
)
MADE = ("three-digits", "few-digits", "friedman")
NEEDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("digits", ("--max-params", "20k")),
    ("digits", ("--max-params", "2k")),
    ("digits", ("--device", "microcontroller")),
    ("digits", ("--max-macs", "100k")),
    ("digits", ("--max-size", "30KB")),
    ("breast_cancer", ("--max-params", "5k")),
    ("diabetes", ()),
    ("wine", ("--device", "phone")),
    ("iris", ("--max-params", "1k")),
    ("three-digits", ("--max-memory", "8KB")),
)
FACTOR = 1.5


def nasturtium(*arguments: str, timeout: float = 1800) -> tuple[float, str]:
    """Wall seconds and standard output of a command; raises where it fails."""
    began = time.perf_counter()
    done = subprocess.run(
        (sys.executable, "-m", "nasturtium.cli", *arguments), capture_output=True, text=True, timeout=timeout
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return time.perf_counter() - began, done.stdout


def source_of(name: str, folder: Path) -> str:
    """The source on the command line; what is no bundled set is written to a file first."""
    if name not in MADE:
        return name
    path = folder / f"{name}.npz"
    X, y = friedman() if name == "friedman" else some_digits(name == "three-digits")
    np.savez(path, X=X, y=y)
    return str(path)


def friedman() -> tuple[np.ndarray, np.ndarray]:
    """Friedman (1991), equation 61: ten inputs of which five matter, with noise of standard deviation 1."""
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(n_samples=400, noise=1.0, random_state=0)
    return X, y


def some_digits(three: bool) -> tuple[np.ndarray, np.ndarray]:
    """All images of three digits, or the first 300 of all ten."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    rows = np.flatnonzero(np.isin(y, (0, 1, 7))) if three else np.arange(300)
    return X[rows].reshape(-1, 8, 8, 1).astype(np.uint8), y[rows]


def one_run(case: Case) -> dict[str, Any]:
    """Foresee a search of so many trials, then run it."""
    with tempfile.TemporaryDirectory() as folder:
        source = source_of(case.source, Path(folder))
        advised, plan = foreseen(source, case)
        wall, output = nasturtium(
            "search", source, *case.flags, "--trials", str(case.trials), "--seed", str(case.seed),
            "--json", "-o", f"{folder}/run",
        )  # fmt: skip
        result = json.loads(output)
        return {
            "source": case.source,
            "trials": case.trials,
            "seed": case.seed,
            "advise_s": round(advised, 1),
            "foreseen_s": plan["seconds"],
            "real_s": round(wall, 1),
            "gain": plan["gain"],
            **real_scores(Path(folder) / "run", result, plan["pilot"]),
            "parts": plan["parts"],
            "search_s": result["search_seconds"],
        }


def foreseen(source: str, case: Case) -> tuple[float, dict[str, Any]]:
    """What a pilot foresees of `--trials N`; in a process of its own, as `advise` has no such option."""
    code = (
        "import json, sys\n"
        "from benchmarks_advise import foresee_trials\n"
        "print(json.dumps(foresee_trials(*json.loads(sys.argv[1]))))\n"
    )
    given = json.dumps([source, list(case.flags), case.trials, case.seed])
    began = time.perf_counter()
    done = subprocess.run(
        (sys.executable, "-c", code.replace("benchmarks_advise", Path(__file__).stem), given),
        capture_output=True, text=True, cwd=Path(__file__).parent, timeout=900,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return time.perf_counter() - began, json.loads(done.stdout)


def foresee_trials(source: str, flags: Sequence[str], trials: int, seed: int) -> dict[str, Any]:
    """Time and gain of a search of so many trials, as the plan of `advise` says them, from a pilot."""
    from nasturtium.hardware import CostModel, LimitedCandidates, Limits
    from nasturtium.workflows.foreseeing import foresee
    from nasturtium.workflows.judging import maximised, outlook, scale_of
    from nasturtium.workflows.options import SearchOptions
    from nasturtium.workflows.piloting import run_pilot
    from nasturtium.workflows.preparation import choose_recipe, prepare_data
    from nasturtium.workflows.progress import Silent
    from nasturtium.workflows.search import usable_cores
    from nasturtium.workflows.spaces import find_space

    limits = {flags[place].removeprefix("--max-"): flags[place + 1] for place in range(0, len(flags), 2)}
    options = SearchOptions(source, seed=seed, limits=limits)
    prepared, bounds = prepare_data(options), Limits.parse(**limits)
    space, _ = find_space(None, prepared.task, bounds)
    costs = CostModel(space)
    candidates = LimitedCandidates(space, costs, bounds)
    recipe = choose_recipe(options, prepared)
    pilot = run_pilot(options, prepared, recipe, candidates, costs, usable_cores(), Silent())
    run = foresee(pilot, prepared.task, bounds, trials, None)
    scale = scale_of(pilot.metric, int((~prepared.development.train).sum()))
    ahead = outlook(pilot.scores, trials, scale)
    return {
        "seconds": run.estimate("").expected,
        "parts": {name: round(part, 1) for name, part in run.parts.items()},
        "gain": {"expected": ahead.gain[0], "low": ahead.gain[1], "high": ahead.gain[2]},
        "pilot": {"scores": pilot.scores, "maximize": maximised(pilot.metric), "best": scale.best, "step": scale.step},
    }


def real_scores(folder: Path, result: Mapping[str, Any], pilot: Mapping[str, Any]) -> dict[str, Any]:
    """Scores of the trials, and what they gained over the pilot."""
    from nasturtium.study.store import read_records

    identity, records = read_records(folder / "study.journal")
    goal = identity.objectives[0].name
    scored = [one for one in records if one["state"] == "complete"]
    sign = 1.0 if pilot["maximize"] else -1.0
    best = max(sign * one["measures"][goal] for one in scored)
    return {
        "metric": goal,
        "pilot": pilot,
        "real_gain": max(0.0, best - max(sign * score for score in pilot["scores"])),
        "random_scores": [one["measures"][goal] for one in scored if one["origin"] == "random"],
        "verdict": result["verdict"],
    }


def summary(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares that the issue asks for, over the runs so far."""
    ratios = [max(one["foreseen_s"] / one["real_s"], one["real_s"] / one["foreseen_s"]) for one in runs]
    covered = [one["gain"]["low"] - 1e-9 <= one["real_gain"] <= one["gain"]["high"] + 1e-9 for one in runs]
    widths = [(one["gain"]["high"] - one["gain"]["low"], oracle_width(one, runs)) for one in runs]
    return {
        "n": len(runs),
        "time_within_factor": FACTOR,
        "time_share": float(np.mean([ratio <= FACTOR for ratio in ratios])),
        "time_ratios": [round(one["foreseen_s"] / one["real_s"], 2) for one in runs],
        "gain_coverage": float(np.mean(covered)),
        "width_mean": float(np.mean([ours for ours, _ in widths])),
        "oracle_width_mean": float(np.mean([theirs for _, theirs in widths])),
        "promised": {"time_share": 0.8, "gain_coverage": [0.80, 0.97], "width_times_oracle": 2.0},
    }


def scale_of_run(one: Mapping[str, Any]) -> Scale:
    pilot = one["pilot"]
    return Scale(pilot["best"], pilot["step"], pilot["maximize"], 0.0 if pilot["best"] is not None else None)


def oracle_width(one: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> float:
    """Of the interval of one who knows mean and spread: from all pilots and random trials on this data."""
    pilot, scale = one["pilot"], scale_of_run(one)
    same = [other for other in runs if other["source"] == one["source"]]
    scores = np.array([score for other in same for score in (*other["pilot"]["scores"], *other["random_scores"])])
    there = scale.there(scores)
    better = there[there >= np.median(there)]
    # Mean and spread of the normal whose better half this is: the half-normal's mean is 0.798 spreads from the median.
    spread = max(1e-6, (better.mean() - np.median(there)) / 0.798)
    known = oracle(spread, float(np.median(there)), pilot["scores"], one["trials"], scale)
    return known.gain[2] - known.gain[1]


def one_plan(source: str, flags: Sequence[str]) -> dict[str, Any]:
    """The first proposal that builds: trained for a few passes, and held against the limits."""
    from nasturtium.advisor.catalogue import family
    from nasturtium.blocks import build, counted
    from nasturtium.data import Development
    from nasturtium.evaluators import Standalone
    from nasturtium.roles import Job
    from nasturtium.trial import Fidelity
    from nasturtium.workflows.advising import AdviseOptions, advise
    from nasturtium.workflows.needs import NeedOptions
    from nasturtium.workflows.options import SearchOptions
    from nasturtium.workflows.preparation import choose_recipe, keep, prepare_data

    with tempfile.TemporaryDirectory() as folder:
        path = source_of(source, Path(folder))
        given = {flags[place].removeprefix("--"): flags[place + 1] for place in range(0, len(flags), 2)}
        plan = advise(AdviseOptions(path, need=NeedOptions(given), pilot=False))
        options = SearchOptions(path)
        prepared = keep(prepare_data(options), Path(folder))
        first = next(one for one in plan.proposals if one.builds and one.space is None)
        name, _, label = first.name.rpartition("-")
        made = family(name, prepared.task)
        tree = made.size(next(value for value, known in made.labels.items() if known == label)).tree
        counts = counted(tree.lower(prepared.task.input), prepared.task.input)
        assert isinstance(prepared.development, Development)
        evaluator = Standalone(str(prepared.development.folder), choose_recipe(options, prepared)).open()
        outcome = evaluator(Job("first", tree, Fidelity(5), 0), lambda curve: False)
        built = sum(one.numel() for one in build(tree.lower(prepared.task.input), prepared.task.input).parameters())
        limits = plan.bounds.limits.check({"params": counts.params, "macs": counts.macs, "memory": counts.memory})
        return {
            "source": source,
            "flags": list(flags),
            "first": first.name,
            "params": counts.params,
            "built_params": built,
            "trained": outcome.failure is None,
            "score": outcome.measures.get(prepared.task.metric),
            "metric": prepared.task.metric,
            "within_limits": not limits and bool(first.fits),
        }


def run_plans() -> None:
    found = [one_plan(source, flags) for source, flags in NEEDS]
    kept = sum(one["trained"] and one["within_limits"] for one in found)
    print(record("advise-plans", {"n": len(found), "kept": kept, "plans": found}))


def run_runs(first: int, only: int | None, target: Path) -> None:
    held = json.loads(target.read_text())["runs"] if target.exists() else []
    done = {(one["source"], one["seed"]) for one in held}
    todo = [case for case in CASES[first:] if (case.source, case.seed) not in done]
    for case in todo[:only]:
        held.append(one_run(case))
        record("advise-runs", {**summary(held), "runs": held}, target)
        last = held[-1]
        print(case.source, case.seed, "foreseen", last["foreseen_s"], "real", last["real_s"], "gain", last["gain"],
              "real", last["real_gain"], flush=True)  # fmt: skip


def run_again(target: Path) -> None:
    """The gain follows from a pilot's scores alone, so a new rule needs no new searches; what was real stays."""
    held = json.loads(target.read_text())["runs"]
    for one in held:
        found = outlook(one["pilot"]["scores"], one["trials"], scale_of_run(one)).gain
        one["gain"] = dict(zip(("expected", "low", "high"), found, strict=True))
    print(record("advise-runs", {**summary(held), "runs": held}, target), summary(held))


def run_speed() -> None:
    seconds = {
        name: [round(nasturtium("advise", "digits", "--max-params", "20k", "--json", *flags)[0], 2) for _ in range(5)]
        for name, flags in (("without pilot", ("--no-pilot",)), ("with pilot", ()))
    }
    print(record("advise-speed", {"seconds": seconds, "promised": {"without pilot": 5, "with pilot": 30}}), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("plans", "runs", "again", "speed"))
    parser.add_argument("--first", type=int, default=0, help="case to begin with")
    parser.add_argument("--only", type=int, default=None, help="so many runs")
    parser.add_argument("--into", type=Path, default=RESULTS / "advise-runs.json")
    given = parser.parse_args()
    if given.what == "plans":
        run_plans()
    elif given.what == "runs":
        run_runs(given.first, given.only, given.into)
    elif given.what == "again":
        run_again(given.into)
    else:
        run_speed()


if __name__ == "__main__":
    main()
