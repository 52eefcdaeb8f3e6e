from itertools import product

import numpy as np
import pytest

from nasturtium.blocks import NB201_EDGES, NB201_OPERATIONS, Head, NB201Cell
from nasturtium.blocks.cells import live_edges
from nasturtium.blocks.expr import Graph, Sum, seq
from nasturtium.blocks.paths import KINDS, SETS, graph_features, kind, paths
from nasturtium.blocks.primitives import Activation, Conv, Identity, Linear, Norm, Pool, Zero
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro
from nasturtium.zoo.nasbench201 import nasbench201, network

X = Signal("image", (16, 8, 8))
KIND_OF = {"skip_connect": "skip", "nor_conv_1x1": "conv1", "nor_conv_3x3": "conv3", "avg_pool_3x3": "pool"}


def routes(operations: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every path from value 0 to value 3 of a cell, by walking."""
    by_edge = dict(zip(NB201_EDGES, operations, strict=True))

    def onward(at: int) -> list[tuple[str, ...]]:
        if at == 3:
            return [()]
        steps = [(target, op) for (source, target), op in by_edge.items() if source == at and op != "none"]
        return [(KIND_OF[op], *rest) for target, op in steps for rest in onward(target)]

    return onward(0)


@pytest.mark.parametrize("seed", range(40))
def test_paths_of_a_cell_are_those_found_by_walking(seed: int) -> None:
    operations = tuple(np.random.default_rng(seed).choice(NB201_OPERATIONS, 6).tolist())
    every = routes(operations)
    expr = NB201Cell(operations).lower(X)
    found = paths(expr)
    if not every:
        assert isinstance(expr, Zero)
        assert found.number == 0
        return
    assert found.number == len(every)
    for row, subset in enumerate(SETS):
        names = {KINDS[k] for k in np.flatnonzero(subset)}
        within = [len(route) for route in every if set(route) <= names]
        assert found.short[row] == min(within, default=np.inf)
        assert found.long[row] == max(within, default=-np.inf)
    for k, name in enumerate(KINDS):
        times = [route.count(name) for route in every]
        assert (found.most[k], found.least[k], found.through[k]) == (max(times), min(times), sum(times))


def test_counts_and_degrees_of_a_cell_are_those_of_its_live_edges() -> None:
    for operations in product(("none", "nor_conv_3x3", "skip_connect"), repeat=6):
        expr = NB201Cell(operations).lower(X)
        if not isinstance(expr, Graph):
            continue
        live = [(s, t) for s, t, _ in live_edges(expr.edges, (3,))]
        chosen = dict(zip(NB201_EDGES, operations, strict=True))
        found = paths(expr)
        for name in ("nor_conv_3x3", "skip_connect"):
            place = KINDS.index(KIND_OF[name])
            mine = [edge for edge in live if chosen[edge] == name]
            assert found.counts[place] == len(mine)
            assert found.leaving[place] == sum(source == 0 for source, _ in mine)
            assert found.arriving[place] == sum(target == 3 for _, target in mine)


def test_equal_networks_have_equal_features_and_dead_edges_do_not_count() -> None:
    def features(*operations: str) -> np.ndarray:
        task = Task("classification", Signal("image", (3, 8, 8)), 10, "accuracy")
        return graph_features(network(task, NB201Cell(operations)), task.input)

    conv, none = "nor_conv_3x3", "none"
    # 0 -> 1 -> 3 and 0 -> 2 -> 3 are the same network; 0 -> 1 with nothing after it is dead.
    first = features(conv, none, none, none, conv, none)
    assert np.array_equal(first, features(none, conv, none, none, none, conv))
    assert np.array_equal(first, features(conv, conv, none, none, conv, none))
    assert not np.array_equal(first, features(conv, none, none, conv, conv, none))


def test_a_chain_adds_up_and_branches_are_parallel() -> None:
    conv = seq(("conv", Conv(16, 3)), ("norm", Norm()), ("act", Activation()))
    both = Sum((("body", seq(("a", conv), ("b", conv))), ("skip", Identity())))
    found = paths(seq(("one", both), ("two", both)))
    every, conv3 = len(SETS) - 1, KINDS.index("conv3")
    assert (found.short[every], found.long[every], found.number) == (2, 4, 4)
    assert found.short[conv3] == found.long[conv3] == 4
    assert found.counts[conv3] == 4
    assert found.through[conv3] == 8  # 4 + 2 + 2 + 0 over the four paths


def test_kinds_of_operations() -> None:
    assert [kind(Conv(8, 1)), kind(Conv(8, 3)), kind(Conv(8, 7)), kind(Conv(8, 3, 1, 8)), kind(Conv(8, 5, 1, 8))] == [
        "conv1",
        "conv3",
        "conv5",
        "depthwise3",
        "depthwise5",
    ]
    assert [kind(Pool()), kind(Linear(4)), kind(Norm()), kind(Activation())] == ["pool", "linear", None, None]


def test_features_have_one_length_for_all_networks_and_are_finite() -> None:
    task = Task("classification", Signal("image", (3, 8, 8)), 10, "accuracy")
    space = nasbench201(task, cells=1)
    rows = [graph_features(space.sample(seed).tree, task.input) for seed in range(20)]
    rows.append(graph_features(Head(3), task.input))
    assert len({row.shape for row in rows}) == 1
    assert np.isfinite(rows).all()


def test_features_link_by_link_are_those_of_the_whole_expression() -> None:
    task = Task("classification", Signal("image", (3, 16, 16)), 10, "accuracy")
    for space in (conv_macro(task, max_params=1e5), nasbench201(task, cells=1)):
        for seed in range(10):
            tree = space.sample(seed).tree
            whole = paths(tree.lower(task.input))
            longest = whole.long[-1] if np.isfinite(whole.long[-1]) else 0.0
            expected = [*whole.counts, longest, *whole.local]
            np.testing.assert_allclose(graph_features(tree, task.input), expected, rtol=1e-12)
