"""Every surrogate passes the shipped suite; and what is particular to each."""

from typing import Any

import numpy as np
import pytest
import torch

from nasturtium.errors import RunError
from nasturtium.predictors import Boosting, Forest, GraphNetwork, MlpEnsemble, Surrogate
from nasturtium.space.graphs import LabelledGraph, tree_graph
from nasturtium.testing.surrogates import MatrixSurrogateSuite, SurrogateSuite, agreement, example


class TestExtraTrees(MatrixSurrogateSuite):
    def surrogate(self) -> Surrogate[Any]:
        return Forest(trees=50)


class TestRandomForest(MatrixSurrogateSuite):
    def surrogate(self) -> Surrogate[Any]:
        return Forest("random-forest", trees=50)


class TestBoosting(MatrixSurrogateSuite):
    def surrogate(self) -> Surrogate[Any]:
        return Boosting(bags=5, rounds=50)


class TestMlpEnsemble(MatrixSurrogateSuite):
    def surrogate(self) -> Surrogate[Any]:
        return MlpEnsemble(width=32, steps=150)


def row_graph(row: np.ndarray) -> LabelledGraph:
    """A chain of nodes, one a column, labelled with column and value."""
    labels = tuple(f"{column}={value:.1f}" for column, value in enumerate(row))
    return LabelledGraph(labels, tuple((at, at + 1) for at in range(len(labels) - 1)))


class TestGraphNetwork(SurrogateSuite):
    def surrogate(self) -> Surrogate[Any]:
        return GraphNetwork(rounds=2, width=16, steps=100)

    def inputs(self, matrix: np.ndarray) -> list[LabelledGraph]:
        return [row_graph(row) for row in matrix]


def test_the_names_of_surrogates_differ() -> None:
    surrogates = [Forest(), Forest("random-forest"), Boosting(), MlpEnsemble(), GraphNetwork()]
    assert [one.name for one in surrogates] == [
        "extra-trees",
        "random-forest",
        "boosting",
        "mlp-ensemble",
        "graph-network",
    ]


def test_a_forest_is_scikit_learns() -> None:
    from sklearn.ensemble import RandomForestRegressor

    matrix, losses = example()
    asked, _ = example(20, seed=4)
    theirs = RandomForestRegressor(30, max_features=0.5, random_state=5).fit(matrix, losses)
    mean, deviation = Forest("random-forest", trees=30).fit(matrix, losses, 5).predict(asked)
    assert np.allclose(mean, theirs.predict(asked.astype(np.float32)))
    each = np.stack([tree.predict(asked.astype(np.float32)) for tree in theirs.estimators_])
    assert np.allclose(deviation, each.std(0))


def test_stacked_networks_equal_networks_run_one_by_one() -> None:
    matrix, losses = example(10)
    fitted = MlpEnsemble(members=3, width=8, steps=20).fit(matrix, losses, 0)
    means = []
    for member in range(3):
        state = torch.tensor(matrix, dtype=torch.float32)
        for at, (weight, bias) in enumerate(fitted.layers):
            state = state @ weight[member] + bias[member]
            state = state if at == len(fitted.layers) - 1 else state.relu()
        means.append(state[:, 0].numpy() * fitted.spread + fitted.centre)
    assert np.allclose(fitted.predict(matrix)[0], np.mean(means, 0), atol=1e-5)
    assert np.allclose(fitted.predict(matrix)[1], np.std(means, 0), atol=1e-5)


def test_a_graph_network_does_not_mind_the_order_of_nodes_but_minds_the_edges() -> None:
    rng = np.random.default_rng(0)
    graphs = [row_graph(row) for row in example(20)[0]]
    fitted = GraphNetwork(rounds=2, width=16, steps=30).fit(graphs, example(20)[1], 0)
    order = rng.permutation(4)
    place = {int(old): new for new, old in enumerate(order)}
    labels = tuple(graphs[0].labels[old] for old in order)
    shuffled = LabelledGraph(labels, tuple((place[one], place[two]) for one, two in graphs[0].edges))
    reversed_ = LabelledGraph(graphs[0].labels, tuple((two, one) for one, two in graphs[0].edges))
    mean, _ = fitted.predict([graphs[0], shuffled, reversed_])
    assert mean[0] == pytest.approx(mean[1], abs=1e-4)
    assert abs(mean[0] - mean[2]) > 1e-3


def test_a_graph_network_learns_from_where_an_operation_stands_not_only_which_there_are() -> None:
    # The same three labels in every graph: only the edges tell which comes first.
    orders = [(a, b, c) for a in range(3) for b in range(3) for c in range(3) if len({a, b, c}) == 3]
    graphs = [LabelledGraph(("conv", "pool", "norm"), ((a, b), (b, c))) for a, b, c in orders]
    losses = np.array([orders[at].index(0) + 0.1 * orders[at].index(1) for at in range(6)])
    mean, _ = GraphNetwork(steps=200).fit(graphs, losses, 0).predict(graphs)
    assert agreement(mean, losses) > 0.95


def test_a_graph_network_reads_resolved_trees() -> None:
    trees = [(("conv", kernel), ("width", width)) for kernel in (1, 3, 5) for width in (8, 16, 32)]
    losses = np.array([kernel + np.log2(width) for (_, kernel), (_, width) in trees])
    graphs = [tree_graph(tree) for tree in trees]
    mean, _ = GraphNetwork(steps=150).fit(graphs, losses, 0).predict(graphs)
    assert agreement(mean, losses) > 0.95


def test_a_graph_without_nodes_is_refused() -> None:
    with pytest.raises(RunError, match="Graph 1 has no nodes: a graph network needs at least one"):
        GraphNetwork(steps=1).fit([LabelledGraph(("a",), ()), LabelledGraph((), ())], np.zeros(2), 0)
