"""Once-for-all on Fashion-MNIST: a family for five limits from one training, against five separate searches.

    python benchmarks/family.py [--rows 9000] [--methods spos bignas ofa] [--seed 0] [--record family-0]
    python benchmarks/family.py --pool family-0 family-1 … --record family-mean    means over records of several seeds

A subset of the 60,000 training images trains and scores (two thirds and one third, stratified); all 10,000 test images
judge what was chosen, once, at the end. The space, the rows, the recipe and the limits are the same for both sides.

Separate: for each limit, `--candidates` random architectures within it are trained for `--short` passes, and the best
of them on the rows that score is trained anew for `--long` passes. Family: the shared weights are trained for
`--passes` passes, evolution looks at inherited scores within each limit, and each member is trained on for `--tune`
passes. Costs are CPU seconds of one thread, with everything in them. The target: each of the five within 0.5 points of
the separate one, at 40 % of the cost or less. One test image in 10,000 is 0.01 points; the difference of two networks
has a standard error of about 0.3 points, which is recorded for each pair (McNemar).
"""

import argparse
import json
import os
import time
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _record import RESULTS, record
from torch import nn

from nasturtium.blocks import ConvBN, Head, MBConv, build, sequence, stage
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.roles import SearchBudget
from nasturtium.space import Architecture, Space, choice, integer
from nasturtium.supernet import Supernet
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.family import Trainer, train_family
from nasturtium.supernet.inherited import parted
from nasturtium.supernet.once_for_all import OnceForAll
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.sandwich import BigNas
from nasturtium.supernet.spos import Spos
from nasturtium.task import Signal, Task
from nasturtium.training import Recipe, Resident, default_recipe, derive_seed, predict, train

SHARED = Path(os.environ.get("NASTURTIUM_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
LIMITS = (4_000, 7_000, 11_000, 17_000, 26_000)
HELD = 1 / 3
TARGET = "each within 0.5 points at 40 % of the cost or less"
METHODS: dict[str, Any] = {
    "spos": Spos,
    "bignas": BigNas,
    "sandwich-1": partial(BigNas, 1),
    "ofa": partial(OnceForAll, rates=(1.0, 0.3, 0.5)),
}
CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


@dataclass(frozen=True)
class Found:
    """The answer to one limit. right: was each test image classified correctly?"""

    architecture: Architecture
    params: int
    validation: float
    right: np.ndarray

    def facts(self) -> dict[str, Any]:
        return {
            "params": self.params,
            "validation": round(self.validation, 4),
            "test": round(float(self.right.mean()), 4),
            "architecture": dict(self.architecture.values),
        }


def elastic(
    task: Task,
    expands: tuple[int, ...] = (2, 3, 4),
    widths: tuple[int, ...] = (8, 12, 16),
    late_widths: tuple[int, ...] = (16, 24, 32),
    stride: int = 2,
) -> Any:
    """Inverted residuals with elastic kernels, expansions, widths and depths; by default for 28 x 28 images.

    late_widths: of the second stage. stride: of the stem.
    """

    def block(position: int) -> MBConv:
        return MBConv(kernel=choice(3, 5), expand=choice(*expands))

    return sequence(
        stem=ConvBN(choice(*widths), 3, stride),
        stage1=stage(block, choice(*widths), integer(1, 2)),
        stage2=stage(block, choice(*late_widths), integer(1, 3), 2),
        head=Head(task),
    )


def load(count: int) -> tuple[SearchRows, torch.Tensor, np.ndarray]:
    """A random subset of the training images, standardised with its statistics, and all test images."""
    with np.load(SHARED / "sets" / "fashion_mnist.npz") as file:
        train_x, train_y, test_x, test_y = (file[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    chosen = np.random.default_rng(0).permutation(len(train_x))[:count]
    images = torch.from_numpy(train_x[chosen].reshape(-1, 1, 28, 28).astype(np.float32) / 255)
    test = torch.from_numpy(test_x.reshape(-1, 1, 28, 28).astype(np.float32) / 255)
    mean, std = images.mean(), images.std()
    task = Task("classification", Signal("image", (1, 28, 28)), 10, "accuracy", CLASSES)
    rows = SearchRows((images - mean) / std, torch.from_numpy(train_y[chosen].astype(np.int64)), task)
    return rows, (test - mean) / std, test_y.astype(np.int64)


def fit(architecture: Architecture, data: Resident, task: Task, recipe: Recipe, seed: int) -> tuple[Any, float]:
    """A network of its own weights, and its accuracy on the rows that score."""
    network = build(architecture, seed=derive_seed(seed, "init"))
    targets = data.targets.numpy()
    scored = (data.score_inputs, data.score_targets)
    trained = train(network, data.inputs, targets, *scored, task=task, recipe=recipe, seed=seed)
    return network.eval(), trained.score


def separate(
    space: Space, data: Resident, given: argparse.Namespace, recipe: Recipe, test: torch.Tensor, labels: np.ndarray
) -> tuple[list[Found], float]:
    """Five searches; the tests at the end are not part of the cost."""
    costs, found, spent = CostModel(space), list[Found](), 0.0
    kept = json.loads(given.cache.read_text()) if given.cache and given.cache.is_file() else []
    for place, limit in enumerate(LIMITS):
        if place == len(kept):
            started = time.process_time()
            best, network, score = searched(limit, space, costs, data, given, recipe)
            seconds = time.process_time() - started
            wrong = np.flatnonzero(predict(network, test).argmax(1) != labels)
            kept.append({"values": dict(best.values), "score": score, "seconds": seconds, "wrong": wrong.tolist()})
            if given.cache:
                given.cache.write_text(json.dumps(kept))
        one, spent = kept[place], spent + kept[place]["seconds"]
        right = np.ones(len(labels), dtype=bool)
        right[one["wrong"]] = False
        architecture = space.architecture(one["values"])
        found.append(Found(architecture, costs(architecture)["params"], one["score"], right))
        print(f"separate {limit}: {found[-1].facts()['test']}, {spent:.0f} CPU s so far", flush=True)
    return found, spent


def searched(
    limit: int, space: Space, costs: CostModel, data: Resident, given: argparse.Namespace, recipe: Recipe
) -> tuple[Architecture, nn.Module, float]:
    """Random search by short trainings, and the best trained anew."""
    candidates = LimitedCandidates(space, costs, Limits(params=limit))
    rng = np.random.default_rng([given.seed, limit])
    short, long = replace(recipe, epochs=given.short), replace(recipe, epochs=given.long)
    drawn = list(dict.fromkeys(candidates.sample(rng) for _ in range(given.candidates)))
    scores = [fit(one, data, space.task, short, given.seed)[1] for one in drawn]
    best = drawn[int(np.argmax(scores))]
    return best, *fit(best, data, space.task, long, given.seed)


def together(
    space: Space,
    rows: SearchRows,
    given: argparse.Namespace,
    method: str,
    recipe: Recipe,
    test: torch.Tensor,
    labels: np.ndarray,
) -> tuple[list[Found], list[float], float]:
    """One family, the accuracy of its members on the rows that score before they were trained on, and its cost."""
    evolution = Evolution(given.population, given.generations, 10, given.population // 2, given.population // 2)
    trainer: Trainer = METHODS[method](recipe=replace(recipe, epochs=given.passes), evolution=evolution, held=HELD)
    tuning = replace(recipe, epochs=given.tune, lr=given.tune_rate * recipe.lr) if given.tune else None
    started = time.process_time()
    net = Supernet(space, seed=given.seed)
    shared = replace(rows, augment=recipe.augment)
    limits = [Limits(params=limit) for limit in LIMITS]
    family = train_family(trainer, net, shared, SearchBudget(), limits, seed=given.seed, fine_tune=tuning)
    spent = time.process_time() - started
    found = []
    for member in family.members:
        right = predict(member.network, test).argmax(1) == labels
        found.append(Found(member.architecture, member.costs["params"], member.score, right))
    return found, [member.inherited for member in family.members], spent


def compared(members: list[Found], inherited: list[float], alone: list[Found]) -> list[dict[str, Any]]:
    """Each member beside the network of its limit that was searched and trained separately."""
    pairs = []
    for limit, mine, its, before in zip(LIMITS, members, alone, inherited, strict=True):
        won, lost = int((mine.right & ~its.right).sum()), int((~mine.right & its.right).sum())
        pairs.append(
            {
                "limit_params": limit,
                "family": mine.facts() | {"inherited_validation": round(before, 4)},
                "separate": its.facts(),
                "difference_points": round(100 * (won - lost) / len(its.right), 2),
                "standard_error_points": round(100 * sqrt(won + lost) / len(its.right), 2),
            }
        )
    return pairs


def pooled(names: list[str]) -> dict[str, Any]:
    """Differences of each limit and shares of the cost, over records of the same settings and of different seeds."""
    records = [json.loads((RESULTS / f"{name}.json").read_text()) for name in names]
    settings = [{**one["settings"], "seed": None, "record": None} for one in records]
    if any(one != settings[0] for one in settings) or len({one["settings"]["seed"] for one in records}) < len(names):
        raise SystemExit("--pool takes records of the same settings and of different seeds.")
    families = {}
    for method in settings[0]["methods"]:
        runs = [one["families"][method] for one in records]
        found = np.array([[pair["difference_points"] for pair in run["pairs"]] for run in runs])
        shares = np.array([run["share_of_cost"] for run in runs])
        families[method] = {
            "limits_params": list(LIMITS),
            "difference_points": {"mean": found.mean(0).round(2).tolist(), "each": found.tolist()},
            "standard_error_points": (found.std(0, ddof=1) / sqrt(len(found))).round(2).tolist(),
            "share_of_cost": {"mean": round(float(shares.mean()), 3), "each": shares.tolist()},
            "reached": bool(found.mean(0).min() >= -0.5 and shares.mean() <= 0.4),
        }
    return {"records": names, "n": len(names), "settings": settings[0], "target": TARGET, "families": families}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=9_000)
    parser.add_argument("--methods", nargs="+", default=["spos"], choices=METHODS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--passes", type=int, default=25)
    parser.add_argument("--tune", type=int, default=5)
    parser.add_argument("--tune-rate", type=float, default=0.3)
    parser.add_argument("--population", type=int, default=12)
    parser.add_argument("--generations", type=int, default=4)
    parser.add_argument("--candidates", type=int, default=8)
    parser.add_argument("--short", type=int, default=5)
    parser.add_argument("--long", type=int, default=20)
    parser.add_argument("--cache", type=Path, help="JSON of the separate searches, to go on from")
    parser.add_argument("--record", default="family")
    parser.add_argument("--pool", nargs="+", default=[], help="records of several seeds: their means, nothing else")
    given = parser.parse_args()
    if given.pool:
        print(record(given.record, pooled(given.pool)), flush=True)
        return
    del given.pool
    torch.set_num_threads(1)

    rows, test, labels = load(given.rows)
    space = Space(elastic, rows.task, "elastic")
    data = parted(rows, HELD, given.seed, torch.device("cpu"))
    recipe = default_recipe(rows.task, len(data.inputs), flip=True)
    print(f"{len(data.inputs)} rows train, {data.scored_rows} score; {space.size:,} architectures", flush=True)
    alone, alone_cost = separate(space, data, given, recipe, test, labels)
    families = {}
    for method in given.methods:
        members, inherited, cost = together(space, rows, given, method, recipe, test, labels)
        pairs = compared(members, inherited, alone)
        worst, share = min(pair["difference_points"] for pair in pairs), cost / alone_cost
        families[method] = {
            "cpu_seconds": round(cost, 1),
            "share_of_cost": round(share, 3),
            "worst_difference_points": worst,
            "reached": bool(worst >= -0.5 and share <= 0.4),
            "pairs": pairs,
        }
        figures = {
            "settings": {**vars(given), "cache": None, "held": HELD, "recipe": recipe.to_json()},
            "space": f"{space.name}: {space.size} architectures",
            "rows": {"train": len(data.inputs), "score": data.scored_rows, "test": len(labels)},
            "threads": 1,
            "separate_cpu_seconds": round(alone_cost, 1),
            "target": TARGET,
            "families": families,
        }
        differences = [pair["difference_points"] for pair in pairs]
        print(f"{method}: {differences} points, inherited {inherited}, share {share:.2f}", flush=True)
        print(record(given.record, figures), flush=True)


if __name__ == "__main__":
    main()
