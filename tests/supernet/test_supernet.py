"""Any architecture of a space can be run in its supernet and taken out of it: the two are the same network."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from nasturtium.blocks import ConvBN, Head, MBConv, module, sequence, stage
from nasturtium.space import Architecture, Space, choice, integer, optional
from nasturtium.supernet import Supernet, recalibrate
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro, mlp, nasbench201, tabular
from nasturtium.zoo.darts import darts
from nasturtium.zoo.ft_transformer import ft_transformer
from nasturtium.zoo.hybrid import hybrid
from nasturtium.zoo.nasnet import nasnet
from nasturtium.zoo.vit import vit


def task(kind: str, *shape: int, cardinalities: tuple[int, ...] = ()) -> Task:
    return Task("classification", Signal(kind, shape, cardinalities), 3, "accuracy")  # type: ignore[arg-type]


IMAGE = task("image", 2, 8, 8)

SPACES: dict[str, Callable[[], Space]] = {
    "nasbench201": lambda: nasbench201(IMAGE, width=4, cells=1),
    "conv-macro, images": lambda: conv_macro(IMAGE),
    "conv-macro, sequences": lambda: conv_macro(task("sequence", 2, 24)),
    "tabular": lambda: tabular(task("table", 3, cardinalities=(3, 9, 40))),
    "mlp": lambda: mlp(task("vector", 6)),
    "darts": lambda: darts(IMAGE, width=4, cells=2, nodes=2),
    "vit": lambda: vit(IMAGE, max_params=2e4),
    "hybrid": lambda: hybrid(IMAGE, max_params=2e4),
    "ft-transformer": lambda: ft_transformer(task("table", 3, cardinalities=(3, 9)), max_params=2e4),
    "nasnet": lambda: nasnet(IMAGE, width=4, cells=2, nodes=2),
}


def rows(space: Space, count: int = 6, seed: int = 0) -> Tensor:
    """Rows that the space takes."""
    assert space.task is not None
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(count, *space.task.input.shape, generator=draws)
    codes = [torch.randint(k, (count, 1), generator=draws) for k in space.task.input.cardinalities]
    return torch.cat([x, *codes], dim=1) if codes else x


class Gated(nn.Module):
    """A user's module with a buffer, a random one, and batch normalisation."""

    noise: Tensor

    def __init__(self, channels: int, hidden: int, slope: float = 0.5) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, hidden, 1)
        self.norm = nn.BatchNorm2d(hidden)
        self.outer = nn.Conv2d(hidden, channels, 1)
        self.slope = slope
        self.register_buffer("noise", torch.rand(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.slope * self.noise * self.outer(torch.relu(self.norm(self.inner(x))))


def own() -> Space:
    """Foreign modules beside blocks of ours, optional parts, and a choice of chains."""

    def block(position: int) -> object:
        return choice(own=module(Gated, hidden=choice(3, 5), slope=choice(0.5, 1.0)), mb=MBConv(kernel=choice(3, 5)))

    tail = choice(
        short=sequence(one=ConvBN(8)), long=sequence(one=ConvBN(choice(4, 8)), two=optional(ConvBN(8, kernel=1)))
    )
    body = stage(block, choice(4, 6), integer(1, 2), choice(1, 2))
    return Space(sequence(stem=ConvBN(choice(4, 6)), body=body, tail=tail, head=Head(IMAGE)), IMAGE, "own")


@pytest.fixture(scope="module")
def supernets() -> Callable[[str], Supernet]:
    """Supernets of ready spaces; their weights stay as they are."""
    return cache(lambda name: Supernet(own() if name == "own" else SPACES[name]()))


def seeded(run: Callable[[], Tensor]) -> Tensor:
    """The same dropout each time."""
    torch.manual_seed(0)
    return run()


@pytest.mark.parametrize("name", [*SPACES, "own"])
def test_a_path_gives_exactly_what_the_extracted_network_gives(name: str, supernets: Callable[[str], Supernet]) -> None:
    supernet = supernets(name)
    space = supernet.space
    x = rows(space)
    for seed in range(6):
        architecture = space.sample(seed)
        network = supernet.extract(architecture)
        assert network.training
        there = seeded(lambda: supernet.path(x, architecture))  # noqa: B023
        assert torch.equal(there, seeded(lambda: network(x)))  # noqa: B023


@pytest.mark.parametrize("name", [*SPACES, "own"])
def test_gradients_of_a_path_are_those_of_the_network_in_its_slices(
    name: str, supernets: Callable[[str], Supernet]
) -> None:
    supernet = supernets(name)
    architecture, x = supernet.space.sample(3), rows(supernet.space)
    supernet.zero_grad()
    network = supernet.extract(architecture)
    seeded(lambda: network(x)).square().sum().backward()
    seeded(lambda: supernet.path(x, architecture)).square().sum().backward()
    got = {key: p.grad for key, p in supernet.named_parameters()}
    supernet.zero_grad()
    for step, unit in supernet.route(architecture):
        for key, shared in unit.parameters(supernet.bank).items():
            grad = network.get_parameter(f"{step.module}.{key}").grad
            (shared * (torch.zeros_like(shared) if grad is None else grad)).sum().backward()
    used = 0
    for key, p in supernet.named_parameters():
        mine = got[key]
        if p.grad is None or mine is None:
            assert mine is None
            continue
        used += 1
        torch.testing.assert_close(mine, p.grad, rtol=1e-4, atol=1e-5)
    assert used > 2


def test_batch_norms_have_no_statistics_in_the_supernet_and_get_them_when_extracted() -> None:
    space = nasbench201(IMAGE, width=4, cells=1)
    supernet, x = Supernet(space), rows(space, 64)
    assert not [key for key in supernet.state_dict() if "running" in key]
    architecture = space.architecture(dict.fromkeys(space.index, "nor_conv_3x3"))
    trained = supernet.path(x, architecture)
    assert torch.equal(supernet.eval().path(x, architecture), trained)
    network = supernet.extract(architecture)
    assert not network.training
    before = (network(x) - trained).abs().max()
    recalibrate(network, x)
    # Running variances are unbiased, those of the batch are not: near, not equal.
    assert (network(x) - trained).abs().max() < 0.1 * before


def test_foreign_modules_are_kept_apart_by_their_arguments_and_never_cut() -> None:
    supernet = Supernet(own())
    shapes = {name: tuple(p.shape) for name, p in supernet.bank.named_parameters()}
    inner = {name: shape for name, shape in shapes.items() if "body.1" in name and "inner.weight" in name}
    assert inner == {
        f"body.1=own(hidden={hidden})(slope={slope}).body.module.inner.weight@{hidden}x{width}x1x1": (
            hidden,
            width,
            1,
            1,
        )
        for hidden in (3, 5)
        for slope in ("0_5", "1_0")
        for width in (4, 6)
    }


def test_dropout_follows_the_mode_of_the_supernet() -> None:
    space = mlp(task("vector", 6))
    supernet, x = Supernet(space), rows(space)
    dropout = next(path for path in space.index if path.endswith("dropout"))
    architecture = space.architecture(dict(space.sample(0).values) | {dropout: "0.3"})
    assert not torch.equal(supernet.path(x, architecture), supernet.path(x, architecture))
    supernet.eval()
    assert torch.equal(supernet.path(x, architecture), supernet.path(x, architecture))
    supernet.train()
    assert not torch.equal(supernet.path(x, architecture), supernet.path(x, architecture))


def test_a_supernet_of_another_precision_is_the_same_network() -> None:
    space = own()
    supernet, x = Supernet(space), rows(space).double()
    architecture = space.sample(1)
    single = supernet.path(x.float(), architecture)
    supernet.double()
    double = supernet.path(x, architecture)
    assert double.dtype == torch.float64
    assert torch.equal(double, supernet.extract(architecture)(x))
    torch.testing.assert_close(double.float(), single, rtol=1e-3, atol=1e-4)


def test_an_architecture_that_travelled_without_its_space_is_the_same_path() -> None:
    space = own()
    supernet, x = Supernet(space), rows(space)
    architecture = space.sample(2)
    read = Architecture.from_json(architecture.to_json())
    assert torch.equal(supernet.path(x, read), supernet.path(x, architecture))


def test_training_a_path_leaves_other_options_and_the_global_generator_alone() -> None:
    space = own()
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    supernet = Supernet(space)
    architecture = space.architecture(
        dict(space.sample(0).values)
        | {"blocks.body.blocks.0": "mb", "blocks.body.blocks.0=mb.kernel": "5", "blocks.body.blocks.count": 1}
    )
    supernet.path(rows(space), architecture).sum().backward()
    supernet.extract(architecture)
    assert torch.equal(torch.random.get_rng_state(), before)
    touched = {name for name, p in supernet.bank.named_parameters() if p.grad is not None}
    assert not [name for name in touched if "=own" in name or name.startswith("body.1")]
    assert [name for name in touched if name.startswith("body.0=mb")]


def test_a_copy_of_a_supernet_has_weights_of_its_own() -> None:
    space = own()
    supernet, x, architecture = Supernet(space), rows(space), space.sample(4)
    before = supernet.path(x, architecture)
    copied = deepcopy(supernet)
    with torch.no_grad():
        for parameter in supernet.parameters():
            parameter.zero_()
    assert torch.equal(copied.path(x, architecture), before)
    assert torch.equal(copied.extract(architecture)(x), before)
    assert not torch.equal(supernet.path(x, architecture), before)
