"""NAS-Bench-Macro: 8 layers of 3 operations each.

Su, Huang, You et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021 (arXiv:2103.11922).
"""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from nasturtium.bench import published
from nasturtium.bench.candidates import Codes, Rows, TableSpace
from nasturtium.bench.files import column, find, fingerprint, numbers, read, refuse_duplicates
from nasturtium.bench.metrics import Until
from nasturtium.bench.plain import MOST_QUERIES, plain_metrics
from nasturtium.bench.problem import Benchmark, Problem, only
from nasturtium.errors import DataError, hint
from nasturtium.roles import Features, Outcome
from nasturtium.space import Architecture, choice, encode
from nasturtium.trial import Fidelity, Objective

if TYPE_CHECKING:
    import pandas as pd

NAME, PROTOCOL = "nb-macro", "queries"
LAYERS = 8
OPERATIONS = ("identity", "mb3_k3", "mb6_k5")
NEAR = 0.05


def load_nb_macro(folder: Path, protocol: str | None, queries: int | None) -> Benchmark:
    """Objective: the mean test accuracy of three runs, without noise. Features: encoding, costs of the table, graph."""
    only(NAME, PROTOCOL, protocol)
    path = find(folder, "nb_macro")
    table = read(path)
    where = repr(path.name)
    codes = layer_codes(table, where)
    accuracy = numbers(table, "mean_acc", where, "which is the objective")
    costs = np.log1p(np.column_stack([numbers(table, name, where, "which is a cost") for name in ("params", "flops")]))
    space = TableSpace(tuple(choice(*OPERATIONS) for _ in range(LAYERS)), None, NAME)

    def features(architecture: Architecture) -> Features:
        codes = space.codes(architecture)
        encoding = np.asarray(encode(architecture), dtype=float)
        return {"encoding": encoding, "costs": costs[candidates.row[codes]], "graph": chain_features(codes)}

    candidates = Rows(space, codes, features)

    def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
        return Outcome({"mean_acc": float(accuracy[candidates.row[space.codes(architecture)]])})

    best, trials = float(accuracy.max()), min(len(accuracy), queries or MOST_QUERIES)
    problem = Problem(
        benchmark=NAME,
        protocol=PROTOCOL,
        key="",
        objectives=(Objective("mean_acc", "maximize"),),
        candidates=lambda seed: candidates,
        query=query,
        metrics=(
            Until(f"queries_to_within_{NEAR}", "mean_acc", best - NEAR, "maximize"),
            *plain_metrics("mean_acc", "maximize", best, len(accuracy), trials),
        ),
        trials=trials,
        goal=best,
    )
    return Benchmark(
        name=NAME,
        protocol=PROTOCOL,
        problems=lambda identity: (problem,),
        fingerprint=fingerprint(path),
        settings={"regularized-evolution": {"population": 30, "sample": 10}, "local-search": {"initial": 1}},
        figures=published.NB_MACRO,
    )


def chain_features(codes: Codes) -> Float[np.ndarray, " features"]:
    """Of the chain of blocks that a network is, its identities gone: how many of each kind, and how many of each kind
    follow on each."""
    live = [code for code in codes if code > 0]
    follow = np.zeros((len(OPERATIONS), len(OPERATIONS)))
    for first, second in pairwise(live):
        follow[first, second] += 1
    return np.concatenate([[float(codes.count(code)) for code in range(len(OPERATIONS))], follow.ravel()])


def layer_codes(table: "pd.DataFrame", where: str) -> list[Codes]:
    """Codes of the networks in the column `arch`: eight digits 0, 1 or 2 each. Raises `DataError`."""
    codes = []
    texts = [str(text).zfill(LAYERS) for text in column(table, "arch", where, "which names the networks")]
    for row, text in enumerate(texts):
        if len(text) != LAYERS:
            raise DataError(f"Row {row} of {where} has the network {text!r}; it must be {LAYERS} digits, one a layer.")
        for digit in text:
            if digit not in "012":
                raise DataError(
                    f"Row {row} of {where} has the unknown operation {digit!r} in {text!r}. {hint(digit, '012')}"
                )
        codes.append(tuple(int(digit) for digit in text))
    refuse_duplicates(codes, texts, where)
    return codes
