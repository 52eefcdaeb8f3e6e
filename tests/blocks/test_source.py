"""Source text: what is written down is the network that was built."""

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.blocks import construct, deployed, source
from nasturtium.blocks.expr import Call
from nasturtium.space import Space
from nasturtium.task import Signal, Task
from nasturtium.zoo import (
    conv_macro,
    darts,
    ft_transformer,
    hybrid,
    known_networks,
    mlp,
    nasbench201,
    nasnet,
    tabular,
    vit,
)

IMAGE = Task("classification", Signal("image", (2, 8, 8)), 4, "accuracy")
TABLE = Task("regression", Signal("table", (3,), (3, 5)), 2, "rmse")
SPACES = {
    "conv-macro": lambda: conv_macro(IMAGE),
    "conv-macro sequence": lambda: conv_macro(Task("classification", Signal("sequence", (3, 40)), 4, "accuracy")),
    "nasbench201": lambda: nasbench201(IMAGE, width=4, cells=1),
    "darts": lambda: darts(IMAGE, width=4, cells=3),
    "nasnet": lambda: nasnet(IMAGE, width=4, cells=3),
    "vit": lambda: vit(IMAGE),
    "hybrid": lambda: hybrid(IMAGE),
    "ft-transformer": lambda: ft_transformer(TABLE),
    "tabular": lambda: tabular(TABLE),
    "mlp": lambda: mlp(Task("classification", Signal("vector", (6,)), 3, "accuracy")),
}
PREAMBLE = "from collections import OrderedDict\nimport torch\nfrom torch import Tensor, nn\n"


def executed(call: Call) -> nn.Module:
    """The network that the source text makes when run with nothing but torch."""
    text = source(call)
    names: dict[str, object] = {}
    exec(PREAMBLE + "\n\n".join(text.definitions.values()), names)
    network = eval(text.expression, names)
    assert isinstance(network, nn.Module)
    return network


def same(call: Call, x: Signal) -> None:
    torch.manual_seed(0)
    built = construct(call).eval()
    written = executed(call).eval()
    written.load_state_dict(built.state_dict())
    rows = torch.rand(3, *x.tensor_shape).round()
    with torch.no_grad():
        assert torch.equal(built(rows), written(rows))


@pytest.mark.parametrize("name", SPACES)
def test_emitted_source_equals_the_built_network_on_random_architectures(name: str) -> None:
    space: Space = SPACES[name]()
    task = space.task
    for row in space.sample_codes(np.random.default_rng(0), 10):
        same(deployed(space.from_codes(row).tree.lower(task.input), task), task.input)


@pytest.mark.parametrize("task", [IMAGE, TABLE], ids=["image", "table"])
def test_emitted_source_equals_the_built_known_networks(task: Task) -> None:
    for known in {network.family: network for network in reversed(known_networks(task))}.values():
        same(deployed(known.tree.lower(task.input), task), task.input)


def test_only_the_classes_that_are_used_are_written() -> None:
    plain = deployed(known_networks(TABLE)[0].tree.lower(TABLE.input), TABLE)
    assert set(source(plain).definitions) == {"sequential", "StandardizeTable", "CategoryEmbedding", "RestoreTarget"}


def test_lines_stay_readable() -> None:
    space = conv_macro(IMAGE)
    for seed in range(5):
        text = source(deployed(space.sample(seed).tree.lower(IMAGE.input), IMAGE))
        assert max(len(line) for line in text.expression.splitlines()) <= 120
