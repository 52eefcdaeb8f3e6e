"""NAS-Bench-201 with two objectives: the error on CIFAR-100 and the latency on a Raspberry Pi 4.

Latencies are measured ones of HW-NAS-Bench (Li et al., ICLR 2021; arXiv:2103.10584).
"""

from pathlib import Path

import numpy as np

from nasturtium.bench.cells import IDENTITIES, Cells
from nasturtium.bench.files import find, fingerprint, numbers, read
from nasturtium.bench.hypervolume import hypervolume, nadir
from nasturtium.bench.metrics import Reached, Until
from nasturtium.bench.nb201 import OWN, QUERIES
from nasturtium.bench.problem import Benchmark, Problem, only
from nasturtium.errors import DataError
from nasturtium.roles import Outcome
from nasturtium.space import Architecture
from nasturtium.trial import Fidelity, Objective

NAME, PROTOCOL = "nb201-latency", "hypervolume"
LATENCY = "hwnb_c10_raspi4_latency"
MOST_QUERIES = 200
POPULATION = 20
BAR = 0.984
"""NSGA-II's mean share of the hypervolume after 200 queries: 0.9838 over 50 searches (standard deviation 0.0055), with
a population of `POPULATION`, so that there are ten generations. A constant, so that what the figure of another strategy
means does not depend on what it was run beside."""


def load_nb201_latency(folder: Path, protocol: str | None, queries: int | None) -> Benchmark:
    """Objectives: 100 - c100_test_200 in points, and the latency in ms. Raises `DataError` and `RunError`.

    The hypervolume is told as a share of what the front of the whole table has, up to a reference point: the worst
    error and latency on that front, and 10 % of its range more.
    """
    only(NAME, PROTOCOL, protocol)
    cells = Cells(folder)
    path = find(folder, "nb201_hw")
    table = read(path)
    where = repr(path.name)
    latency = numbers(table, LATENCY, where, "which is the latency")
    joined = numbers(table, "idx", where, "which names the cells")
    if not np.array_equal(joined, cells.numbers("idx", "which joins the latencies")):
        raise DataError(
            f"The rows of {where} are not those of {cells.where}: the columns 'idx' differ. Sort them alike."
        )
    losses = np.column_stack([100.0 - cells.numbers("c100_test_200", "which is the accuracy"), latency])
    reference, most = nadir(losses), min(len(losses), queries or MOST_QUERIES)
    whole = hypervolume(losses, reference)

    def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
        error, delay = losses[cells.lookup(architecture)]
        return Outcome({"c100_error": float(error), "latency_ms": float(delay)})

    def problem(identity: str) -> Problem:
        candidates = cells.candidates(identity)
        return Problem(
            benchmark=NAME,
            protocol=PROTOCOL,
            key="",
            objectives=(Objective("c100_error", "minimize"), Objective("latency_ms", "minimize")),
            candidates=lambda seed: candidates,
            query=query,
            metrics=(
                Reached(f"hypervolume_after_{most}", "maximize", "hypervolume", most),
                Until("queries_to_nsga2_200", "hypervolume", BAR, "maximize"),
            ),
            trials=most,
            epochs=200,
            reference=(float(reference[0]), float(reference[1])),
            whole=whole,
        )

    return Benchmark(
        name=NAME,
        protocol=PROTOCOL,
        problems=lambda identity: (problem(identity),),
        fingerprint=fingerprint(cells.path, path),
        identities=IDENTITIES,
        own=OWN,
        settings={**QUERIES, "nsga2": {"population": POPULATION}},
        notes=(
            f"Hypervolume as a share of the whole table's, up to {reference[0]:.1f} points of error and "
            f"{reference[1]:.1f} ms.",
            f"queries_to_nsga2_200: until {BAR:g} is reached, NSGA-II's mean after 200 queries (population "
            f"{POPULATION}, 50 searches).",
        ),
    )
