"""The mixed network: closed forms for sums, factors for what is sampled, and the plain loop for cells."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from nasturtium.blocks import NB201_EDGES, ConvBN, Head, MBConv, NB201Cell, Plain, counted, sequence, stage
from nasturtium.errors import SpaceError
from nasturtium.space import Architecture, Space, choice, integer, optional
from nasturtium.supernet import Supernet
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro, mlp, nasbench201, tabular
from nasturtium.zoo.darts import darts

IMAGE = Task("classification", Signal("image", (2, 8, 8)), 3, "accuracy")
X = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(0))


def space(**named: object) -> Space:
    return Space(sequence(**named, head=Head(IMAGE)), IMAGE, "tested")


def soft(supernet: Supernet, seed: int = 0) -> list[Tensor]:
    """Random positive weights that add up to 1, with gradients."""
    draws = torch.Generator().manual_seed(seed)
    return [torch.rand(len(m.options), generator=draws).softmax(0).requires_grad_() for m in supernet.mixtures]


SPACES: dict[str, Callable[[], Space]] = {
    "nasbench201": lambda: nasbench201(IMAGE, width=4, cells=1),
    "darts": lambda: darts(IMAGE, width=4, cells=2, nodes=2),
    "conv-macro": lambda: conv_macro(IMAGE),
    "tabular": lambda: tabular(Task("classification", Signal("table", (2,), (5,)), 3, "accuracy")),
    "mlp": lambda: mlp(Task("classification", Signal("vector", (4,)), 3, "accuracy")),
}


@cache
def ready(name: str) -> Supernet:
    """Of a ready space; its weights stay as they are."""
    return Supernet(SPACES[name]())


@pytest.mark.parametrize("name", SPACES)
def test_with_the_weights_of_an_architecture_the_mixed_network_is_its_path(name: str) -> None:
    supernet = ready(name).eval()
    assert supernet.space.task is not None
    x = torch.randn(5, *supernet.space.task.input.shape)
    if name == "tabular":
        x = torch.cat([x, torch.ones(5, 1)], dim=1)
    for seed in range(4):
        architecture = supernet.space.sample(seed)
        weights = supernet.weights_of(architecture)
        alone = supernet.path(x, architecture)
        torch.testing.assert_close(supernet(x, weights), alone, rtol=1e-3, atol=1e-4)
        active = supernet.chosen(architecture)
        torch.testing.assert_close(supernet(x, weights, active), alone, rtol=1e-3, atol=1e-4)
        derived = supernet.derive([vector.numpy() for vector in weights])
        assert derived.tree == architecture.tree
        hard = [torch.zeros(len(mixture.options)) for mixture in supernet.mixtures]
        for vector, options in zip(hard, supernet.chosen(architecture), strict=True):
            vector[list(options)] = 1
        assert all(torch.equal(one, other) for one, other in zip(hard, weights, strict=True))


def test_a_choice_between_blocks_is_a_weighted_sum_of_their_results() -> None:
    tested = space(stem=ConvBN(4), body=choice(a=ConvBN(6), b=ConvBN(6, kernel=1), c=MBConv(width=6)))
    supernet = Supernet(tested)
    [mixture] = supernet.mixtures
    assert (mixture.name, mixture.options, mixture.kind) == ("blocks.body", ("a", "b", "c"), "choice")
    networks = [supernet.extract(architecture) for architecture in tested.enumerate()]
    weights = torch.tensor([0.2, 0.5, 0.3])
    stem = networks[0].get_submodule("stem")(X)
    mixed = sum(w * net.get_submodule("body")(stem) for w, net in zip(weights, networks, strict=True))
    torch.testing.assert_close(supernet(X, [weights]), networks[0].get_submodule("head")(mixed))
    part = weights[0] * networks[0].get_submodule("body")(stem) + weights[2] * networks[2].get_submodule("body")(stem)
    torch.testing.assert_close(supernet(X, [weights], [(0, 2)]), networks[0].get_submodule("head")(part))


def test_a_depth_is_a_mean_over_the_results_after_each_count() -> None:
    tested = space(stem=ConvBN(4), body=stage(ConvBN(), 6, integer(1, 3), 2))
    supernet = Supernet(tested)
    [mixture] = supernet.mixtures
    assert (mixture.options, mixture.kind) == (("1", "2", "3"), "depth")
    longest = supernet.extract(tested.architecture({"blocks.body.blocks.count": 3}))
    after = [longest.get_submodule("stem")(X)]
    for block in longest.get_submodule("body").children():
        after.append(block(after[-1]))
    weights = torch.tensor([0.1, 0.6, 0.3])
    mean = sum(w * y for w, y in zip(weights, after[1:], strict=True))
    torch.testing.assert_close(supernet(X, [weights]), longest.get_submodule("head")(mean))


def test_an_optional_block_of_the_same_shape_is_a_soft_skip() -> None:
    tested = space(stem=ConvBN(4), body=optional(ConvBN(4)))
    supernet = Supernet(tested)
    assert supernet.mixtures[0].kind == "depth"
    network = supernet.extract(tested.architecture({"blocks.body": "on"}))
    stem = network.get_submodule("stem")(X)
    mixed = 0.25 * stem + 0.75 * network.get_submodule("body")(stem)
    torch.testing.assert_close(supernet(X, [torch.tensor([0.25, 0.75])]), network.get_submodule("head")(mixed))


def test_numbers_are_computed_at_the_strongest_option_and_their_weights_have_gradients() -> None:
    """d(1 + w - w.detach()) = dw, so the gradient is that of a factor of the link's result, at 1."""
    tested = space(stem=ConvBN(choice(4, 6), kernel=choice(1, 3)))
    supernet = Supernet(tested)
    weights = [torch.tensor([0.3, 0.7], requires_grad=True), torch.tensor([0.8, 0.2], requires_grad=True)]
    y = supernet(X, weights)
    chosen = tested.architecture({"blocks.stem.width": 6, "blocks.stem.kernel": 1})
    torch.testing.assert_close(y, supernet.path(X, chosen))
    y.square().sum().backward()
    network = supernet.extract(chosen)
    factor = torch.ones((), requires_grad=True)
    network.get_submodule("head")(factor * network.get_submodule("stem")(X)).square().sum().backward()
    assert factor.grad is not None
    for vector, at in zip(weights, (1, 0), strict=True):
        assert vector.grad is not None
        torch.testing.assert_close(vector.grad[at], factor.grad)
        assert vector.grad[1 - at] == 0
    one_off = tested.architecture({"blocks.stem.width": 4, "blocks.stem.kernel": 1})
    torch.testing.assert_close(supernet(X, weights, [(0,), (0, 1)]), supernet.path(X, one_off))


def test_options_of_different_shapes_are_computed_one_at_a_time() -> None:
    tested = space(body=choice(wide=ConvBN(6), narrow=ConvBN(4)), after=ConvBN(5))
    supernet = Supernet(tested)
    weights = [torch.tensor([0.4, 0.6], requires_grad=True)]
    y = supernet(X, weights)
    torch.testing.assert_close(y, supernet.path(X, tested.architecture({"blocks.body": "narrow"})))
    y.square().sum().backward()
    assert weights[0].grad is not None
    assert weights[0].grad[0] == 0
    assert weights[0].grad[1] != 0


def test_every_mixture_that_is_at_work_has_a_gradient() -> None:
    supernet = ready("conv-macro")
    weights = soft(supernet)
    supernet(X, weights).square().sum().backward()
    chosen = supernet.chosen(supernet.derive([vector.detach().numpy() for vector in weights]))
    for mixture, vector, options in zip(supernet.mixtures, weights, chosen, strict=True):
        if options:
            assert vector.grad is not None, mixture
            assert vector.grad[options[0]] != 0, mixture


@pytest.mark.parametrize("precise", [True, False])
def test_an_open_cell_is_the_sum_over_all_options_of_all_edges(precise: bool) -> None:
    supernet = Supernet(nasbench201(IMAGE, width=4, cells=1), precise=precise).double()
    x = X.double()
    weights = [vector.detach().double() for vector in soft(supernet)]
    bank, parts = supernet.bank, {}
    for architecture in (all_of(supernet.space, op) for op in ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")):
        parts[architecture.values["blocks.cell1_1.operations.0"]] = supernet.extract(architecture)
    outer = parts["nor_conv_3x3"]
    for name, block in outer.named_children():
        x = block(x) if not name.startswith("cell") else plain_cell(name, x, weights, parts)
    torch.testing.assert_close(supernet(X.double(), weights), x, rtol=1e-9, atol=1e-9)
    assert {name.split(".")[1] for name in bank.state_dict() if name.startswith("cell1_1")} == {
        f"edge_{s}_{t}" for s, t in NB201_EDGES
    }


def all_of(space: Space, operation: str) -> Architecture:
    return space.architecture(dict.fromkeys(space.index, operation))


def plain_cell(name: str, x: Tensor, weights: list[Tensor], parts: dict[object, torch.nn.Module]) -> Tensor:
    """Equation 2 of DARTS, literally."""
    values = {0: x}
    for (source, target), w in zip(NB201_EDGES, weights, strict=True):
        y = w[1] * values[source]
        for at, op in ((2, "nor_conv_1x1"), (3, "nor_conv_3x3"), (4, "avg_pool_3x3")):
            y = y + w[at] * parts[op].get_submodule(f"{name}.operations.edge_{source}_{target}")(values[source])
        values[target] = values[target] + y if target in values else y
    return values[3]


def test_partial_channels_train_the_leading_part_of_the_weights() -> None:
    supernet = Supernet(nasbench201(IMAGE, width=4, cells=1), partial=2)
    supernet(X, soft(supernet)).square().sum().backward()
    grad = supernet.bank["cell1_1.edge_0_1.nor_conv_3x3.conv.weight"].grad
    assert grad is not None
    assert bool(grad[:2, :2].ne(0).any())
    assert not grad[2:].any()
    assert not grad[:, 2:].any()


def test_expected_costs_are_those_of_architectures_at_their_weights() -> None:
    cells = Supernet(nasbench201(IMAGE, width=4, cells=1, prune=False))
    for supernet in (cells, ready("darts"), ready("conv-macro")):
        for seed in range(4):
            architecture = supernet.space.sample(seed)
            weights = [vector.double() for vector in supernet.weights_of(architecture)]
            counts = counted(architecture.tree.lower(IMAGE.input), IMAGE.input)
            assert float(supernet.expected("params", weights)) == counts.params
            assert float(supernet.expected("macs", weights)) == counts.macs


def test_the_expected_cost_of_a_chain_is_the_mean_over_its_architectures() -> None:
    def block(place: int) -> object:
        return choice(mb=MBConv(kernel=choice(3, 5), expand=choice(2, 3)), plain=Plain(se=choice(False, True)))

    tested = space(stem=ConvBN(4), body=stage(block, 4, integer(1, 2)), tail=optional(ConvBN(4)))
    supernet = Supernet(tested)
    weights = [(vector / vector.sum()) for vector in (w.detach().double() for w in soft(supernet))]
    mean = 0.0
    for architecture in tested.enumerate():
        share = 1.0
        for vector, options in zip(weights, supernet.chosen(architecture), strict=True):
            share *= float(vector[options[0]]) if options else 1.0
        mean += share * counted(architecture.tree.lower(IMAGE.input), IMAGE.input).macs
    found = supernet.expected("macs", [vector.requires_grad_() for vector in weights])
    assert float(found.detach()) == pytest.approx(mean, rel=1e-12)
    found.backward()
    assert all(vector.grad is not None and bool(vector.grad.ne(0).any()) for vector in weights)


def test_an_own_price_is_expected_like_a_counted_one() -> None:
    supernet = Supernet(nasbench201(IMAGE, width=4, cells=1))
    weights = soft(supernet)
    doubled = supernet.expected(lambda expr, x: 2 * counted(expr, x).params, weights)
    torch.testing.assert_close(doubled, 2 * supernet.expected("params", weights))
    with pytest.raises(SpaceError, match=r"'latency' has no expectation.*Known: params, macs"):
        supernet.expected("latency", weights)


def test_cells_are_derived_as_their_paper_does() -> None:
    supernet = Supernet(darts(IMAGE, width=4, cells=2, nodes=2))
    assert {mixture.kind for mixture in supernet.mixtures} == {"edge"}
    weights = [np.full(len(mixture.options), 0.1) for mixture in supernet.mixtures]
    # The second node keeps its two strongest edges, whatever "none" weighs.
    for mixture, (option, weight) in {2: (3, 0.9), 3: (0, 5.0), 4: (4, 0.8)}.items():
        weights[mixture][option] = weight
    node = supernet.derive(weights).tree.blocks[1][1].normal.nodes[1]
    assert node.inputs == (0, 2)
    assert node.operations == ("skip_connect", "sep_conv_3x3")


def test_tied_cells_share_their_mixtures_and_not_their_weights() -> None:
    supernet = Supernet(nasbench201(IMAGE, width=4, cells=2))
    assert len(supernet.mixtures) == len(NB201_EDGES)
    assert supernet.mixtures[0].options == NB201Cell(("none",) * 6).mixtures()[0]
    names = [name for name, _ in supernet.bank.named_parameters() if name.endswith("edge_0_1.nor_conv_1x1.conv.weight")]
    assert len(names) == 6
