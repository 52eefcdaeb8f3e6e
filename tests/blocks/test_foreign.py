"""A user's own modules as blocks: traced on the meta device, or on the CPU where that cannot be."""

import pytest
import torch
from torch import Tensor, nn

from nasturtium.blocks import Head, build, counted, module, sequence
from nasturtium.blocks.foreign import _traced, resolve
from nasturtium.errors import SpaceError
from nasturtium.hardware import CostModel
from nasturtium.space import Architecture, Space, choice
from nasturtium.task import Signal, Task

IMAGE = Task("classification", Signal("image", (3, 8, 8)), 2, "accuracy")


class GatedConv(nn.Module):
    def __init__(self, in_channels: int, hidden: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 2 * hidden, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.conv(x).chunk(2, dim=1)
        return a * b.sigmoid()


class NeedsValues(nn.Module):
    """Looks at values, so the meta device cannot run it."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) if float(x.sum()) >= 0 else self.linear(-x)


class WrongShape(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum()


class KnowsShape(nn.Module):
    def __init__(self, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(input_shape))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def test_a_users_module_is_counted_built_and_searched_over() -> None:
    space = Space(sequence(own=module(GatedConv, hidden=choice(4, 8)), head=Head(IMAGE)), IMAGE)
    model = CostModel(space)
    for architecture in space.enumerate():
        hidden = dict(architecture.tree.links())["own"].arguments[0][1]
        costs = model(architecture)
        assert costs["params"] == 2 * hidden * (3 * 9 + 1) + 2 * (hidden + 1)
        assert costs["macs"] == 2 * hidden * 27 * 64 + 2 * hidden
        network = build(architecture, seed=0)
        assert network(torch.zeros(5, 3, 8, 8)).shape == (5, 2)
    bounds = model.bounds()
    assert bounds is not None
    assert (bounds.low["params"], bounds.high["params"]) == (224 + 10, 448 + 18)


def test_a_module_that_reads_values_is_traced_on_the_cpu() -> None:
    x = Signal("vector", (3,))
    expr = module(NeedsValues).lower(x)
    assert expr.out(x) == Signal("vector", (4,))
    assert counted(expr, x).params == 16
    assert counted(expr, x).macs == 12


def test_asking_what_a_module_does_leaves_the_global_generator_alone() -> None:
    _traced.cache_clear()
    before = torch.random.get_rng_state()
    assert module(GatedConv, hidden=16).lower(IMAGE.input).out(IMAGE.input).channels == 16
    assert _traced.cache_info().misses, "the module was not constructed: this test shows nothing"
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_module_that_asks_for_the_shape_is_told() -> None:
    x = Signal("image", (2, 3, 4))
    assert counted(module(KnowsShape).lower(x), x).params == 24


def test_options_and_architectures_survive_json() -> None:
    space = Space(sequence(own=module(GatedConv, hidden=choice(4, 8)), head=Head(IMAGE)), IMAGE)
    architecture = space.sample(1)
    again = Architecture.from_json(architecture.to_json(), task=IMAGE)
    assert again.arch_id == architecture.arch_id


def test_what_cannot_be_used_is_refused_with_the_reason() -> None:
    x = IMAGE.input
    with pytest.raises(SpaceError, match="must return one tensor with the batch first"):
        module(WrongShape).lower(x).out(x)
    with pytest.raises(SpaceError, match=r"NeedsValues\(\) cannot be applied to an input of shape \(3, 8, 8\)"):
        module(NeedsValues).lower(x).out(x)
    with pytest.raises(SpaceError, match=r"has no argument 'hiden'\. It takes in_channels, hidden"):
        module(GatedConv, hiden=3)
    with pytest.raises(SpaceError, match=r"takes a class derived from torch\.nn\.Module"):
        module(len)  # type: ignore[arg-type]
    with pytest.raises(SpaceError, match="cannot be imported here"):
        resolve("no_such_module:Thing")

    class Inner(nn.Module):
        pass

    with pytest.raises(SpaceError, match="defined inside a function"):
        module(Inner)
