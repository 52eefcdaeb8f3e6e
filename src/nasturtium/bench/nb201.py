"""NAS-Bench-201 from a table of its 15,625 cells.

Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020
(arXiv:2001.00326); labels of NATS-Bench (Dong et al., TPAMI 2021).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from nasturtium.bench import published
from nasturtium.bench.candidates import Codes, Rows, TableSpace
from nasturtium.bench.files import column, find, fingerprint, numbers, read, refuse_duplicates
from nasturtium.bench.metrics import Reached, Until
from nasturtium.bench.problem import Benchmark, Problem
from nasturtium.blocks import NB201_OPERATIONS
from nasturtium.errors import DataError, RunError, hint
from nasturtium.roles import Outcome
from nasturtium.space import Architecture, choice
from nasturtium.task import Signal, Task
from nasturtium.trial import Fidelity, Objective

if TYPE_CHECKING:
    import pandas as pd

NAME = "nb201"
SETS = ("c10", "c100", "in16")
BUDGET_S = 12_000.0
MOST_QUERIES = 2000
EXPECTED_QUERIES = 110
CIFAR = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")

OFFICIAL: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "regularized-evolution": {"population": 10, "sample": 3},
        "local-search": {"initial": 1},
    }
)
"""As in the benchmark's own scripts (anchors 9)."""
QUERIES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "regularized-evolution": {"population": 30, "sample": 10},
        "local-search": {"initial": 1},
    }
)
"""Naszilla's evolution, and local search from one random start."""
OWN: Mapping[str, str] = MappingProxyType({"auto": "networks"})
"""Published strategies were published on raw strings; ours tells networks apart."""


class Cells:
    """The table, its rows as codes of six operations."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.path = find(folder, name)
        self.where = repr(self.path.name)
        self.table = read(self.path)
        self.codes = cell_codes(self.table, self.where)
        self.row = {codes: row for row, codes in enumerate(self.codes)}

    def numbers(self, name: str, purpose: str) -> Float[np.ndarray, " rows"]:
        return numbers(self.table, name, self.where, purpose)

    def lookup(self, architecture: Architecture) -> int:
        """The row of an architecture: of the raw cell that was proposed, whatever it is equal to."""
        assert architecture.codes is not None
        return self.row[architecture.codes]

    def candidates(self, identity: str) -> Rows:
        return _candidates(identity, tuple(self.codes))


def cell_codes(table: "pd.DataFrame", where: str) -> list[Codes]:
    """Codes of the cells in the column `arch`. Raises `DataError` for unknown operations and cells that come twice."""
    texts = column(table, "arch", where, "which names the cells").astype(str).tolist()
    code = {name: place for place, name in enumerate(NB201_OPERATIONS)}
    codes = []
    for row, text in enumerate(texts):
        operations = [part.split("~") for node in text.split("+") for part in node.strip("|").split("|")]
        if [part[1:] for part in operations] != [["0"], ["0"], ["1"], ["0"], ["1"], ["2"]]:
            raise DataError(
                f"Row {row} of {where} has the cell {text!r}, which is not of the form "
                "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|. Write its six operations so."
            )
        for name, _ in operations:
            if name not in code:
                raise DataError(f"Row {row} of {where} has the unknown operation {name!r}. {hint(name, code)}")
        codes.append(tuple(code[name] for name, _ in operations))
    refuse_duplicates(codes, texts, where)
    return codes


@lru_cache(maxsize=4)
def _candidates(identity: str, codes: tuple[Codes, ...]) -> Rows:
    """strings: every cell is its own. networks: cells that are the same network are one, and features are known."""
    if identity == "strings":
        return Rows(TableSpace(tuple(choice(*NB201_OPERATIONS) for _ in range(6)), None, "nb201-strings"), codes)
    from nasturtium.hardware import CostModel, LimitedCandidates, Limits
    from nasturtium.zoo import nasbench201

    space = TableSpace(nasbench201(CIFAR), CIFAR, "nasbench201")
    return Rows(space, codes, LimitedCandidates(space, CostModel(space), Limits()).features)


def official(cells: Cells, queries: int | None) -> Callable[[str], Sequence[Problem]]:
    """12-epoch validation accuracy on CIFAR-10 for 12,000 s; then the best cell's test accuracies after 200 epochs.

    A query costs 12/200 of the recorded seconds of the 200-epoch training on CIFAR-10 (109.7 s on average). One that
    would end after the budget is not made.
    """
    purpose = "which the protocol 'official' needs"
    accuracy = cells.numbers("c10_val_12", f"{purpose}: validation accuracy after 12 epochs")
    seconds = cells.numbers("train_s_200_c10", f"{purpose}: seconds of a training") * 12 / 200
    tests = {f"{one}_test": cells.numbers(f"{one}_test_200", purpose) for one in SETS}

    def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
        row = cells.lookup(architecture)
        return Outcome({"c10_val_12": float(accuracy[row])}, seconds=float(seconds[row]))

    def reported(architecture: Architecture) -> dict[str, float]:
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
                seconds=BUDGET_S,
                epochs=12,
                clock="seconds",
            ),
        )

    return problems


def noise_free(cells: Cells, queries: int | None) -> Callable[[str], Sequence[Problem]]:
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

    def problems(identity: str) -> Sequence[Problem]:
        candidates = cells.candidates(identity)
        return [problem(one, candidates) for one in SETS]

    return problems


PROTOCOLS = MappingProxyType(
    {
        "official": (official, OFFICIAL, published.NB201_OFFICIAL),
        "queries": (noise_free, QUERIES, published.NB201_QUERIES),
    }
)


def load_nb201(folder: Path, protocol: str | None, queries: int | None) -> Benchmark:
    """The benchmark under a protocol (default: official). Raises `DataError` and `RunError`."""
    chosen = protocol or "official"
    if chosen not in PROTOCOLS:
        raise RunError(f"nb201 has no protocol {chosen!r}. {hint(chosen, PROTOCOLS)}")
    make, settings, figures = PROTOCOLS[chosen]
    cells = Cells(folder)
    return Benchmark(
        name=NAME,
        protocol=chosen,
        problems=make(cells, queries),
        fingerprint=fingerprint(cells.path),
        identities=("strings", "networks"),
        own=OWN,
        settings=settings,
        figures=figures,
    )
