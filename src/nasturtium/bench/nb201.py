"""NAS-Bench-201 under three protocols: as published, without noise, and with the noise of single runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from nasturtium.bench import published
from nasturtium.bench.candidates import Rows
from nasturtium.bench.cells import IDENTITIES, NAME, SETS, Cells
from nasturtium.bench.files import column, find, fingerprint, numbers, read
from nasturtium.bench.metrics import Reached, Until
from nasturtium.bench.problem import Benchmark, Problem
from nasturtium.bench.published import Figure
from nasturtium.errors import DataError, RunError, hint
from nasturtium.roles import Outcome
from nasturtium.space import Architecture
from nasturtium.trial import Fidelity, Objective

BUDGET_S = 12_000.0
MOST_QUERIES = 2000
NOISY_QUERIES = (20, 50, 100)
RUNS = {"c10": "c10_val_200", "c100": "c100_valtest_200", "in16": "in16_valtest_200"}
"""Columns of the single runs."""

Settings = Mapping[str, Mapping[str, Any]]
OFFICIAL: Settings = MappingProxyType(
    {
        "regularized-evolution": {"population": 10, "sample": 3},
        "local-search": {"initial": 1},
        "reinforce": {"rate": 0.5},
        "bohb": {"startup": 8, "draws": 4, "min_epochs": 3, "max_epochs": 108, "eta": 3},
    }
)
"""As in the benchmark's own scripts (AutoDL-Projects); local search from one random start. BOHB's brackets are made of
3 to 108 epochs there, and yet every query is answered after the same training."""
QUERIES: Settings = MappingProxyType(
    {
        "regularized-evolution": {"population": 30, "sample": 10},
        "local-search": {"initial": 1},
    }
)
"""As in naszilla's."""
OWN: Mapping[str, str] = MappingProxyType({"auto": "networks"})
"""Published strategies were published on raw strings; ours tells networks apart."""

Problems = Callable[[str], Sequence[Problem]]


def official(cells: Cells, queries: int | None) -> Problems:
    """12-epoch validation accuracy on CIFAR-10 for 12,000 s; then the best cell's test accuracies after 200 epochs.

    A query costs 12/200 of the recorded seconds of the 200-epoch training on CIFAR-10 (109.7 s on average). One that
    would end after the budget is not made.
    """
    purpose = "which the protocol 'official' needs"
    accuracy = cells.numbers("c10_val_12", f"{purpose} (validation accuracy after 12 epochs)")
    seconds = cells.numbers("train_s_200_c10", f"{purpose} (seconds of a training)") * 12 / 200
    tests = {f"{one}_test": cells.numbers(f"{one}_test_200", purpose) for one in SETS}

    def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
        row = cells.lookup(architecture)
        return Outcome({"c10_val_12": float(accuracy[row])}, seconds=float(seconds[row]))

    def reported(architecture: Architecture, seed: int) -> dict[str, float]:
        row = cells.lookup(architecture)
        return {name: float(values[row]) for name, values in tests.items()}

    def problems(identity: str) -> Sequence[Problem]:
        candidates = cells.candidates(identity)
        return (
            Problem(
                benchmark=NAME,
                protocol="official",
                key="",
                objectives=(Objective("c10_val_12", "maximize"),),
                candidates=lambda seed: candidates,
                query=query,
                reported=reported,
                metrics=tuple(Reached(name, "maximize", name) for name in tests),
                trials=min(len(accuracy), queries or MOST_QUERIES),
                expected=int(BUDGET_S / float(seconds.mean())),
                seconds=BUDGET_S,
                epochs=12,
                clock="seconds",
            ),
        )

    return problems


def noise_free(cells: Cells, queries: int | None) -> Problems:
    """Three searches, each on the mean 200-epoch test accuracy of one data set, until a best cell is evaluated."""
    purpose = "which the protocol 'queries' needs"
    accuracies = {one: cells.numbers(f"{one}_test_200", purpose) for one in SETS}

    def problem(one: str, candidates: Rows) -> Problem:
        name, values = f"{one}_test_200", accuracies[one]
        best = float(values.max())
        return Problem(
            benchmark=NAME,
            protocol="queries",
            key=one,
            objectives=(Objective(name, "maximize"),),
            candidates=lambda seed: candidates,
            query=lambda architecture, fidelity, seed: Outcome({name: float(values[cells.lookup(architecture)])}),
            metrics=(Until(f"queries_to_best_{one}", name, best, "maximize"),),
            trials=min(len(values), queries or MOST_QUERIES),
            epochs=200,
            goal=best,
        )

    return lambda identity: [problem(one, cells.candidates(identity)) for one in SETS]


def noisy(cells: Cells, queries: int | None) -> Problems:
    """Three searches, each on single 200-epoch runs of one data set; then the mean test accuracy of the best seen.

    Which of a cell's 2 or 3 runs is seen follows from the seed of the trial. C10's are validation accuracies; C100's
    and IN16's the accuracies on validation and test rows together, which is what is recorded of single runs.
    """
    path = find(cells.path.parent, "nb201_runs")
    where = repr(path.name)
    table = read(path)
    cell = numbers(table, "idx", where, "which names the cells").astype(int)
    row = {index: at for at, index in enumerate(column(cells.table, "idx", cells.where, "which joins the runs"))}
    unknown = [index for index in cell.tolist() if index not in row]
    if unknown:
        raise DataError(f"{where} has runs of cell {unknown[0]}, which {cells.where} has not. Give tables that match.")
    order = np.argsort([row[index] for index in cell.tolist()], kind="stable")
    counts = np.bincount([row[index] for index in cell.tolist()], minlength=len(cells.codes))
    if not counts.all():
        missing = int(np.flatnonzero(counts == 0)[0])
        raise DataError(f"{where} has no run of the cell in row {missing} of {cells.where}. Give tables that match.")
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])

    def problem(one: str, candidates: Rows) -> Problem:
        name = RUNS[one]
        values = numbers(table, name, where, "which the protocol 'noisy' needs")[order]
        tests = cells.numbers(f"{one}_test_200", "which the protocol 'noisy' needs")

        def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
            at = cells.lookup(architecture)
            return Outcome({name: float(values[first[at] + seed % counts[at]])})

        most = queries or NOISY_QUERIES[-1]
        shown = f"{one}_test"
        return Problem(
            benchmark=NAME,
            protocol="noisy",
            key=one,
            objectives=(Objective(name, "maximize"),),
            candidates=lambda seed: candidates,
            query=query,
            reported=lambda architecture, seed: {shown: float(tests[cells.lookup(architecture)])},
            metrics=tuple(
                Reached(f"{shown}_after_{count}", "maximize", shown, count) for count in NOISY_QUERIES if count <= most
            ),
            trials=min(len(tests), most),
            epochs=200,
        )

    return lambda identity: [problem(one, cells.candidates(identity)) for one in SETS]


@dataclass(frozen=True)
class Protocol:
    """How the table is searched, with which published settings, and what was published."""

    problems: Callable[[Cells, int | None], Problems]
    settings: Settings
    figures: tuple[Figure, ...] = ()


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "official": Protocol(official, OFFICIAL, published.NB201_OFFICIAL),
        "queries": Protocol(noise_free, QUERIES, published.NB201_QUERIES),
        "noisy": Protocol(noisy, QUERIES),
    }
)


def load_nb201(folder: Path, protocol: str | None, queries: int | None) -> Benchmark:
    """The benchmark under a protocol (default: official). Raises `DataError` and `RunError`."""
    name = protocol or "official"
    if name not in PROTOCOLS:
        raise RunError(f"nb201 has no protocol {name!r}. {hint(name, PROTOCOLS)}")
    chosen = PROTOCOLS[name]
    cells = Cells(folder)
    problems = chosen.problems(cells, queries)
    return Benchmark(
        name=NAME,
        protocol=name,
        problems=problems,
        fingerprint=fingerprint(cells.path),
        identities=IDENTITIES,
        own=OWN,
        settings=chosen.settings,
        figures=chosen.figures,
    )
