"""Gradient-based one-shot search on NAS-Bench-201: which cells are derived, and what the table says of them.

Figures to reach (CIFAR-10 / CIFAR-100 / ImageNet16-120 test accuracy of the derived cell, mean of 3 seeds):
- DARTS, 50 epochs: 54.30 / 15.61 / 16.32, the published collapse to skip connections, announced before the end;
- GDAS, 250 epochs: 93.61 ± 0.09 / 70.70 ± 0.30 / 41.71 ± 0.98, within two standard deviations;
- the best of all: at least 94.0 / 72.9 / 46.0, each search within 20 minutes on one H100.

Settings: the published ones (`nasturtium.supernet`), supernet of C = 16, N = 5; the training rows of CIFAR-10 in two
halves, crops and mirrors; batch norms by the batch and without scale and shift in the cells; bf16 on CUDA.
`--size small` (one CPU thread): C = 8, N = 1, 10 epochs, 2,048 rows of Fashion-MNIST 28 x 28, mirrors; batch 64, and
arch_lr 0.02 instead of 3e-4, so that the architecture can move about as far in 160 steps as it does in 19,550 (3.2 of
5.9). Its cells are looked up in the table of CIFAR-10, made with other data, sizes and budgets: it says whether a
search ends in something sensible, not what the search is worth.
`--size long` (one CPU thread, about 6 minutes a search): C = 4, N = 1, 80 epochs, 8,192 rows of the same, 12 x 12,
arch_lr 0.0015: in 5,120 steps the weights are trained nearly to the end before the architecture has moved far. There
DARTS does collapse to skip connections, as published, and the monitor says so; so does DrNAS, and beta-DARTS does not.
`--size cifar` (one CPU thread, about 8 minutes a search): the same net and number of rows as "long", of CIFAR-10 itself
at 16 x 16, mirrors and shifts of an eighth, 60 epochs, arch_lr 0.002: in 3,840 steps the architecture can move as far
as in "long" (7.7; published for beta-DARTS: 11.7). GDAS, whose step is a third as long, takes 150 epochs: 2.5 times
those of beta-DARTS, as published (250 and 100), and can move 19.2 (29.3).

`gdas-broadcast` has the gradient of the authors' code, with which the published cells of GDAS were found.

Run on a GPU: python benchmarks/one_shot.py --methods darts gdas gdas-broadcast drnas beta-darts pc-darts snas --seeds 3
        in parts: --methods darts --seeds 1 --first-seed 2; a search that was interrupted goes on (--folder)
Run here: python benchmarks/one_shot.py --size small (needs NASTURTIUM_DATA, or ../shared/data)
"""

import argparse
import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from _record import record
from torch.nn import functional

from nasturtium.blocks import NB201_OPERATIONS
from nasturtium.roles import SearchBudget, Trace, Wanted
from nasturtium.space import Architecture
from nasturtium.supernet import Supernet
from nasturtium.supernet.beta_darts import beta_darts
from nasturtium.supernet.bilevel import Bilevel, Settings
from nasturtium.supernet.darts import darts
from nasturtium.supernet.drnas import PROGRESSIVE, drnas
from nasturtium.supernet.eigenvalue import EarlyStop
from nasturtium.supernet.gdas import gdas
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.pc_darts import pc_darts
from nasturtium.supernet.snas import snas_nasbench201
from nasturtium.task import Signal, Task
from nasturtium.training import Augmentation, find_device
from nasturtium.zoo.nasbench201 import nasbench201

METHODS: dict[str, Callable[[], Bilevel]] = {
    "darts": lambda: darts(Settings.nasbench201(), early_stop=EarlyStop(stop=False)),
    "darts-2": lambda: darts(Settings.nasbench201(), order=2),
    "r-darts": lambda: darts(Settings.nasbench201(), early_stop=EarlyStop()),
    "gdas": gdas,
    "gdas-broadcast": lambda: gdas(broadcast=True),
    "drnas": drnas,
    "drnas-progressive": lambda: drnas(stages=PROGRESSIVE),
    "beta-darts": beta_darts,
    "pc-darts": pc_darts,
    "snas": snas_nasbench201,
}
SMALL = ("darts", "gdas", "drnas", "beta-darts", "pc-darts")
EDGES = ("op_01", "op_02", "op_12", "op_03", "op_13", "op_23")
COLUMNS = ("c10_test_200", "c100_test_200", "in16_test_200")
WANTED = {"darts": (54.30, 15.61, 16.32), "gdas": (93.61, 70.70, 41.71), "best": (94.0, 72.9, 46.0)}
CIFAR = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")
FASHION = Task("classification", Signal("image", (1, 28, 28)), 10, "accuracy")


@dataclass(frozen=True)
class Size:
    """width, cells: C and N. side: of an image; rows: of Fashion-MNIST or `cifar`. Instead of the published ones:
    epochs, gdas_epochs (None: the same), arch_lr."""

    width: int
    cells: int
    side: int
    rows: int
    epochs: int
    arch_lr: float
    cifar: bool = False
    gdas_epochs: int | None = None

    def epochs_of(self, method: str) -> int:
        return self.gdas_epochs if method.startswith("gdas") and self.gdas_epochs else self.epochs


SIZES = {
    "small": Size(8, 1, 28, 2048, 10, 0.02),
    "long": Size(4, 1, 12, 8192, 80, 0.0015),
    "cifar": Size(4, 1, 16, 8192, 60, 0.002, cifar=True, gdas_epochs=150),
}


def folder() -> Path:
    return Path(os.environ.get("NASTURTIUM_DATA", Path(__file__).parents[2] / "shared" / "data"))


def cifar(size: Size | None = None) -> SearchRows:
    """All rows; or those of a size, smaller, too few for bf16 to pay."""
    spec = importlib.util.spec_from_file_location("shared_load", folder() / "load.py")
    assert spec is not None
    assert spec.loader is not None
    load = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(load)
    images, labels, _, _ = load.cifar10(folder() / "sets/cifar10")
    mean, std = images.mean((0, 1, 2)) / 255, images.std((0, 1, 2)) / 255
    if size is not None:
        rows = np.random.default_rng(0).permutation(len(images))[: size.rows]
        images, labels = images[rows], labels[rows]
    inputs = torch.tensor(((images / 255 - mean) / std).transpose(0, 3, 1, 2), dtype=torch.float32)
    augment = Augmentation(flip=True, shift=4 / 32)
    if size is None:
        return SearchRows(inputs, torch.tensor(labels), CIFAR, augment)
    inputs = functional.interpolate(inputs, size=(size.side, size.side), mode="area")
    task = replace(CIFAR, input=Signal("image", (3, size.side, size.side)))
    return SearchRows(inputs, torch.tensor(labels), task, augment, precision="float32")


def fashion(size: Size) -> SearchRows:
    with np.load(folder() / "sets/fashion_mnist.npz") as file:
        images, labels = file["x_train"], file["y_train"]
    rows = np.random.default_rng(0).permutation(len(images))[: size.rows]
    scaled = (images[rows][:, None] / 255 - images.mean() / 255) / (images.std() / 255)
    inputs, targets = torch.tensor(scaled, dtype=torch.float32), torch.tensor(labels[rows], dtype=torch.int64)
    inputs = functional.interpolate(inputs, size=(size.side, size.side), mode="area")
    task = replace(FASHION, input=Signal("image", (1, size.side, size.side)))
    return SearchRows(inputs, targets, task, Augmentation(flip=True), precision="float32")


def search(
    name: str, rows: SearchRows, seed: int, options: argparse.Namespace
) -> tuple[Architecture, Trace, float | None]:
    """One search, and its CPU seconds (None if it went on from a checkpoint, which is left in the folder)."""
    method, size = METHODS[name](), SIZES.get(options.size)
    if size is not None:
        method = method.with_settings(epochs=size.epochs_of(name), batch_size=64, arch_lr=size.arch_lr)
    width, cells = (16, 5) if size is None else (size.width, size.cells)
    space = nasbench201(rows.task, width=width, cells=cells, prune=False)
    device = find_device(options.device)
    supernet = Supernet(space, seed=seed, partial=method.stages[0].partial).to(device)
    supernet = supernet.to(memory_format=torch.channels_last)
    start = time.process_time()
    wanted = Wanted(limits={"macs": options.macs}) if options.macs else None
    file = None if options.folder is None else options.folder / f"{name}-{seed}.safetensors"
    resumed = file is not None and file.exists()
    report = None if options.quiet else Printed()
    found = method.train(
        supernet, rows, SearchBudget(options.epochs), seed=seed, wanted=wanted, report=report, checkpoint=file
    )
    return found.architectures[0], found.trace, None if resumed else time.process_time() - start


class Printed:
    """A line an epoch; reports within an epoch bring none."""

    def __init__(self) -> None:
        self.epochs = 0

    def __call__(self, trace: Trace) -> bool:
        for last in trace.epochs[self.epochs :]:
            self.epochs += 1
            skips = "-" if last.skips is None else f"{last.skips:.2f}"
            print(f"  {self.epochs}: {last.train_loss:.3f} {last.validation_loss} skips {skips}", flush=True)
        return False


def looked_up(architecture: Architecture, cells: pd.DataFrame) -> dict[str, Any]:
    """The row of the derived cell; better: share of all cells with a higher CIFAR-10 test accuracy."""
    operations = [architecture.values[path] for path in sorted(architecture.values)]
    codes = [NB201_OPERATIONS.index(str(operation)) for operation in operations]
    row = cells[(cells[list(EDGES)] == codes).all(axis=1)].iloc[0]
    better = float((cells[COLUMNS[0]] > row[COLUMNS[0]]).mean())
    return {"cell": row["arch"], "test": [round(float(row[name]), 2) for name in COLUMNS], "better": round(better, 4)}


def run(name: str, rows: SearchRows, cells: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    runs = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        architecture, trace, cpu_s = search(name, rows, seed, options)
        collapse = [remark for remark in trace.remarks if remark.startswith(("Collapse", "Sharp"))]
        runs.append(
            {"seed": seed}
            | looked_up(architecture, cells)
            | {
                "skips": [None if epoch.skips is None else round(epoch.skips, 2) for epoch in trace.epochs],
                "entropy": [round(epoch.entropy, 3) for epoch in trace.epochs],
                "eigenvalue": [epoch.eigenvalue and round(epoch.eigenvalue, 4) for epoch in trace.epochs],
                "train_loss": [round(epoch.train_loss, 3) for epoch in trace.epochs],
                "derived_costs": dict(trace.epochs[-1].derived_costs),
                "announced": collapse,
                "remarks": list(trace.remarks),
                "ended": trace.ended,
                "seconds": round(trace.seconds, 1),
                "cpu_s": cpu_s and round(cpu_s, 1),
            }
        )
        print(name, seed, runs[-1]["cell"], runs[-1]["test"], collapse, round(trace.seconds), "s", flush=True)
    tests = np.array([one["test"] for one in runs])
    summary = {"mean": tests.mean(0).round(2).tolist(), "std": tests.std(0).round(2).tolist(), "n": len(runs)}
    return {"summary": summary, "runs": runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("published", *SIZES), default="published")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(SMALL))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="instead of the published number")
    parser.add_argument("--macs", type=float, help="limit on the MACs of the derived network")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folder", type=Path, help="where checkpoints are left, and searches go on from")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--out", type=Path, help="of the record; default: benchmarks/results/one_shot[_SIZE].json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cells = pd.read_parquet(folder() / "benchmarks/nb201.parquet")
    size = SIZES.get(options.size)
    rows = cifar(size) if size is None or size.cifar else fashion(size)
    name = f"one_shot_{options.size}" if options.size in SIZES else "one_shot"
    found = dict[str, Any]()
    for method in options.methods:
        found[method] = run(method, rows, cells, options)
        figures = {
            "settings": {"size": options.size, "epochs": options.epochs, "macs": options.macs, "threads": 1},
            "anchors": {key: list(value) for key, value in WANTED.items()},
            "all_cells_mean": [round(float(cells[column].mean()), 2) for column in COLUMNS],
            "methods": found,
        }
        record(name, figures, options.out)  # after each method: a long benchmark may be cut off


if __name__ == "__main__":
    main()
