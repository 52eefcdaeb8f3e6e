"""Graphs whose values may be concatenations of earlier ones, by every walk that knows graphs."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.blocks import build, counted
from nasturtium.blocks.cells import live_edges, relu_conv_bn
from nasturtium.blocks.expr import Graph
from nasturtium.blocks.labelled import cells, label
from nasturtium.blocks.paths import paths
from nasturtium.blocks.primitives import Conv, Identity, Pool
from nasturtium.errors import SpaceError
from nasturtium.hardware.sums import sums
from nasturtium.task import Signal

X = Signal("image", (4, 6, 6))
ONE, THREE = relu_conv_bn(4, 1), relu_conv_bn(4, 3)
# Two cells: 3 joins 1 and 2; 6 joins 4 and 5, which read 3, 0 and each other.
STACK = Graph(
    ((0, 1, ONE), (0, 2, THREE), (3, 4, ONE), (0, 5, Identity()), (4, 5, Pool("max", 3))),
    (6,),
    ((3, (1, 2)), (6, (4, 5))),
)


def test_the_module_computes_what_is_written_by_hand() -> None:
    network = build(STACK, X, 0).eval()
    op = network.operations
    x = torch.randn(2, 4, 6, 6)
    joined = torch.cat([op["edge_0_1"](x), op["edge_0_2"](x)], 1)
    four = op["edge_3_4"](joined)
    expected = torch.cat([four, x + op["edge_4_5"](four)], 1)
    torch.testing.assert_close(network(x), expected)
    assert STACK.out(X) == Signal("image", (8, 6, 6))


def test_costs_are_those_that_torch_counts() -> None:
    network = build(STACK, X, 0).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 4, 6, 6))
    costs = counted(STACK, X)
    assert costs.macs == counter.get_total_flops() / 2
    assert costs.params == sum(p.numel() for p in network.parameters())
    assert sums(STACK, X) == ((costs.params, costs.macs, costs.activations), STACK.out(X))


def test_paths_go_through_joins_into_each_of_their_parts() -> None:
    found = paths(STACK)
    # Through 4 there are two (by 1 and 2), through 5 the same two and the identity.
    assert found.number == 5
    assert found.long[-1] == 3  # conv, conv, pool
    assert found.short[-1] == 1  # the identity counts as a skip
    assert found.counts.sum() == 5


def test_a_stack_is_cut_into_its_cells() -> None:
    first, second = cells(STACK)
    assert [(s, t, label(op)) for s, t, op in first.edges] == [(0, 1, "conv1"), (0, 2, "conv3")]
    assert [(s, t, label(op)) for s, t, op in second.edges] == [(0, 1, "conv1"), (0, 2, "skip"), (1, 2, "pool")]
    assert first.outputs == second.outputs == (1, 2)


def test_edges_that_only_a_dead_join_reads_are_dead() -> None:
    edges = ((0, 1, ONE), (0, 2, THREE), (0, 4, ONE), (3, 5, THREE), (4, 6, ONE))
    joins = ((3, (1, 2)),)
    assert live_edges(edges, (6,), joins) == ((0, 4, ONE), (4, 6, ONE))
    assert live_edges(edges, (5,), joins) == (edges[0], edges[1], edges[3])


def test_values_of_different_sizes_cannot_be_joined() -> None:
    graph = Graph(((0, 1, ONE), (0, 2, Conv(4, 3, 2))), (3,), ((3, (1, 2)),))
    with pytest.raises(SpaceError, match=r"Values of shapes \[\(4, 6, 6\), \(4, 3, 3\)\] cannot be concatenated"):
        graph.out(X)


def test_dilation_and_convolutions_along_one_axis_are_as_torch_has_them() -> None:
    from nasturtium.blocks.primitives import LineConv, Shift

    x = Signal("image", (4, 7, 10))
    for op in (Conv(6, 3, dilation=2), Conv(4, 5, 2, groups=0, dilation=2), LineConv(6, 7, 0, 2), LineConv(6, 3, 1)):
        network, rows = build(op, x, 0), torch.zeros(1, *x.shape)
        with FlopCounterMode(display=False) as counter:
            assert network(rows).shape[1:] == op.out(x).shape, op
        assert op.macs(x) == counter.get_total_flops() / 2
        assert op.params(x) == sum(p.numel() for p in network.parameters())
    shifted = build(Shift(), x)(torch.arange(70.0).view(1, 1, 7, 10))
    np.testing.assert_array_equal(shifted[0, 0, :6, :9], torch.arange(70.0).view(7, 10)[1:, 1:])
    assert not shifted[0, 0, 6].any()
    assert not shifted[0, 0, :, 9].any()
