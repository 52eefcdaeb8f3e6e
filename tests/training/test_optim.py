import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import nn

from nasturtium.training import Recipe
from nasturtium.training._optim import build_optimizer

RECIPE = Recipe(lr=0.1, momentum=0.9, weight_decay=0.2)


def stepped(optimizer: torch.optim.Optimizer, network: nn.Module) -> list[torch.Tensor]:
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.ones(2, 3)).square().sum().backward()
        optimizer.step()
    return [parameter.detach() for parameter in network.parameters()]


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_steps_are_those_of_torch(name: Literal["sgd", "adamw"]) -> None:
    networks = []
    for _ in range(2):
        torch.manual_seed(0)
        networks.append(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    ours, theirs = networks
    optimizer = build_optimizer(ours, replace(RECIPE, optimizer=name), torch.device("cpu"))
    weights = [{"params": [p for p in theirs.parameters() if p.ndim == rank]} for rank in (2, 1)]
    weights[0]["weight_decay"], weights[1]["weight_decay"] = 0.2, 0.0  # type: ignore[assignment]
    if name == "sgd":
        reference: torch.optim.Optimizer = torch.optim.SGD(weights, lr=0.1, momentum=0.9, nesterov=True, fused=True)
    else:
        reference = torch.optim.AdamW(weights, lr=0.1, betas=(0.9, 0.99), fused=True)
    for one, other in zip(stepped(optimizer, ours), stepped(reference, theirs), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_what_is_reached_later_steps_as_if_it_began_then(name: Literal["sgd", "adamw"]) -> None:
    """A supernet's steps reach other weights each time. Against one optimiser for each layer, stepped where it is."""
    torch.manual_seed(0)
    ours = nn.ModuleList(nn.Linear(3, 2) for _ in range(3))
    theirs = deepcopy(ours)
    recipe = replace(RECIPE, optimizer=name)
    optimizer = build_optimizer(ours, recipe, torch.device("cpu"))
    apart = [build_optimizer(layer, recipe, torch.device("cpu")) for layer in theirs]
    for place in (0, 1, 0, 2, 1):
        for layers, stepping in ((ours, optimizer), (theirs, apart[place])):
            stepping.zero_grad()
            layers[place](torch.ones(2, 3)).square().sum().backward()
            stepping.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_training_does_not_load_the_compiler() -> None:
    code = (
        "import sys, torch\n"
        "from nasturtium.training import Recipe\n"
        "from nasturtium.training._optim import build_optimizer\n"
        "layer = torch.nn.Linear(3, 1)\n"
        "optimizer = build_optimizer(layer, Recipe(), torch.device('cpu'))\n"
        "layer(torch.ones(2, 3)).sum().backward(); optimizer.step(); optimizer.zero_grad()\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
