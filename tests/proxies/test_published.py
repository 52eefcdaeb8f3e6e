"""Our scores of NAS-Bench-201's cells against those of NAS-Bench-Suite-Zero (Krishnakumar et al. 2022)."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr

from nasturtium.blocks import NB201_OPERATIONS, NB201Cell, build
from nasturtium.proxies import Batch, measure
from nasturtium.task import Signal, Task
from nasturtium.zoo.nasbench201 import network

CELLS, ROWS = 6, 64
EDGES = ("op_01", "op_02", "op_12", "op_03", "op_13", "op_23")
TASK = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")
# What depends little on rows and initial weights has the published value itself: largest relative difference.
VALUES = {"params": 1e-5, "l2_norm": 0.01, "synflow": 0.02, "zen": 0.05, "nwot": 0.03}
RANKS = {"snip": 0.8, "fisher": 0.8, "grad_norm": 0.8, "jacov": 0.7}
PUBLISHED_UNIT = {"params": lambda value: value / 1e6, "synflow": np.log}


@pytest.mark.slow
def test_scores_are_those_published(shared_data):
    spec = importlib.util.spec_from_file_location("shared_load", shared_data / "load.py")
    load = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(load)
    images, labels = load.sheets(shared_data / "sets/cifar10/cifar10_train1.zip")
    rows = np.random.default_rng(0).permutation(len(images))[:ROWS]
    pixels = torch.tensor(images[rows].transpose(0, 3, 1, 2) / 255.0, dtype=torch.float32)
    mean, std = pixels.mean((0, 2, 3), keepdim=True), pixels.std((0, 2, 3), keepdim=True)
    batch = Batch((pixels - mean) / std, torch.tensor(labels[rows]), TASK)
    scores = pd.read_parquet(shared_data / "benchmarks/nb201_zcproxies.parquet")
    cells = pd.read_parquet(shared_data / "benchmarks/nb201.parquet", columns=["idx", *EDGES])
    chosen = scores[scores.dataset == "cifar10"].merge(cells, on="idx").sample(CELLS, random_state=1)
    ours = []
    for _, row in chosen.iterrows():
        cell = NB201Cell(tuple(NB201_OPERATIONS[int(row[edge])] for edge in EDGES), prune=False)
        expr = network(TASK, cell).lower(TASK.input)
        ours.append(measure(build(expr, TASK.input, seed=int(row.idx)), batch, [*VALUES, *RANKS]))
    for name, most in VALUES.items():
        found = [PUBLISHED_UNIT.get(name, float)(score[name]) for score in ours]
        assert found == pytest.approx(chosen[name].tolist(), rel=most), name
    for name, least in RANKS.items():
        found = spearmanr([score[name] for score in ours], chosen[name]).statistic
        assert found >= least, (name, found)
