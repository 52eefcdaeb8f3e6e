"""Models to hand over. Their weights are random: whether files agree does not depend on how good a model is."""

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from nasturtium.blocks import ConvBN, Dense, Embed, Head, MBConv, Residual, construct, deployed, sequence
from nasturtium.export import Deployable
from nasturtium.task import Signal, Task

DIGITS = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy", tuple("0123456789"))
HOUSES = Task("regression", Signal("table", (2,), (3,)), 1, "rmse")
TAGS = Task("multi-label", Signal("sequence", (2, 16)), 3, "f1", ("a", "b b", "<c>"))
TABLE = {
    "type": "table",
    "numbers": ["area", "rooms"],
    "categories": [{"name": "town", "values": ["Ayr", "St. Ives"]}],
    "source": ["area", "town", "rooms"],
}


def preprocessing(task: Task, encoding: dict[str, Any]) -> str:
    return json.dumps({"schema": 1, "task": asdict(task), "input": encoding})


def network(task: Task, *blocks: object) -> Deployable:
    """A network of random weights, statistics included."""
    call = deployed(sequence(*blocks).lower(task.input), task)
    torch.manual_seed(0)
    module = construct(call)
    for name, tensor in module.state_dict().items():
        if name.endswith(("mean", "running_mean")):
            tensor.copy_(torch.randn(tensor.shape))
        if name.endswith(("std", "running_var")):
            tensor.copy_(torch.rand(tensor.shape) + 0.5)
    return Deployable("a network", task, call, module.state_dict())


def rows(task: Task, count: int = 9) -> np.ndarray:
    values = np.random.default_rng(0).normal(2, 3, (count, *task.input.tensor_shape)).astype(np.float32)
    if task.input.kind == "table":
        values[:, task.input.shape[0] :] = np.arange(count)[:, None] % 3
        values[0, 0] = np.nan
    return values


@pytest.fixture(scope="session")
def models() -> SimpleNamespace:
    """Tasks, models and helpers by name."""
    return SimpleNamespace(
        DIGITS=DIGITS,
        HOUSES=HOUSES,
        TAGS=TAGS,
        TABLE=TABLE,
        ARRAYS={"type": "arrays", "dtype": "float32"},
        network=network,
        rows=rows,
        digit_rows=rows(DIGITS),
        house_rows=rows(HOUSES),
        tag_rows=rows(TAGS),
        digits_json=preprocessing(DIGITS, {"type": "arrays", "dtype": "float32"}),
        houses_json=preprocessing(HOUSES, TABLE),
        image=network(DIGITS, ConvBN(4), MBConv(8, se=True), Residual(8), Head(DIGITS)),
        table=network(HOUSES, Embed(4), Dense(8), Head(HOUSES)),
        sequence=network(TAGS, ConvBN(4), Head(TAGS)),
    )
