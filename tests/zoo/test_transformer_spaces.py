"""Transformer spaces: they suit their inputs, learn, export, and stay within limits."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from nasturtium.blocks import (
    ColumnEmbedding,
    Encoder,
    MBConv,
    Stage,
    TokenHead,
    build,
    construct,
    deployed,
    sequence,
    stage,
)
from nasturtium.errors import SpaceError
from nasturtium.hardware import CostModel, Limits, block_costs, measure_file, write_onnx
from nasturtium.hardware.latency import open_session
from nasturtium.hardware.space_check import check_space
from nasturtium.space import Space
from nasturtium.task import Signal, Task
from nasturtium.zoo import ft_transformer, hybrid, ready_space, vit
from nasturtium.zoo.vit import patches


def task(kind: str, *shape: int, cardinalities: tuple[int, ...] = (), outputs: int = 3) -> Task:
    return Task("classification", Signal(kind, shape, cardinalities), outputs, "accuracy")  # type: ignore[arg-type]


DIGITS = task("image", 1, 8, 8, outputs=10)
COLUMNS = task("table", 30, outputs=2)
CASES = {"vit": DIGITS, "hybrid": DIGITS, "ft-transformer": COLUMNS}


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((1, 8, 8), (1, 2)),
        ((1, 28, 28), (2, 4, 7)),
        ((3, 32, 32), (2, 4, 8)),
        ((3, 224, 224), (14, 16, 28)),
        ((2, 7, 11), (1,)),
        ((2, 23, 31), (2, 3, 4)),
    ],
)
def test_patches_make_a_sensible_number_of_tokens(shape: tuple[int, ...], sides: tuple[int, ...]) -> None:
    assert patches(task("image", *shape)) == sides


@pytest.mark.parametrize("name", CASES)
def test_the_check_of_a_space_finds_nothing_amiss(name: str) -> None:
    limits = Limits(params=2e4)
    found = check_space(ready_space(name, CASES[name], limits), limits, samples=100)
    assert found.ok
    assert found.share >= 0.2
    assert found.unbuildable == 0
    assert found.exact
    assert not found.dead


@pytest.mark.parametrize("name", CASES)
def test_a_few_steps_of_training_lower_the_loss(name: str) -> None:
    space = ready_space(name, CASES[name], Limits(params=1e4))
    network = build(space.sample(1), seed=0)
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(64, *space.task.input.tensor_shape, generator=rng)
    y = (x.flatten(1)[:, 0] > 0).long()
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        loss = cross_entropy(network(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(("name", "seed"), [("vit", 2), ("hybrid", 3), ("ft-transformer", 0)])
def test_the_exported_file_agrees_and_has_the_counted_costs(name: str, seed: int, tmp_path) -> None:  # type: ignore[no-untyped-def]
    space = ready_space(name, CASES[name], Limits(params=1e4))
    x, architecture = space.task.input, space.sample(seed)
    module = construct(deployed(architecture.tree.lower(x), space.task)).eval()
    path = write_onnx(module, x, tmp_path / "model.onnx")
    rows = torch.randn(3, *x.tensor_shape)
    found = open_session(path).run(None, {"x": rows.numpy()})[0]
    with torch.no_grad():
        assert np.abs(found - module(rows).numpy()).max() < 1e-4
    counted, measured = CostModel(space)(architecture), measure_file(path, x)
    assert measured["macs"] == counted["macs"]
    assert 0.9 < counted["size"] / measured["size"] < 1.2


def test_second_derivatives_go_through_attention() -> None:
    network = build(vit(DIGITS, max_params=1e4).sample(0), seed=0).double()
    parameters = list(network.parameters())
    torch.manual_seed(0)
    rows, towards = torch.randn(2, 1, 8, 8).double(), [torch.randn_like(one) for one in parameters]

    def slope() -> torch.Tensor:
        """Squared length of the gradient."""
        gradients = torch.autograd.grad(network(rows).square().sum(), parameters, create_graph=True)
        return torch.stack([gradient.square().sum() for gradient in gradients]).sum()

    def moved(step: float) -> float:
        with torch.no_grad():
            for one, direction in zip(parameters, towards, strict=True):
                one += step * direction
        return slope().item()

    slope().backward()
    along = [(one.grad * direction).sum() for one, direction in zip(parameters, towards, strict=True)]
    analytic = torch.stack(along).sum().item()
    step = 1e-6
    numeric = (moved(step) - moved(-2 * step)) / (2 * step)
    assert analytic == pytest.approx(numeric, rel=1e-4)


def kinds(space: Space, seed: int) -> list[set[type]]:
    """Classes of the blocks of each stage."""
    return [
        {type(b) for _, b in part.links()} for _, part in space.sample(seed).tree.links() if isinstance(part, Stage)
    ]


def test_no_convolution_follows_attention_in_a_hybrid() -> None:
    seen = set()
    for seed in range(20):
        stages = kinds(hybrid(task("image", 3, 32, 32)), seed)
        assert stages[0] == {MBConv}
        assert stages[-1] == {Encoder}
        seen.add(frozenset(stages[1]))
    assert seen == {frozenset({MBConv}), frozenset({Encoder})}


def test_the_published_transformer_for_tables_is_of_the_shape_of_ours() -> None:
    """Three blocks, 192 features, 8 heads, ratio 4/3 (Gorishniy et al. 2021, table 11); 8 numbers, one target."""
    found = ft_transformer(task("table", 8, outputs=1), max_params=None)
    tree = found.sample(0).tree
    first, *rest = [block for _, block in dict(tree.blocks)["body"].links()]
    assert not first.prenorm
    assert all(block.prenorm and block.heads == first.heads for block in rest)

    def block(position: int) -> Encoder:
        return Encoder(heads=8, ratio=4 / 3, activation="relu", gated=True, prenorm=position > 0)

    head = TokenHead(1, pool="first", activation="relu")
    tree = sequence(embed=ColumnEmbedding(192), body=stage(block, 192, 3), head=head)
    token, attention, hidden = 8 * 2 * 192 + 192, 4 * (192 * 192 + 192), 256
    layers = 2 * (192 * hidden + hidden) + hidden * 192 + 192
    network = Space(tree, found.task).sample(0).tree
    assert block_costs(network, found.task.input)["params"] == token + 3 * (attention + layers) + 5 * 384 + 384 + 193


@pytest.mark.parametrize(
    ("make", "wrong", "message"),
    [
        (vit, COLUMNS, "The space vit needs images or sequences, not a table; for tables use ft-transformer"),
        (hybrid, COLUMNS, "The space hybrid needs images or sequences, not a table; for tables use ft-transformer"),
        (ft_transformer, DIGITS, "The space ft-transformer needs a table, not a image; use vit"),
        (ft_transformer, task("vector", 4), "The space ft-transformer needs a table, not a vector; use mlp"),
    ],
)
def test_other_inputs_are_refused_with_the_space_to_use(make, wrong: Task, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpaceError, match=message):
        make(wrong)
