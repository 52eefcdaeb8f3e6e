"""Stacks of DARTS and NASNet cells: settled and relaxed forms belong together."""

import numpy as np
import pytest

from nasturtium.blocks import DARTS_OPERATIONS, Cell, CellNode, CellStack, Graph, NB201Cell, OpenGraph, Relaxable
from nasturtium.blocks.cell_operations import cell_operation
from nasturtium.blocks.primitives import Identity
from nasturtium.errors import SpaceError
from nasturtium.space import Space
from nasturtium.task import Signal, Task
from nasturtium.zoo import darts, nasbench201, nasnet

TASK = Task("classification", Signal("image", (1, 8, 8)), 3, "accuracy")
SPACES = {
    "darts": lambda: darts(TASK, width=4, cells=5),
    "darts pools normalised": lambda: darts(TASK, width=4, cells=3, nodes=2, pool_norm=True),
    "nasnet": lambda: nasnet(TASK, width=4, cells=3, join="all"),
    "nasbench201": lambda: nasbench201(TASK, width=4, cells=1, prune=False),
}


def relaxable(space: Space, seed: int) -> tuple[Relaxable, Signal]:
    """The first block that can be relaxed, and the type of its input."""
    x = TASK.input
    for _, block in space.sample(seed).tree.links():
        if isinstance(block, Relaxable):
            return block, x
        x = block.lower(x).out(x)
    raise AssertionError


def path(graph: OpenGraph, block: Relaxable) -> list[tuple[int, int, object]]:
    """The edges of the open graph that the block has chosen."""
    chosen = block.chosen()
    active = [(edge, 0 if edge.mixture is None else chosen[edge.mixture]) for edge in graph.edges]
    return [(edge.source, edge.target, edge.options[at][1]) for edge, at in active if at is not None]


@pytest.mark.parametrize("name", SPACES)
def test_the_settled_graph_is_what_is_chosen_of_the_open_one(name: str) -> None:
    space, open_graphs = SPACES[name](), set()
    for seed in range(5):
        block, x = relaxable(space, seed)
        if isinstance(block, CellStack):
            block = CellStack(**(vars_of(block) | {"prune": False}))
        settled, graph = block.lower(x), block.relaxed(x)
        assert isinstance(settled, Graph)
        assert sorted(map(repr, settled.edges)) == sorted(map(repr, path(graph, block)))
        assert (settled.joins, settled.outputs) == (graph.joins, graph.outputs)
        assert settled.values(x) == graph.values(x)
        assert graph.out(x) == settled.out(x)
        open_graphs.add(graph)
    assert len(open_graphs) == 1


def vars_of(block: CellStack) -> dict[str, object]:
    return {name: getattr(block, name) for name in block.__dataclass_fields__}


@pytest.mark.parametrize("name", SPACES)
def test_mixtures_have_the_options_of_their_edges_and_settling_gives_back_what_was_chosen(name: str) -> None:
    space = SPACES[name]()
    for seed in range(5):
        block, x = relaxable(space, seed)
        mixtures = block.mixtures()
        for edge in block.relaxed(x).edges:
            if edge.mixture is not None:
                assert tuple(key for key, _ in edge.options) == mixtures[edge.mixture]
        weights = [np.full(len(options), 0.01) for options in mixtures]
        for vector, at in zip(weights, block.chosen(), strict=True):
            if at is not None:
                vector[at] = 0.9
        settled = block.settle(weights)
        assert settled.chosen() == block.chosen()
        assert settled.lower(x).out(x) == block.lower(x).out(x)


def test_darts_keeps_the_two_strongest_edges_of_a_node_without_regard_to_none() -> None:
    none_everywhere = [np.array([0.9, *[0.01] * 7]) for _ in range(4)]
    # Node 0 has edges 0 and 1; node 1 has edges 2, 3 and 4, from both inputs and node 0.
    none_everywhere[0][4], none_everywhere[1][1] = 0.05, 0.02
    weights = [*none_everywhere[:2], np.full(8, 0.1), np.full(8, 0.1), np.full(8, 0.1)]
    weights[2][7], weights[4][6] = 0.3, 0.2
    cell = Cell((CellNode((0, 1), ("skip_connect",) * 2), CellNode((0, 1), ("skip_connect",) * 2)))
    stack = CellStack(cell, cell).settle([*weights, *weights])
    assert stack.normal.nodes[0] == CellNode((0, 1), ("sep_conv_3x3", "max_pool_3x3"))
    assert stack.normal.nodes[1] == CellNode((0, 2), ("dil_conv_5x5", "dil_conv_3x3"))
    assert stack.reduction == stack.normal


def test_reduction_cells_stand_at_a_third_and_two_thirds_as_far_as_the_input_allows() -> None:
    block, _ = relaxable(darts(TASK, width=4, cells=8), 0)
    joined = {side: block.lower(Signal("image", (12, side, side))) for side in (32, 9, 5, 3)}
    outs = {side: graph.out(Signal("image", (12, side, side))).shape for side, graph in joined.items()}
    assert outs == {32: (64, 8, 8), 9: (64, 3, 3), 5: (32, 3, 3), 3: (16, 3, 3)}
    graph = joined[32]
    assert isinstance(graph, Graph)
    sides = [graph.values(Signal("image", (12, 32, 32)))[join].shape[1] for join, _ in graph.joins]
    assert sides == [32, 32, 16, 16, 16, 8, 8, 8]  # cells 2 and 5 of 0 … 7


def test_cells_that_join_loose_nodes_are_not_relaxed() -> None:
    block, x = relaxable(nasnet(TASK, width=4, cells=3), 0)
    with pytest.raises(SpaceError, match=r"join 'loose' values cannot be mixed.*join=\"all\", or train single paths"):
        block.relaxed(x)


def test_loose_nodes_are_those_that_no_other_reads() -> None:
    nodes = (
        CellNode((0, 1), ("conv_1x1",) * 2),
        CellNode((2, 2), ("conv_1x1",) * 2),
        CellNode((0, 0), ("conv_1x1",) * 2),
    )
    assert Cell(nodes, "loose").joined == (3, 4)
    assert Cell(nodes).joined == (2, 3, 4)
    assert Cell(nodes, (0, 4)).joined == (0, 4)


def test_strides_turn_skip_connections_into_factorized_reductions() -> None:
    x = Signal("image", (6, 8, 8))
    for name in DARTS_OPERATIONS:
        assert cell_operation(name, 6, 2).out(x).shape == (6, 4, 4)
        assert cell_operation(name, 6, 1).out(x) == x
    assert cell_operation("skip_connect", 6) == Identity()


def test_unknown_operations_are_named_with_the_nearest() -> None:
    with pytest.raises(SpaceError, match=r"Unknown operation 'sep_conv_3x4' in a cell. Did you mean 'sep_conv_3x3'"):
        cell_operation("sep_conv_3x4", 4)


def test_benchmark_cells_settle_on_the_strongest_operation() -> None:
    weights = np.eye(5)[[0, 1, 2, 3, 4, 0]]
    assert NB201Cell(("none",) * 6).settle(list(weights)).chosen() == (0, 1, 2, 3, 4, 0)
