"""The cells of a network as labelled graphs, for predictors that read graphs."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Seq, Sum
from nasturtium.blocks.paths import kind
from nasturtium.blocks.primitives import Primitive
from nasturtium.space.graphs import BUCKETS, WL_DEPTH, Edge, operation_graph, path_vector, wl_vector

SKIP = "skip"


def cells(expr: Expr) -> list[Graph]:
    """Every `Graph` in a network that is not part of another, in order; equal ones come as often as they are there.

    A stack of cells is cut at its joins: each join is the output of one cell, whose inputs become one (0).
    """
    return list(_cells(expr))


def wl_features(expr: Expr) -> Float[np.ndarray, " features"]:
    """Weisfeiler-Lehman counts of the cells of a network (`space.graphs.wl_vector`), their mean; 0 without live cells.

    Skip connections are left out of the graph and their ends joined (Ru et al. 2021, arXiv:2006.07556).
    """
    return _mean([_wl(cell) for cell in _cells(expr)], (WL_DEPTH + 1) * BUCKETS)


def path_features(expr: Expr) -> Float[np.ndarray, " features"]:
    """The path encoding of the cells of a network (`space.graphs.path_vector`), their mean; 0 without live cells."""
    return _mean([_paths(cell) for cell in _cells(expr)], BUCKETS)


def label(expr: Expr) -> str:
    """An operation by the kinds of its weighted primitives and poolings, such as "conv3" or "depthwise3 conv1"."""
    return " ".join(_kinds(expr)) or SKIP


def _kinds(expr: Expr) -> Iterator[str]:
    match expr:
        case Seq(parts) | Sum(parts) | Concat(parts):
            for _, part in parts:
                yield from _kinds(part)
        case Gate(body):
            yield from _kinds(body)
        case Graph(edges):
            for _, _, part in edges:
                yield from _kinds(part)
        case Primitive():
            yield from filter(None, [kind(expr)])


def _cells(expr: Expr) -> Iterator[Graph]:
    match expr:
        case Graph(joins=()):
            yield expr
        case Graph():
            yield from _cut(expr)
        case Seq(parts) | Sum(parts) | Concat(parts):
            for _, part in parts:
                yield from _cells(part)
        case Gate(body):
            yield from _cells(body)


@lru_cache(maxsize=256)
def _cut(stack: Graph) -> tuple[Graph, ...]:
    """The cells of a stack, each numbered from 1 on."""
    starts = {0, *(value for value, _ in stack.joins)}
    cut = []
    for _, parts in [*stack.joins, *([] if set(stack.outputs) <= starts else [(0, stack.outputs)])]:
        within, open_ones = set[int](), [part for part in parts if part not in starts]
        while open_ones:
            value = open_ones.pop()
            if value not in within:
                within.add(value)
                open_ones += [s for s, t, _ in stack.edges if t == value and s not in starts]
        number = dict.fromkeys(starts, 0) | {value: 1 + place for place, value in enumerate(sorted(within))}
        edges = tuple((number[s], number[t], op) for s, t, op in stack.edges if t in within)
        cut.append(Graph(edges, tuple(number[part] for part in parts)))
    return tuple(cut)


def _edges(cell: Graph) -> list[Edge]:
    return [(source, target, label(operation)) for source, target, operation in cell.edges]


@lru_cache(maxsize=20_000)
def _wl(cell: Graph) -> Float[np.ndarray, " features"]:
    return wl_vector(operation_graph(_edges(cell), cell.outputs, (SKIP,)))


@lru_cache(maxsize=20_000)
def _paths(cell: Graph) -> Float[np.ndarray, " features"]:
    return path_vector(_edges(cell), cell.outputs)


def _mean(vectors: list[Float[np.ndarray, " features"]], size: int) -> Float[np.ndarray, " features"]:
    return np.asarray(np.mean(vectors, axis=0)) if vectors else np.zeros(size)
