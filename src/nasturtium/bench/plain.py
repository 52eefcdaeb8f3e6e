"""Any table as a benchmark: columns that are decisions, and a column to optimise."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.bench.candidates import Codes, Rows, TableSpace
from nasturtium.bench.files import column, fingerprint, numbers, read, refuse_duplicates
from nasturtium.bench.metrics import Metric, Reached, Until
from nasturtium.bench.problem import Benchmark, Problem
from nasturtium.errors import DataError
from nasturtium.roles import Outcome
from nasturtium.space import Architecture, choice, integer
from nasturtium.trial import Direction, Fidelity, Objective

if TYPE_CHECKING:
    import pandas as pd

MOST_QUERIES = 2000
AFTER = (20, 50, 100)


@dataclass(frozen=True)
class Column:
    """A decision column. values: the different ones, in order. ordered: are they levels of a number?"""

    name: str
    values: tuple[Any, ...]
    ordered: bool

    @property
    def decision(self) -> Any:
        if self.ordered:
            return integer(0, len(self.values) - 1)
        return choice(**{f"{place}:{value}": str(value) for place, value in enumerate(self.values)})

    def words(self) -> str:
        kind = "levels" if self.ordered else "options"
        ends = [
            f"{value:.6g}" if isinstance(value, float) else f"{value}" for value in (self.values[0], self.values[-1])
        ]
        if len(self.values) == 1:
            return f"{self.name}: always {ends[0]}"
        return f"{self.name}: {len(self.values)} {kind}, {ends[0]} … {ends[1]}"


def load_plain(
    path: Path,
    decisions: Sequence[str],
    objective: str,
    direction: Direction,
    queries: int | None,
    name: str | None = None,
) -> Benchmark:
    """A benchmark of one problem, by default named as the file. Raises `DataError` naming what is wrong with it."""
    where, called = repr(path.name), name or path.stem
    table = read(path)
    if not decisions:
        raise DataError(f"Say which columns of {where} are decisions: --decisions {','.join(list(table.columns)[:3])}.")
    if objective in decisions:
        raise DataError(f"Column {objective!r} is named as a decision and as the objective. Name it once.")
    scores = numbers(table, objective, where, "which is the objective")
    columns = [decision_column(table, name, where) for name in dict.fromkeys(decisions)]
    codes = codes_of(table, columns)
    refuse_duplicates(codes, described(table, columns), where)
    space = TableSpace(tuple((f"d{place}", one.decision) for place, one in enumerate(columns)), None, path.stem)
    candidates = Rows(space, codes)

    def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
        return Outcome({objective: float(scores[candidates.row[space.codes(architecture)]])})

    trials = min(len(scores), queries or MOST_QUERIES)
    best = float(scores.max() if direction == "maximize" else scores.min())
    problem = Problem(
        benchmark=called,
        protocol="plain",
        key="",
        objectives=(Objective(objective, direction),),
        candidates=lambda seed: candidates,
        query=query,
        metrics=plain_metrics(objective, direction, best, len(scores), trials),
        trials=trials,
        goal=best,
    )
    return Benchmark(
        name=called,
        protocol="plain",
        problems=lambda identity: (problem,),
        fingerprint=f"{fingerprint(path)} {','.join(one.name for one in columns)} {direction} {objective}",
        notes=tuple(one.words() for one in columns),
    )


def plain_metrics(objective: str, direction: Direction, best: float, rows: int, trials: int) -> tuple[Metric, ...]:
    """Queries to the best row, and the best score after so many queries as a search has, or has rows to ask for.

    After as many queries as there are rows every search has seen them all, which ranks nobody.
    """
    asked = [count for count in AFTER if count <= trials or trials == rows] or [trials]
    after = [Reached(f"best_after_{count}", direction, objective, count, ranked=count < rows) for count in asked]
    return (Until("queries_to_best", objective, best, direction), *after)


def decision_column(table: "pd.DataFrame", name: str, where: str) -> Column:
    """Text and true/false are options. Numbers are levels in their order, but for codes 0, 1, 2 … of a few options."""
    import pandas as pd

    found = column(table, name, where, "which is a decision")
    missing = int(found.isna().sum())
    if missing:
        row = int(np.flatnonzero(found.isna())[0])
        raise DataError(
            f"The decision {name!r} of {where} has no value in {missing:,} of {len(found):,} rows, first in row {row} "
            "(counted from 0). Write a value for 'none' there, or leave these rows out. In a CSV the words None, NA, "
            "null and nan are read as no value: write another, such as 'off'."
        )
    inside = next((value for value in found.tolist() if not isinstance(value, Hashable)), None)
    if inside is not None:
        raise DataError(
            f"The decision {name!r} of {where} holds a {type(inside).__name__} in its cells, where text, numbers or "
            "true/false are needed. Write it as text, or as a column for each part."
        )
    numeric = pd.api.types.is_numeric_dtype(found) and not pd.api.types.is_bool_dtype(found)
    values = tuple(sorted(found.unique().tolist(), key=None if numeric else str))
    return Column(name, values, numeric and not are_codes(values))


MOST_CODES = 8


def are_codes(values: Sequence[Any]) -> bool:
    """Do the numbers look like codes of operations? 0, 1, 2 … without a gap, and few of them."""
    return len(values) <= MOST_CODES and list(values) == list(range(len(values)))


def codes_of(table: "pd.DataFrame", columns: Sequence[Column]) -> list[Codes]:
    """The rows as codes of the space."""
    columns_of_codes = []
    for one in columns:
        place: Mapping[Any, int] = {value: code for code, value in enumerate(one.values)}
        columns_of_codes.append([place[value] for value in table[one.name].tolist()])
    return list(zip(*columns_of_codes, strict=True))


def described(table: "pd.DataFrame", columns: Sequence[Column]) -> list[str]:
    """Each row's decisions in words."""
    listed = [table[one.name].tolist() for one in columns]
    names = [one.name for one in columns]
    return [
        ", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True))
        for row in zip(*listed, strict=True)
    ]
