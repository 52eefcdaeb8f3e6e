"""The cells of networks as graphs for predictors."""

import numpy as np
import pytest

from nasturtium.blocks.labelled import cells, label, path_features, wl_features
from nasturtium.space import Architecture, Space
from nasturtium.space.graphs import operation_graph, path_vector, wl_vector
from nasturtium.task import Signal, Task
from nasturtium.zoo import nasbench201

IMAGES = Task("classification", Signal("image", (3, 8, 8)), 10, "accuracy")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
LABELS = ("none", "skip", "conv1", "conv3", "pool")


@pytest.fixture(scope="module")
def space() -> Space:
    return nasbench201(IMAGES, width=4, cells=1)


def made(space: Space, codes: tuple[int, ...]) -> Architecture:
    return space.from_codes(codes)


def test_features_of_a_network_of_equal_cells_are_those_of_the_cell(space: Space) -> None:
    codes = (3, 1, 2, 4, 3, 1)
    expr = made(space, codes).tree.lower(IMAGES.input)
    assert len(cells(expr)) == 3
    assert [label(op) for _, _, op in cells(expr)[0].edges] == [LABELS[code] for code in codes]
    edges = [(one, two, LABELS[code]) for (one, two), code in zip(EDGES, codes, strict=True)]
    np.testing.assert_allclose(path_features(expr), path_vector(edges, (3,)))
    np.testing.assert_allclose(wl_features(expr), wl_vector(operation_graph(edges, (3,), ("skip",))))


def test_dead_edges_are_no_part_of_the_graph(space: Space) -> None:
    one, other = ((3, 0, 0, 2, 0, 0), (0, 0, 4, 2, 0, 1))
    for features in (wl_features, path_features):
        first, second = (features(made(space, codes).tree.lower(IMAGES.input)) for codes in (one, other))
        np.testing.assert_array_equal(first, second)


def test_a_network_whose_cells_are_dead_has_the_vector_0_of_the_same_length(space: Space) -> None:
    dead = made(space, (0,) * 6).tree.lower(IMAGES.input)
    live = made(space, (3,) * 6).tree.lower(IMAGES.input)
    assert cells(dead) == []
    for features in (wl_features, path_features):
        assert features(dead).shape == features(live).shape
        assert not features(dead).any()
