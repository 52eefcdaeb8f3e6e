"""Canonical text of large graphs: against the exact text of small ones, and under every way to number the values."""

import numpy as np
import pytest

from nasturtium.blocks import NB201_EDGES, NB201_OPERATIONS, NB201Cell, canonical
from nasturtium.blocks.cells import relu_conv_bn
from nasturtium.blocks.expr import Expr, Graph
from nasturtium.blocks.primitives import Identity, Pool
from nasturtium.blocks.stacked import MOST_LEAVES, _graph, _Search, stacked
from nasturtium.space import Space, choice
from nasturtium.task import Signal, Task
from nasturtium.zoo import darts, nasnet

X = Signal("image", (4, 8, 8))
TASK = Task("classification", X, 3, "accuracy")
OPERATIONS: tuple[Expr, ...] = (relu_conv_bn(4, 1), relu_conv_bn(4, 3), Pool("max", 3), Identity())


def text(graph: Graph) -> str:
    known = graph.values(X)
    edges = []
    for source, target, op in graph.edges:
        form = canonical(op, known[source])
        edges.append((source, target, "" if form == "x" else form, "Conv" in form))
    return stacked(edges, graph.outputs, graph.joins)


def test_refinement_finds_the_classes_that_the_exact_text_finds() -> None:
    cells = Space(NB201Cell(tuple(choice(*NB201_OPERATIONS) for _ in NB201_EDGES)), TASK)
    graphs = [cells.from_codes(row).tree.lower(X) for row in cells.sample_codes(np.random.default_rng(0), 500)]
    graphs = [graph for graph in graphs if isinstance(graph, Graph)]
    pairs = {(canonical(graph, X), text(graph)) for graph in graphs}
    exact, refined = {one for one, _ in pairs}, {two for _, two in pairs}
    assert len(pairs) == len(exact) == len(refined)
    assert len(pairs) < len(graphs)


def renumbered(graph: Graph, rng: np.random.Generator) -> Graph:
    """The same graph with its values in another order and its edges shuffled."""
    sources: dict[int, set[int]] = {value: set(parts) for value, parts in graph.joins}
    for source, target, _ in graph.edges:
        sources.setdefault(target, set()).add(source)
    number, left = {0: 0}, set(sources)
    while left:
        ready = sorted(value for value in left if sources[value] <= set(number))
        value = ready[rng.integers(len(ready))]
        number[value] = len(number)
        left.remove(value)
    edges = [(number[s], number[t], op) for s, t, op in graph.edges]
    order = rng.permutation(len(edges))
    joins = tuple(sorted((number[value], tuple(number[part] for part in parts)) for value, parts in graph.joins))
    mixed = sorted((edges[k] for k in order), key=lambda edge: edge[1])
    return Graph(tuple(mixed), tuple(number[value] for value in graph.outputs), joins)


@pytest.mark.parametrize("make", [lambda: darts(TASK, width=4, cells=4), lambda: nasnet(TASK, width=4, cells=4)])
def test_numbering_changes_no_text_of_a_stack(make) -> None:  # type: ignore[no-untyped-def]
    space, rng = make(), np.random.default_rng(0)
    for row in space.sample_codes(rng, 6):
        graph = dict(space.from_codes(row).tree.blocks)["cells"].lower(X)
        assert canonical(renumbered(graph, rng), X) == canonical(graph, X)


def random_graph(rng: np.random.Generator) -> Graph:
    """Six sums of one or two earlier values, of few operations, so that many look alike."""
    edges: list[tuple[int, int, Expr]] = []
    for target in range(1, 7):
        for source in rng.choice(target, size=min(target, 2), replace=False):
            edges.append((int(source), target, OPERATIONS[rng.integers(len(OPERATIONS))]))
    return Graph(tuple(edges), (6,))


def test_numbering_changes_no_text_where_much_looks_alike() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        graph = random_graph(rng)
        assert text(renumbered(graph, rng)) == text(graph)


def test_the_order_of_a_join_and_one_operation_make_a_difference() -> None:
    one, three = OPERATIONS[:2]
    edges = ((0, 1, one), (0, 2, three), (3, 4, Conv8))
    plain = Graph(edges, (4,), ((3, (1, 2)),))
    assert text(plain) != text(Graph(edges, (4,), ((3, (2, 1)),)))
    assert text(plain) != text(Graph(((0, 1, one), (0, 2, one), (3, 4, Conv8)), (4,), ((3, (1, 2)),)))


Conv8 = relu_conv_bn(4, 1)


def test_symmetric_parts_of_many_cells_need_few_labellings() -> None:
    """Twelve times: two equal convolutions of one value, each under an equal convolution, added up."""
    conv = "conv"
    edges = []
    for cell in range(12):
        start = 3 * cell
        edges += [(start, start + 1, conv, True), (start, start + 2, conv, True)]
        edges += [(start + 1, start + 3, conv, True), (start + 2, start + 3, conv, True)]
    graph = _graph(edges, (36,), {})
    search = _Search(graph)
    assert search.best(graph.refined(graph.parallel_told_apart()))
    assert search.leaves <= 2 * 12 < MOST_LEAVES
