"""`arch_id`: equal networks have one, different ones differ.

Equality is judged on outputs, over all ways to match weights.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.blocks import (
    NB201_EDGES,
    NB201_OPERATIONS,
    ConvBN,
    Dense,
    Head,
    MBConv,
    NB201Cell,
    Plain,
    Residual,
    Resolution,
    Stage,
    build,
    canonical,
    sequence,
)
from nasturtium.blocks.expr import Concat, Expr, Gate, Seq, Sum
from nasturtium.blocks.primitives import Activation, Conv, Dropout, Identity, Linear, Zero
from nasturtium.space import Architecture, Space, choice, integer, optional, repeat
from nasturtium.task import Signal, Task

X = Signal("image", (2, 4, 4))
TASK = Task("classification", X, 2, "accuracy")
ROWS = torch.linspace(-2, 2, 3 * X.size, dtype=torch.float64).reshape(3, *X.shape).sin()


@cache
def cells() -> Space:
    return Space(NB201Cell(tuple(choice(*NB201_OPERATIONS) for _ in NB201_EDGES)), TASK)


@cache
def classes() -> dict[str, list[Architecture]]:
    found = defaultdict(list)
    for architecture in cells().enumerate():
        found[architecture.arch_id].append(architecture)
    return dict(found)


def weighted(network: nn.Module) -> list[nn.Module]:
    """Operations with weights, in the order of the edges."""
    operations = getattr(network, "operations", nn.ModuleDict())
    return [op for op in operations.values() if any(True for _ in op.parameters())]


def matchings(first: nn.Module, second: nn.Module) -> Iterator[None]:
    """Gives the second network the weights of the first in every possible way."""
    given, taking = weighted(first), weighted(second)
    for order in permutations(given):
        shapes = [[p.shape for p in op.parameters()] for op in order]
        if shapes == [[p.shape for p in op.parameters()] for op in taking]:
            for source, target in zip(order, taking, strict=True):
                target.load_state_dict(source.state_dict())
            yield


def same_function(first: Architecture, second: Architecture) -> bool:
    """Do the two cells give the same outputs under some matching of weights?"""
    a, b = (build(one.tree.lower(X), X, 0).double().eval() for one in (first, second))
    if len(weighted(a)) != len(weighted(b)):
        return False
    with torch.no_grad():
        for name, values in a.named_parameters():
            if name.endswith("norm.bias"):  # without it, operations would be homogeneous: f(x) + f(x) = f(x + x)
                values.uniform_(-1, 1, generator=torch.Generator().manual_seed(len(name)))
        expected = a(ROWS)
        return any(torch.allclose(b(ROWS), expected, atol=1e-9) for _ in matchings(a, b))


def few_weights(architecture: Architecture) -> bool:
    return len(weighted(build(architecture.tree.lower(X), X, 0))) <= 4


def test_all_cells_of_nasbench201_fall_into_the_expected_number_of_classes() -> None:
    assert abs(len(classes()) - 5260) < 60


def test_cells_with_one_id_give_the_same_outputs_under_matched_weights() -> None:
    rng = np.random.default_rng(0)
    groups = [group for group in classes().values() if len(group) > 1]
    tried = 0
    while tried < 60:
        group = groups[rng.integers(len(groups))]
        first, second = (group[k] for k in rng.choice(len(group), 2, replace=False))
        if few_weights(first):
            assert same_function(first, second), (first, second)
            tried += 1


def test_cells_with_different_ids_give_different_outputs_under_every_matching() -> None:
    # Without pooling, which is linear: pool(a) + pool(b) is pool(a + b), and the canonical form does not distribute it.
    alike = defaultdict(list)
    for group in classes().values():
        operations = group[0].tree.operations
        if "avg_pool_3x3" not in operations and few_weights(group[0]):
            counts = tuple(str(group[0].tree.lower(X)).count(f"kernel={k}") for k in (1, 3))
            alike[counts].append(group[0])
    rng = np.random.default_rng(1)
    groups = [group for group in alike.values() if len(group) > 1]
    for _ in range(60):
        group = groups[rng.integers(len(groups))]
        first, second = (group[k] for k in rng.choice(len(group), 2, replace=False))
        assert not same_function(first, second), (first, second)


CONV, ACT = Conv(2), Activation("relu")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (CONV, Seq((("a", CONV),))),
        (CONV, Seq((("a", Identity()), ("b", CONV), ("c", Dropout(0.0))))),
        (Seq((("a", CONV), ("b", ACT), ("c", CONV))), Seq((("a", CONV), ("b", Seq((("x", ACT), ("y", CONV))))))),
        (Sum((("a", CONV), ("b", Identity()))), Sum((("b", Identity()), ("a", CONV)))),
        (Sum((("a", CONV), ("b", Zero()))), CONV),
        (
            Sum((("a", CONV), ("b", Sum((("c", ACT), ("d", Identity())))))),
            Sum((("a", ACT), ("b", CONV), ("c", Identity()))),
        ),
        (Seq(()), Identity()),
        (Seq((("a", Seq(())), ("b", ACT))), ACT),
    ],
)
def test_rewritings_that_change_no_function_change_no_text(first: Expr, second: Expr) -> None:
    assert canonical(first, X) == canonical(second, X)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (CONV, Conv(2, kernel=5)),
        (CONV, Conv(2, bias=True)),
        (Seq((("a", CONV), ("b", ACT))), Seq((("a", ACT), ("b", CONV)))),
        (Seq((("a", CONV), ("b", CONV))), CONV),
        (Sum((("a", CONV), ("b", Identity()))), CONV),
        (Sum((("a", Identity()), ("b", Identity()))), Identity()),
        (Gate(CONV), CONV),
        (Concat((("a", CONV), ("b", ACT))), Concat((("a", ACT), ("b", CONV)))),
        (
            Seq((("a", Sum((("a", CONV), ("b", ACT)))), ("b", ACT))),
            Sum((("a", CONV), ("b", Seq((("a", ACT), ("b", ACT)))))),
        ),
        (
            Sum((("a", Seq((("a", CONV), ("b", ACT)))), ("b", ACT))),
            Seq((("a", Sum((("a", CONV), ("b", ACT)))), ("b", ACT))),
        ),
    ],
)
def test_different_functions_have_different_texts(first: Expr, second: Expr) -> None:
    assert canonical(first, X) != canonical(second, X)


def ids(*blocks: object) -> set[str]:
    return {Space(sequence(block, Head(TASK)), TASK).sample(0).arch_id for block in blocks}


def test_blocks_that_lower_to_the_same_network_share_their_id() -> None:
    assert len(ids(Residual(2, skip=True), Residual(2, expand=1.0))) == 1
    # An inverted residual skips only where the shape stays; here it changes.
    assert len(ids(MBConv(4, skip=True), MBConv(4, skip=False))) == 1
    assert len(ids(MBConv(2, skip=True), MBConv(2, skip=False))) == 2
    assert len(ids(Plain(4, skip=False), ConvBN(4))) == 1
    assert len(ids(sequence(Resolution(4), ConvBN(4)), ConvBN(4))) == 1
    assert len(ids(Stage((), 4), None)) == 1
    assert len(ids(ConvBN(4, activation="relu"), ConvBN(4, activation="silu"))) == 2


def test_the_input_is_part_of_the_identity() -> None:
    other = Task("classification", Signal("image", (2, 8, 8)), 2, "accuracy")
    tree = sequence(ConvBN(4), Head(TASK))
    assert Space(tree, TASK).sample(0).arch_id != Space(tree, other).sample(0).arch_id


def test_ways_to_reach_the_same_depth_share_their_id() -> None:
    vector = Task("classification", Signal("vector", (3,)), 2, "accuracy")
    layers = repeat(lambda place: optional(Dense(4, norm="none")), 3)
    space = Space(sequence(body=Stage(layers, 4), head=Head(vector)), vector)
    assert space.size == 8
    assert len({architecture.arch_id for architecture in space.enumerate()}) == 4
    depths = Space(sequence(body=Stage(repeat(Dense(4, norm="none"), integer(0, 3)), 4), head=Head(vector)), vector)
    assert {a.arch_id for a in depths.enumerate()} == {a.arch_id for a in space.enumerate()}


def test_texts_of_linear_layers_name_their_width() -> None:
    assert canonical(Linear(3), Signal("vector", (4,))) != canonical(Linear(5), Signal("vector", (4,)))
