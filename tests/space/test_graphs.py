"""Weisfeiler-Lehman counts and paths against brute force and networkx, and the graphs that they are taken of."""

from collections import Counter
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest

from nasturtium.space import Space, choice
from nasturtium.space.graphs import (
    BUCKETS,
    LabelledGraph,
    operation_graph,
    path_vector,
    paths,
    tree_graph,
    wl_counts,
    wl_vector,
)

NB201_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def random_graph(seed: int) -> LabelledGraph:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 9))
    labels = tuple(rng.choice(["a", "b", "c"], count).tolist())
    edges = tuple((one, two) for one in range(count) for two in range(one + 1, count) if rng.random() < 0.4)
    return LabelledGraph(labels, edges)


def subtrees(graph: LabelledGraph, depth: int) -> Counter[object]:
    """By the definition: a node's label and the sorted labels of its successors, as nested tuples."""

    def label(at: int, depth: int) -> str:
        after = sorted(label(to, depth - 1) for source, to in graph.edges if source == at and depth)
        return repr((label(at, depth - 1), after)) if depth else graph.labels[at]

    return Counter(label(at, depth) for at in range(len(graph.labels)))


def product(first: Counter, second: Counter) -> int:
    return sum(count * second[label] for label, count in first.items())


@pytest.mark.parametrize("seed", range(10))
def test_products_of_counts_are_those_of_subtrees_by_definition(seed: int) -> None:
    first, second = random_graph(seed), random_graph(seed + 100)
    mine, yours = wl_counts(first, 3), wl_counts(second, 3)
    for depth in range(4):
        assert product(mine[depth], yours[depth]) == product(subtrees(first, depth), subtrees(second, depth))
        assert product(mine[depth], mine[depth]) == product(subtrees(first, depth), subtrees(first, depth))


@pytest.mark.parametrize("seed", range(10))
def test_products_of_counts_are_those_of_networkx(seed: int) -> None:
    def hashes(graph: LabelledGraph) -> list[Counter[str]]:
        # Undirected, because versions of networkx differ in which neighbours of a directed graph they read.
        made = nx.Graph()
        made.add_nodes_from((at, {"label": label}) for at, label in enumerate(graph.labels))
        made.add_edges_from(graph.edges)
        by_node = nx.weisfeiler_lehman_subgraph_hashes(made, node_attr="label", iterations=2)
        return [Counter(found[depth] for found in by_node.values()) for depth in range(2)]

    graphs = [random_graph(seed), random_graph(seed + 100)]
    both_ways = [LabelledGraph(g.labels, g.edges + tuple((two, one) for one, two in g.edges)) for g in graphs]
    mine, theirs = [wl_counts(graph) for graph in both_ways], [hashes(graph) for graph in graphs]
    for depth in range(2):
        # networkx leaves out the first labels.
        assert product(mine[0][depth + 1], mine[1][depth + 1]) == product(theirs[0][depth], theirs[1][depth])


def test_isomorphic_graphs_have_equal_vectors_and_a_turned_edge_changes_them() -> None:
    graph = random_graph(3)
    order = np.random.default_rng(0).permutation(len(graph.labels))
    place = {int(old): new for new, old in enumerate(order)}
    moved = LabelledGraph(
        tuple(graph.labels[old] for old in order), tuple((place[one], place[two]) for one, two in graph.edges)
    )
    np.testing.assert_array_equal(wl_vector(graph), wl_vector(moved))
    turned = LabelledGraph(("a", "b", "c"), ((0, 1), (1, 2))), LabelledGraph(("a", "b", "c"), ((1, 0), (1, 2)))
    assert not np.array_equal(wl_vector(turned[0]), wl_vector(turned[1]))


def test_a_vector_holds_all_counts_and_hashes_are_the_same_in_every_process() -> None:
    graph = random_graph(5)
    vector = wl_vector(graph).reshape(3, BUCKETS)
    assert vector.sum(1).tolist() == [len(graph.labels)] * 3
    assert {label: count for label, count in enumerate(vector[0]) if count} == {
        key % BUCKETS: count for key, count in wl_counts(graph)[0].items()
    }
    # Written down once: another value would make features differ between a search and its resumption.
    assert sorted(wl_counts(LabelledGraph(("a",), ()), 1)[1]) == [14339517583568812668]


def test_paths_of_a_cell_are_those_of_the_published_encoding() -> None:
    operations = ("conv3", "skip", "conv1", "pool", "conv3", "conv1")
    edges = [(one, two, name) for (one, two), name in zip(NB201_EDGES, operations, strict=True)]
    # naszilla: edges 03; 01-13; 02-23; 01-12-23.
    wanted = {("pool",), ("conv3", "conv3"), ("skip", "conv1"), ("conv3", "conv1", "conv1")}
    assert paths(edges, (3,)) == wanted
    assert path_vector(edges, (3,)).sum() == 4
    # Both kinds of path differ by order, and a twin path counts once.
    assert paths([(0, 1, "a"), (1, 2, "b"), (0, 3, "b"), (3, 2, "a"), (0, 4, "a"), (4, 2, "b")], (2,)) == {
        ("a", "b"),
        ("b", "a"),
    }
    chain = [(place, place + 1, "a") for place in range(7)]
    assert paths(chain, (4, 7)) == {("a",) * 4}, "7 operations are too many"


def test_the_operations_of_a_cell_become_nodes_and_skips_are_joined_through() -> None:
    operations = ("conv3", "skip", "conv1", "pool", "skip", "conv1")
    edges = [(one, two, name) for (one, two), name in zip(NB201_EDGES, operations, strict=True)]
    whole = operation_graph(edges, (3,))
    assert whole.labels == ("input", *operations, "output")
    # As NAS-BOWL draws NAS-Bench-201: input 0, operations 1-6, output 7.
    assert set(whole.edges) == {(0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7)}
    joined = operation_graph(edges, (3,), ("skip",))
    assert joined.labels == ("input", "conv3", "conv1", "pool", "conv1", "output")
    assert set(joined.edges) == {(0, 1), (0, 3), (1, 2), (0, 4), (2, 4), (3, 5), (1, 5), (4, 5)}
    straight = operation_graph([(0, 1, "skip"), (1, 2, "skip")], (2,), ("skip",))
    assert straight == LabelledGraph(("input", "output"), ((0, 1),))


@dataclass(frozen=True)
class Conv:
    kernel: int
    rate: float = 0.5


@dataclass(frozen=True)
class Net:
    parts: tuple
    operations: tuple[str, ...]


def test_a_tree_becomes_a_graph_of_blocks_values_and_order() -> None:
    graph = tree_graph(Net((("first", Conv(3)), ("second", Conv(5, 0.123))), ("skip", "none")))
    assert graph.labels == (
        "Net",
        "parts",
        "Conv",
        "kernel=3",
        "rate=5e-01",
        "Conv",
        "kernel=5",
        "rate=1e-01",
        "operations.0=skip",
        "operations.1=none",
    )
    assert set(graph.edges) == {(0, 1), (1, 2), (2, 3), (2, 4), (1, 5), (5, 6), (5, 7), (2, 5), (0, 8), (0, 9)}


def test_trees_of_plain_values_and_tied_parts_have_graphs_too() -> None:
    tied = choice(1, 2)
    space = Space((choice("a", "b"), (tied, tied), None), name="plain")
    vectors = {tuple(wl_vector(tree_graph(one.tree))) for one in space.enumerate()}
    assert len(vectors) == 4
    assert tree_graph(7).labels == ("tree=7",)
