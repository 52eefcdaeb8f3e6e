"""Zero-cost proxies on NAS-Bench-201: rank correlation with the accuracy of trained cells, and CPU seconds.

Figures to reach: Spearman with CIFAR-10 test accuracy (200 epochs, mean of the runs) within 0.06 of a published value
for each proxy, and at least 0.90 for the best aggregate; all proxies of one architecture together in at most 3.3 CPU
seconds of one thread (1.5 x the reference implementation's grasp).

Settings: 200 random cells of the 15,625 in the networks of the benchmark (C = 16, N = 5, dead edges kept), torch's own
initialisation, one seed a cell; one batch of 64 training rows of CIFAR-10 (and a second for zico), standardised, not
augmented. Scores that are not defined rank last. Intervals: 95 %, percentile bootstrap over the cells.

Run: python benchmarks/proxies.py (about ten minutes; needs NASTURTIUM_DATA, or ../shared/data)

How much of a proxy is chance: `--initialisations 5 --proxies plain` measures only the named ones, over as many
initialisations of the same cells, and writes proxies-initialisations.json: Spearman of each initialisation, of one's
scores with another's, and of their mean. Only that tells noise from a wrong implementation: two runs of one code agree
no better than their seeds do. It replaces no figure of proxies.json, whose check it leaves as it is.
"""

import argparse
import importlib.util
import itertools
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from _record import record
from scipy.stats import spearmanr

from nasturtium.blocks import NB201_OPERATIONS, NB201Cell, build
from nasturtium.proxies import AZ_NAS, PROXIES, Batch, log_rank_aggregate, measure
from nasturtium.task import Signal, Task
from nasturtium.zoo.nasbench201 import network

CELLS, COSTED, ALONE, ROWS, SEED, RESAMPLES = 200, 20, 5, 64, 0, 2000
MOST_SECONDS, BAND, LEAST_AGGREGATE = 3.3, 0.06, 0.90
SEEDS_APART = 100_000  # more than there are cells, so that no two networks share a seed
EDGES = ("op_01", "op_02", "op_12", "op_03", "op_13", "op_23")
TASK = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")
VKDNW, ZERO_COST, ZICO, AZ, SUITE = (
    "VKDNW, CVPR 2025, table 1",
    "Zero-Cost-NAS notebooks, all cells, validation accuracy",
    "ZiCo, ICLR 2023",
    "AZ-NAS notebook, all cells",
    "NAS-Bench-Suite-Zero, its scores against the same accuracy",
)
PUBLISHED: dict[str, dict[str, float]] = {
    "params": {ZICO: 0.75},
    "macs": {VKDNW: 0.799, ZICO: 0.73},
    "grad_norm": {VKDNW: 0.438, ZERO_COST: 0.594},
    "snip": {VKDNW: 0.591, ZERO_COST: 0.596},
    "grasp": {VKDNW: 0.505, ZERO_COST: 0.514},
    "fisher": {ZERO_COST: 0.360, ZICO: 0.55},
    "synflow": {VKDNW: 0.758, ZERO_COST: 0.737, ZICO: 0.73},
    "jacov": {VKDNW: 0.800, ZERO_COST: 0.731},
    "nwot": {VKDNW: 0.762},
    "zen": {VKDNW: 0.103, ZICO: 0.38},
    "zico": {VKDNW: 0.802, ZICO: 0.80},
    "az_nas": {VKDNW: 0.892, AZ: 0.913},
}
# Fixed before the first run over all cells: AZ-NAS as published; with the two data-dependent proxies that correlate
# best in the published tables; and VKDNW's aggregate without its own score.
AGGREGATES: dict[str, tuple[str, ...]] = {
    "az_nas": AZ_NAS,
    "az_nas + jacov": (*AZ_NAS, "jacov"),
    "az_nas + nwot": (*AZ_NAS, "nwot"),
    "az_nas + jacov + nwot": (*AZ_NAS, "jacov", "nwot"),
    "expressivity + trainability + jacov + macs": ("expressivity", "trainability", "jacov", "macs"),
}


def folder() -> Path:
    return Path(os.environ.get("NASTURTIUM_DATA", Path(__file__).parents[2] / "shared" / "data"))


def batch(rows: int = ROWS, seed: int = SEED) -> Batch:
    """Random training rows of CIFAR-10, and as many others."""
    spec = importlib.util.spec_from_file_location("shared_load", folder() / "load.py")
    assert spec is not None
    assert spec.loader is not None
    load = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(load)
    images, labels, _, _ = load.cifar10(folder() / "sets/cifar10")
    mean, std = images.mean((0, 1, 2)) / 255, images.std((0, 1, 2)) / 255
    drawn = np.random.default_rng(seed).permutation(len(images))[: 2 * rows]
    inputs = torch.tensor(((images[drawn] / 255 - mean) / std).transpose(0, 3, 1, 2), dtype=torch.float32)
    targets = torch.tensor(labels[drawn])
    return Batch(inputs[:rows], targets[:rows], TASK, Batch(inputs[rows:], targets[rows:], TASK))


def module(row: "pd.Series[Any]", initialisation: int = 0) -> torch.nn.Module:
    cell = NB201Cell(tuple(NB201_OPERATIONS[int(row[edge])] for edge in EDGES), prune=False)
    return build(network(TASK, cell).lower(TASK.input), TASK.input, seed=int(row["idx"]) + SEEDS_APART * initialisation)


def timed(row: "pd.Series[Any]", rows: Batch, names: list[str] | None) -> tuple[dict[str, float], float]:
    """Scores, and CPU seconds for them, the building of the network apart."""
    built = module(row)
    start = time.process_time()
    scores = measure(built, rows, names, seed=SEED)
    return scores, time.process_time() - start


def correlation(scores: np.ndarray, accuracy: np.ndarray) -> dict[str, Any]:
    filled = np.where(np.isnan(scores), -np.inf, scores)
    rng = np.random.default_rng(SEED)
    picks = rng.integers(len(filled), size=(RESAMPLES, len(filled)))
    low, high = np.nanpercentile([spearmanr(filled[p], accuracy[p]).statistic for p in picks], (2.5, 97.5))
    value = float(spearmanr(filled, accuracy).statistic)
    return {"spearman": round(value, 3), "interval_95": [round(float(low), 3), round(float(high), 3)]}


def against_published(name: str, found: dict[str, Any], suite: float | None) -> dict[str, Any]:
    """The published values beside ours, and whether ours is within the band of one of them."""
    published = PUBLISHED.get(name, {}) | ({} if suite is None else {SUITE: round(suite, 3)})
    if not published:
        return found
    nearest = min(abs(found["spearman"] - value) for value in published.values())
    return found | {"published": published, "off_by": round(nearest, 3), "within_band": nearest <= BAND}


def summary(seconds: list[float]) -> dict[str, float]:
    values = np.array(seconds)
    named = {"mean": values.mean(), "std": values.std(ddof=1), "low": values.min(), "high": values.max()}
    return {name: round(float(value), 3) for name, value in named.items()} | {"n": len(seconds)}


def suite_table(cells: pd.DataFrame) -> pd.DataFrame:
    scores = pd.read_parquet(folder() / "benchmarks/nb201_zcproxies.parquet")
    named = scores[scores["dataset"] == "cifar10"].drop(columns="dataset").rename(columns={"flops": "macs"})
    return cells[["idx", "c10_test_200"]].merge(named, on="idx")


def paired(ours: "pd.Series[Any]", theirs: "pd.Series[Any]", accuracy: "pd.Series[Any]") -> dict[str, float]:
    """On the cells that the suite has too, which are no random part of the space: ours and its scores side by side."""
    filled = ours.fillna(-np.inf)
    values = {
        "ours": spearmanr(filled, accuracy).statistic,
        "published": spearmanr(theirs, accuracy).statistic,
        "one_with_the_other": spearmanr(filled, theirs).statistic,
    }
    return {name: round(float(value), 3) for name, value in values.items()} | {"n": len(ours)}


def correlations(scores: pd.DataFrame, cells: pd.DataFrame, accuracy: np.ndarray) -> dict[str, Any]:
    """Of each proxy with accuracy and, where the suite has the cell, with its published score; and of aggregates."""
    suite = suite_table(cells)
    both = scores.merge(suite, on="idx", suffixes=("", "_published"))
    found: dict[str, Any] = {}
    for name in PROXIES:
        published = f"{name}_published"
        known = published in both
        whole = float(spearmanr(suite[name], suite["c10_test_200"]).statistic) if known else None
        found[name] = against_published(name, correlation(scores[name].to_numpy(), accuracy), whole)
        found[name]["undefined"] = int((~np.isfinite(scores[name])).sum())
        if known:
            found[name]["on_cells_of_the_suite"] = paired(both[name], both[published], both["c10_test_200"])
    for name, parts in AGGREGATES.items():
        joined = log_rank_aggregate({part: scores[part].to_numpy() for part in parts})
        found[name] = against_published(name, correlation(joined, accuracy), None)
    return found


def costs(chosen: pd.DataFrame, rows: Batch) -> dict[str, Any]:
    """CPU seconds of every proxy together on the first cells, and of each alone on a few of them."""
    timed(chosen.iloc[0], rows, None)  # the first one pays for what torch sets up
    together = [timed(row, rows, None)[1] for _, row in chosen.iloc[:COSTED].iterrows()]
    few = [row for _, row in chosen.iloc[:ALONE].iterrows()]
    alone = {name: summary([timed(row, rows, [name])[1] for row in few]) for name in PROXIES}
    return {"together": summary(together) | {"most": MOST_SECONDS}, "alone": alone}


def score(chosen: pd.DataFrame, rows: Batch) -> pd.DataFrame:
    """Every proxy of every cell."""
    measured = []
    for place, (_, row) in enumerate(chosen.iterrows()):
        measured.append({"idx": int(row["idx"])} | timed(row, rows, None)[0])
        if place % 20 == 19:
            print(f"{place + 1} cells", flush=True)
    return pd.DataFrame(measured)


def over_initialisations(chosen: pd.DataFrame, rows: Batch, names: list[str], count: int) -> dict[str, pd.DataFrame]:
    """Of each proxy, the score of every cell (row, by its idx) at every initialisation (column)."""
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    for place, (_, row) in enumerate(chosen.iterrows()):
        scores = [measure(module(row, k), rows, names, seed=SEED) for k in range(count)]
        for name in names:
            found[name].append([each[name] for each in scores])
        if place % 20 == 19:
            print(f"{place + 1} cells", flush=True)
    idx = chosen["idx"].to_numpy()
    return {name: pd.DataFrame(values, index=idx).fillna(-np.inf) for name, values in found.items()}


def chance(scores: pd.DataFrame, accuracy: np.ndarray, suite: pd.DataFrame, name: str) -> dict[str, Any]:
    """Spearman with accuracy of each initialisation and of their mean; of each pair of initialisations; and of each
    with the published scores, where the suite has the cell."""
    columns = list(scores.to_numpy().T)
    each = [float(spearmanr(column, accuracy).statistic) for column in columns]
    pairs = [float(spearmanr(one, other).statistic) for one, other in itertools.combinations(columns, 2)]
    found: dict[str, Any] = {
        "spearman": summary(each) | {"each": [round(value, 3) for value in each]},
        "of_the_mean": correlation(scores.mean(axis=1).to_numpy(), accuracy),
        "one_initialisation_with_another": summary(pairs),
    }
    if name in suite:
        theirs = suite.set_index("idx")[name]
        shared = scores.index.intersection(theirs.index)
        agreement = [float(spearmanr(ours, theirs[shared]).statistic) for ours in scores.loc[shared].to_numpy().T]
        found["one_with_the_published"] = summary(agreement) | {"cells": len(shared)}
    return found


def record_chance(
    cells: pd.DataFrame, chosen: pd.DataFrame, rows: Batch, names: list[str], count: int, out: Path | None
) -> None:
    suite, accuracy = suite_table(cells), chosen["c10_test_200"].to_numpy()
    measured = over_initialisations(chosen, rows, names, count)
    found = {name: chance(scores, accuracy, suite, name) for name, scores in measured.items()}
    print(found)
    settings = {"cells": len(chosen), "rows": ROWS, "seed": SEED, "threads": 1, "initialisations": count}
    record("proxies-initialisations", {"settings": settings, "chance": found}, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument(
        "--scores", type=Path, help="CSV file of the cells' scores: read where it is there, else written"
    )
    parser.add_argument("--out", type=Path, help="of the record; default: benchmarks/results/proxies.json")
    parser.add_argument("--initialisations", type=int, help="of every cell, at least 3: only how much chance there is")
    parser.add_argument("--proxies", nargs="+", choices=list(PROXIES), default=["plain"], help="with --initialisations")
    options = parser.parse_args()
    if options.initialisations is not None and options.initialisations < 3:
        parser.error("--initialisations: at least 3, since two give one pair, which has no spread")
    torch.set_num_threads(1)
    cells = pd.read_parquet(folder() / "benchmarks/nb201.parquet")
    chosen, rows = cells.sample(options.cells, random_state=SEED), batch()
    if options.initialisations is not None:
        record_chance(cells, chosen, rows, options.proxies, options.initialisations, options.out)
        return
    spent = costs(chosen, rows)
    if options.scores is not None and options.scores.exists():
        table = chosen[["idx"]].merge(pd.read_csv(options.scores), on="idx")
    else:
        table = score(chosen, rows)
        if options.scores is not None:
            table.to_csv(options.scores, index=False, float_format="%.7g")
    found = correlations(table, cells, chosen["c10_test_200"].to_numpy())
    best = max(AGGREGATES, key=lambda name: found[name]["spearman"])
    figures = {
        "settings": {"cells": len(table), "rows": ROWS, "seed": SEED, "threads": 1, "initialisation": "torch's own"},
        "spearman_c10_test_200": found,
        "best_aggregate": {"name": best, "of": len(AGGREGATES), "least": LEAST_AGGREGATE} | found[best],
        "outside_band": [name for name, values in found.items() if values.get("within_band") is False],
        "cpu_s": spent,
    }
    for name, values in found.items():
        print(name, {key: value for key, value in values.items() if key != "published"})
    print({key: figures[key] for key in ("best_aggregate", "outside_band", "cpu_s")})
    record("proxies", figures, options.out)


if __name__ == "__main__":
    main()
