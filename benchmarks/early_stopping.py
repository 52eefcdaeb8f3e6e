"""Early stopping on the spiking curves: epochs spent to pick one of 200 cells, against what full training picks.

    python benchmarks/early_stopping.py             100 seeds a half, recorded in results/early_stopping.json
    python benchmarks/early_stopping.py --seeds 5 --only "asha min 3"     to look at, not recorded
    python benchmarks/early_stopping.py --seeds 400 --pair "asha min 6 eta 2" "curve-pausing min 3 …"
                                                    these two alone on the half "test", recorded in early_stopping_pair

A seed draws 200 cells of one half of the table. The real schedulers are asked, by one worker; a trial plays back the
recorded validation accuracy of its epochs (CIFAR-10, 100 epochs), and a continuation pays for the epochs that its
parent has not had. A search ends when the scheduler wants a 201st cell. It picks the best score at the longest training
that it gave. Regret: the best final accuracy among the 200, minus the picked cell's, in points.

Fair play: ASHA has twelve settings, curve-pausing seven. For each setting of ASHA, the cheapest of ours whose regret is
lower by a standard error is chosen on the half "tune", and the two are compared on the half "test": the margin is for
the chance by which the best of several looks better than it is. ASHA's best setting is the cheapest one that picks a
cell within 0.3 points in 95 % of the seeds of "tune".
"""

import argparse
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _record import record
from jaxtyping import Float

from nasturtium.roles import Continuation, Scheduler
from nasturtium.schedulers import Asha, Full, MedianStopping
from nasturtium.schedulers.extrapolation import CurveStopping
from nasturtium.schedulers.pausing import CurvePausing
from nasturtium.space import Space, choice
from nasturtium.trial import History, Objective, Trial

SHARED = Path(os.environ.get("NASTURTIUM_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
CELLS, EPOCHS, NEAR, RELIABLE, PROMISED = 200, 100, 0.3, 0.95, 0.6
GOALS = (Objective("accuracy", "maximize"),)
SPACE = Space((choice(*range(CELLS)),), name="cells")
ARCHITECTURES = [SPACE.architecture({path: str(cell)}) for cell in range(CELLS) for path in SPACE.sample(0).values]

ASHA: Mapping[str, Scheduler] = {
    f"asha min {low} eta {eta}": Asha(low, EPOCHS, eta) for low in (1, 3, 6, 10) for eta in (2, 3, 4)
}
OURS: Mapping[str, Scheduler] = {
    f"curve-pausing min {low} thinning {thin} optimism {hope} growth {growth}": CurvePausing(
        low, EPOCHS, CELLS, hope, thin, growth
    )
    for low, thin, hope, growth in (
        *((1, 1.6, 0.5, 1.5), (2, 1.2, 1.5, 1.15), (2, 1.2, 2.0, 1.15), (3, 1.4, 2.0, 1.15)),
        *((3, 1.2, 2.0, 1.15), (4, 1.2, 1.5, 1.5), (4, 1.2, 2.0, 1.15)),
    )
}
OTHERS: Mapping[str, Scheduler] = {
    "full": Full(EPOCHS),
    "median-stopping": MedianStopping(EPOCHS),
    "curve-extrapolation 0.05": CurveStopping(EPOCHS, 0.05),
}
Runs = Mapping[str, Float[np.ndarray, "seeds 2"]]
"""Epochs and regret of each seed, by scheduler."""


def halves() -> dict[str, Float[np.ndarray, "cells epochs"]]:
    """Validation accuracy in percent, the table's rows in two random halves."""
    with np.load(SHARED / "benchmarks" / "spikenas_c10_valacc.npz") as stored:
        curves = np.asarray(stored["val_acc_x250_100"] / 250.0)
    order = np.random.default_rng(12345).permutation(len(curves))
    return {"tune": curves[order[: len(curves) // 2]], "test": curves[order[len(curves) // 2 :]]}


def play(scheduler: Scheduler, curves: Float[np.ndarray, "cells epochs"]) -> tuple[int, int]:
    """Epochs spent until the scheduler wants a cell more than there are, and the number of the cell that is picked."""
    history, spent, fresh, cells = History(GOALS), 0, 0, list[int]()
    while True:
        step = scheduler.next(history)
        assert step is not None  # nothing is running
        parent = step.parent if isinstance(step, Continuation) else None
        if parent is None and fresh == len(curves):
            return spent, picked(history, cells)
        cells.append(fresh if parent is None else cells[parent])
        fresh += parent is None
        done = 0 if parent is None else history.trials[parent].fidelity.epochs
        begun = Trial(len(history.trials), ARCHITECTURES[cells[-1]], step.fidelity, 0, "random", parent=parent)
        ended = trained(scheduler, begun, history, curves[cells[-1]], done)
        spent += len(ended.curve)
        history = History(GOALS, (*history.trials, ended))


def trained(
    scheduler: Scheduler, trial: Trial, history: History, curve: Float[np.ndarray, " epochs"], done: int
) -> Trial:
    """The trial as it ends: after its epochs, or where the scheduler stops it."""
    scores = tuple(curve[done : trial.fidelity.epochs].tolist())
    for reached in range(1, len(scores)):
        if scheduler.stop(scores[:reached], history):
            shown = scores[:reached]
            return replace(trial, state="stopped", measures={"accuracy": shown[-1]}, curve=shown)
    return replace(trial, state="complete", measures={"accuracy": scores[-1]}, curve=scores)


def picked(history: History, cells: list[int]) -> int:
    """The cell with the best score among those that were trained longest."""
    whole = [trial for trial in history.trials if trial.state == "complete"]
    longest = max(trial.fidelity.epochs for trial in whole)
    best = max((trial for trial in whole if trial.fidelity.epochs == longest), key=lambda one: one.measures["accuracy"])
    return cells[best.number]


def runs(scheduler: Scheduler, curves: Float[np.ndarray, "cells epochs"], seeds: int) -> Float[np.ndarray, "seeds 2"]:
    """Epochs and regret of each seed; seeds draw the same cells for every scheduler."""
    rows = []
    for seed in range(seeds):
        drawn = curves[np.random.default_rng([7, seed]).choice(len(curves), CELLS, replace=False)]
        epochs, cell = play(scheduler, drawn)
        rows.append((epochs, drawn[:, -1].max() - drawn[cell, -1]))
    return np.array(rows)


def summary(rows: Float[np.ndarray, "seeds 2"]) -> dict[str, float]:
    """Means and standard errors, and the part of the seeds with a cell within 0.3 points."""
    errors = rows.std(0, ddof=1) / np.sqrt(len(rows))
    return {
        "n": len(rows),
        "epochs": round(float(rows[:, 0].mean()), 1),
        "epochs_se": round(float(errors[0]), 1),
        "regret": round(float(rows[:, 1].mean()), 4),
        "regret_se": round(float(errors[1]), 4),
        "within": round(float((rows[:, 1] <= NEAR + 1e-9).mean()), 3),
    }


def duel(theirs: str, tune: Runs, test: Runs) -> dict[str, Any]:
    """One setting of ASHA against the cheapest of ours that was clearly no worse on the half it was chosen on."""
    able = [name for name in OURS if _clearly_lower(tune[name][:, 1] - tune[theirs][:, 1])]
    if not able:
        return {"asha": theirs, "ours": None}
    ours = min(able, key=lambda name: float(tune[name][:, 0].mean()))
    return compared(theirs, ours, test)


def compared(theirs: str, ours: str, test: Runs) -> dict[str, Any]:
    """Two settings on the half that chose neither."""
    difference = test[ours][:, 1] - test[theirs][:, 1]
    share = float(test[ours][:, 0].mean() / test[theirs][:, 0].mean())
    return {
        "asha": theirs,
        "ours": ours,
        "epochs_share": round(share, 3),
        "regret_difference": round(float(difference.mean()), 4),
        "regret_difference_se": round(float(difference.std(ddof=1) / np.sqrt(len(difference))), 4),
        "kept": share <= PROMISED and bool(difference.mean() <= 0),
    }


def _clearly_lower(differences: Float[np.ndarray, " seeds"]) -> bool:
    return bool(differences.mean() + differences.std(ddof=1) / np.sqrt(len(differences)) <= 0)


def best_of_asha(tune: Runs) -> str:
    """The cheapest that is reliably near; the nearest where none is."""
    near = {name: float((tune[name][:, 1] <= NEAR + 1e-9).mean()) for name in ASHA}
    able = [name for name in ASHA if near[name] >= RELIABLE] or [max(near, key=lambda name: near[name])]
    return min(able, key=lambda name: float(tune[name][:, 0].mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--only", help="settings whose name holds this; nothing is recorded")
    parser.add_argument("--pair", nargs=2, metavar=("ASHA", "OURS"), help="two settings that were chosen before")
    options = parser.parse_args()
    if options.pair:
        pair(*options.pair, options.seeds)
        return
    found: dict[str, dict[str, Float[np.ndarray, "seeds 2"]]] = {"tune": {}, "test": {}}
    for half, curves in halves().items():
        wanted = {**ASHA, **OURS, **(OTHERS if half == "test" else {})}
        for name, scheduler in wanted.items():
            if options.only is None or options.only in name:
                started = time.perf_counter()
                found[half][name] = runs(scheduler, curves, options.seeds)
                seconds = (time.perf_counter() - started) / options.seeds
                print(half, name, summary(found[half][name]), f"{seconds:.2f} s a seed", flush=True)
    if options.only is None:
        conclude(found)


def pair(theirs: str, ours: str, seeds: int) -> None:
    """Two settings with more seeds, for a narrower interval of their difference."""
    curves = halves()["test"]
    test = {name: runs({**ASHA, **OURS}[name], curves, seeds) for name in (theirs, ours)}
    figures = {"verdict": compared(theirs, ours, test), "test": {name: summary(rows) for name, rows in test.items()}}
    print(record("early_stopping_pair", {"half": "test"} | figures), figures)


def conclude(found: Mapping[str, Runs]) -> None:
    """Record the figures of both halves, and what came of the promise."""
    duels = [duel(name, found["tune"], found["test"]) for name in ASHA]
    best = best_of_asha(found["tune"])
    promised = {"epochs_share": PROMISED, "against": best, "regret": "no worse"}
    verdict = next(one for one in duels if one["asha"] == best)
    figures = {half: {name: summary(rows) for name, rows in there.items()} for half, there in found.items()}
    print(record("early_stopping", {"promised": promised, "verdict": verdict, "duels": duels} | figures))
    print(*duels, sep="\n")


if __name__ == "__main__":
    main()
