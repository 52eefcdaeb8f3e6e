"""Learning curves of a spiking cell space on CIFAR-10: for schedulers and the extrapolation of curves."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nasturtium.bench.candidates import Rows, TableSpace
from nasturtium.bench.files import find, fingerprint, numbers, read, refuse_duplicates
from nasturtium.bench.metrics import Reached, Spent, Until
from nasturtium.bench.plain import MOST_QUERIES, plain_metrics
from nasturtium.bench.problem import Benchmark, Problem
from nasturtium.errors import DataError, RunError, hint
from nasturtium.roles import Outcome
from nasturtium.space import Architecture, choice
from nasturtium.trial import Fidelity, Objective

NAME = "spiking"
EDGES = ("e01", "e02", "e03", "e12", "e13", "e23")
OPERATIONS = 5
EPOCHS = 100
CELLS = 200
NEAR = 0.3
PER_PERCENT = 250.0
"""The file holds whole numbers: accuracy in percent times this."""
SCORE = "val_accuracy"


def load_spiking(folder: Path, protocol: str | None, queries: int | None) -> Benchmark:
    """curves (default): each seed draws 200 cells, and all of them are searched; what does it cost to pick a good one?

    queries: a search of all cells. Scores are the best validation accuracy so far, in percent. Raises `DataError` and
    `RunError`.
    """
    protocols = {"curves": _curves, "queries": _queries}
    name = protocol or "curves"
    if name not in protocols:
        raise RunError(f"{NAME} has no protocol {name!r}. {hint(name, protocols)}")
    path = find(folder, "spikenas_c10")
    held = find(folder, "spikenas_c10_valacc", (".npz",))
    table, where = read(path), repr(path.name)
    curves, kept = read_curves(held, numbers(table, "idx", where, "which joins the curves").astype(int))
    codes = [tuple(row) for row in np.column_stack([_operations(table, edge, where) for edge in EDGES])[kept].tolist()]
    refuse_duplicates(codes, [str(row) for row in codes], where)
    operations = [str(operation) for operation in range(OPERATIONS)]
    candidates = Rows(TableSpace(tuple(choice(*operations) for _ in EDGES), None, NAME), codes)
    problem = protocols[name](candidates, curves, queries)
    return Benchmark(NAME, name, lambda identity: (problem,), fingerprint(path, held))


def read_curves(path: Path, rows: np.ndarray) -> tuple[Float[np.ndarray, "cells epochs"], np.ndarray]:
    """Curves of the cells that were trained for 100 epochs, in percent, and the rows of the table that they are of."""
    with np.load(path, allow_pickle=False) as held:
        missing = [name for name in ("idx100", "val_acc_x250_100") if name not in held]
        if missing:
            raise DataError(f"{path.name!r} has no array {missing[0]!r}. {hint(missing[0], held)}")
        index, values = held["idx100"], held["val_acc_x250_100"] / PER_PERCENT
    place = {cell: row for row, cell in enumerate(rows.tolist())}
    unknown = [cell for cell in index.tolist() if cell not in place]
    if unknown:
        raise DataError(f"{path.name!r} has the curve of cell {unknown[0]}, which the table has not.")
    return values, np.array([place[cell] for cell in index.tolist()])


def _operations(table: object, edge: str, where: str) -> np.ndarray:
    codes = numbers(table, edge, where, "which is an edge").astype(int)  # type: ignore[arg-type]
    wrong = np.flatnonzero((codes < 0) | (codes >= OPERATIONS))
    if len(wrong):
        raise DataError(
            f"Row {wrong[0]} of {where} has the unknown operation {codes[wrong[0]]} in {edge!r}: known are 0 … "
            f"{OPERATIONS - 1}."
        )
    return codes


def _query(candidates: Rows, curves: np.ndarray) -> Callable[[Architecture, Fidelity, int], Outcome]:
    def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
        curve = curves[candidates.row[candidates.space.codes(architecture)], : fidelity.epochs]
        return Outcome({SCORE: float(curve.max())}, curve=tuple(curve.tolist()), seconds=float(len(curve)))

    return query


def _curves(candidates: Rows, curves: np.ndarray, queries: int | None) -> Problem:
    finals = curves.max(axis=1)
    count = min(len(curves), queries or CELLS)

    @lru_cache(maxsize=1000)
    def drawn(seed: int) -> Rows:
        return candidates.subset(count, seed)

    @lru_cache(maxsize=1000)
    def best(seed: int) -> float:
        return max(float(finals[candidates.row[codes]]) for codes in drawn(seed).row)

    def regret(architecture: Architecture, seed: int) -> dict[str, float]:
        return {"regret": best(seed) - float(finals[candidates.row[candidates.space.codes(architecture)]])}

    return Problem(
        benchmark=NAME,
        protocol="curves",
        key="",
        objectives=(Objective(SCORE, "maximize"),),
        candidates=drawn,
        query=_query(candidates, curves),
        reported=regret,
        metrics=(
            Until(f"epochs_to_within_{NEAR}", "regret", NEAR, "minimize", clock="epochs"),
            Reached("regret", "minimize", "regret"),
            Spent("epochs_spent", "epochs"),
        ),
        trials=count * EPOCHS,
        expected=count,
        epochs=EPOCHS,
        curves=True,
        clock="epochs",
    )


def _queries(candidates: Rows, curves: np.ndarray, queries: int | None) -> Problem:
    best, trials = float(curves.max()), min(len(curves), queries or MOST_QUERIES)
    return Problem(
        benchmark=NAME,
        protocol="queries",
        key="",
        objectives=(Objective(SCORE, "maximize"),),
        candidates=lambda seed: candidates,
        query=_query(candidates, curves),
        metrics=plain_metrics(SCORE, "maximize", best, len(curves), trials),
        trials=trials,
        epochs=EPOCHS,
        curves=True,
        goal=best,
    )
