"""The supernet audit on digits: do the inherited scores of SPOS rank 50 architectures as stand-alone training does?

    python benchmarks/audit.py [--method spos] [--supernets 3] [--passes 200] [--trainings 2]

Space: narrow networks of elastic size (`elastic`), which differ by more than repetitions of one training do; with
`--space nasbench201` the cells of NAS-Bench-201, of which most are equally good on digits. The 1,797 digits are split
in two halves, stratified: one trains (the shared weights and each network alone), the other scores both. The
stand-alone score is the mean of several trainings by the project's default recipe; what a seed does to a score no
supernet can predict, so the correlation between two such trainings is recorded too: it bounds what can be reached.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _record import record
from family import elastic
from sklearn.datasets import load_digits

from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.space import Space
from nasturtium.supernet import Supernet
from nasturtium.supernet.audit import Alone, correlated, sampled
from nasturtium.supernet.course import Course, Phase, follow
from nasturtium.supernet.fairnas import FairNas
from nasturtium.supernet.inherited import Inherited, parted
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.spos import Spos
from nasturtium.task import Signal, Task
from nasturtium.training import Recipe, Resident, default_recipe
from nasturtium.zoo.conv_macro import conv_macro
from nasturtium.zoo.nasbench201 import nasbench201

METHODS: dict[str, Callable[[Space, LimitedCandidates], list[Phase]]] = {
    "spos": lambda space, candidates: Spos(constrained=True).phases(space, candidates),
    "fairnas": lambda space, candidates: FairNas().phases(space),
}
PARAMS = 50_000
SPACES: dict[str, Callable[[Task], Space]] = {
    "conv-macro": lambda task: conv_macro(task, max_params=PARAMS),
    "elastic": lambda task: Space(narrow, task, "elastic"),
    "nasbench201": lambda task: nasbench201(task, width=4, cells=1),
}
HELD = 0.5


def narrow(task: Task) -> Any:
    """Narrow networks of elastic size: on digits wide ones differ by less than a repetition does."""
    return elastic(task, expands=(1, 2, 4), widths=(2, 4, 8), late_widths=(2, 4, 8), stride=1)


def digits() -> SearchRows:
    """All rows, standardised by one mean and one deviation."""
    inputs, targets = load_digits(return_X_y=True)
    images = torch.tensor(inputs, dtype=torch.float32).reshape(-1, 1, 8, 8)
    task = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy", tuple("0123456789"))
    return SearchRows((images - images.mean()) / images.std(), torch.tensor(targets), task)


def alone_scores(
    data: Resident, rows: SearchRows, recipe: Recipe, architectures: list, trainings: int, cache: Path | None
) -> tuple[np.ndarray, float]:
    """Scores [architectures, trainings] and CPU seconds; kept in `cache` as they come."""
    known = json.loads(cache.read_text()) if cache is not None and cache.is_file() else {"scores": {}, "seconds": 0.0}
    alone, found = Alone(data, rows.task, recipe), np.empty((len(architectures), trainings))
    for seed in range(trainings):
        for place, architecture in enumerate(architectures):
            key = f"{architecture.arch_id}:{seed}"
            if key not in known["scores"]:
                started = time.process_time()
                known["scores"][key] = alone.measure(architecture, seed)
                known["seconds"] += time.process_time() - started
                if cache is not None:
                    cache.write_text(json.dumps(known))
            found[place, seed] = known["scores"][key]
    return found, known["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--method", choices=METHODS, default="spos")
    parser.add_argument("--architectures", type=int, default=50)
    parser.add_argument("--supernets", type=int, default=3)
    parser.add_argument("--passes", type=int, default=200)
    parser.add_argument("--trainings", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=30, help="of each stand-alone training")
    parser.add_argument("--space", choices=SPACES, default="elastic")
    parser.add_argument("--cache", type=Path, help="JSON of stand-alone scores, to go on from")
    parser.add_argument("--record", default="audit")
    given = parser.parse_args()
    torch.set_num_threads(1)

    rows = digits()
    space = SPACES[given.space](rows.task)
    limits = Limits(params=PARAMS if given.space == "conv-macro" else None)
    candidates = LimitedCandidates(space, CostModel(space) if limits.items() else None, limits)
    data = parted(rows, HELD, 0, torch.device("cpu"))
    recipe = default_recipe(rows.task, len(data.inputs))
    shared = replace(recipe, epochs=given.passes)
    architectures = sampled(candidates, given.architectures, 0)
    runs = []
    nets = []
    for seed in range(given.supernets):
        net, started = Supernet(space, seed=seed), time.process_time()
        course = Course(given.method, tuple(METHODS[given.method](space, candidates)), shared, seed)
        follow(course, net, net, data.inputs, data.targets, rows.task)
        seconds = time.process_time() - started
        score = Inherited(net, data, rows.task)
        started = time.process_time()
        inherited = np.array([score(architecture) for architecture in architectures])
        nets.append((inherited, seconds, time.process_time() - started))
        print(f"supernet {seed}: {seconds:.0f} CPU s, best inherited {inherited.max():.4f}", flush=True)
    alone, alone_seconds = alone_scores(
        data, rows, replace(recipe, epochs=given.epochs), architectures, given.trainings, given.cache
    )
    for seed, (inherited, seconds, scoring) in enumerate(nets):
        audit = correlated(tuple(architectures), inherited, alone.mean(1), seed)
        print(audit.sentence, flush=True)
        runs.append(
            {
                "seed": seed,
                "kendall": audit.kendall,
                "kendall_interval": [audit.kendall_low, audit.kendall_high],
                "spearman": audit.spearman,
                "spearman_interval": [audit.spearman_low, audit.spearman_high],
                "sentence": audit.sentence,
                "training_cpu_seconds": round(seconds, 1),
                "scoring_cpu_seconds": round(scoring, 1),
                "inherited": inherited.tolist(),
            }
        )
    ceiling = correlated(tuple(architectures), alone[:, 0], alone[:, -1], 0) if given.trainings > 1 else None
    taus = [run["kendall"] for run in runs]
    figures = {
        "method": given.method,
        "space": given.space,
        "limits": dict(limits.items()),
        "architectures": len(architectures),
        "rows": {"train": len(data.inputs), "score": data.scored_rows},
        "passes_of_shared_weights": given.passes,
        "trainings_alone": given.trainings,
        "epochs_alone": given.epochs,
        "threads": 1,
        "kendall_mean": float(np.mean(taus)),
        "kendall_least": float(np.min(taus)),
        "target": "Kendall tau >= 0.5",
        "reached": bool(np.mean(taus) >= 0.5),
        "tau_between_two_trainings_alone": None if ceiling is None else ceiling.kendall,
        "alone_cpu_seconds": round(alone_seconds, 1),
        "alone": alone.tolist(),
        "runs": runs,
    }
    print(record(given.record, figures), f"tau {np.mean(taus):.3f}")


if __name__ == "__main__":
    main()
