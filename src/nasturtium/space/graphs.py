"""Labelled graphs of architectures, and what can be counted in them: Weisfeiler-Lehman subtrees and paths.

Shervashidze, Schweitzer, van Leeuwen, Mehlhorn and Borgwardt, "Weisfeiler-Lehman Graph Kernels", JMLR 12, 2011,
algorithm 1 and section 3.2; paths as in White, Neiswanger and Savani, "BANANAS", AAAI 2021 (arXiv:1910.11858),
section 3. Counts are hashed into vectors of fixed length, so that no dictionary has to be agreed on (Weinberger et al.,
"Feature Hashing for Large Scale Multitask Learning", ICML 2009, without its signs): the same label always falls into
the same place, and two labels rarely share one.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from jaxtyping import Float

from nasturtium.space.decisions import children, is_plain

WL_DEPTH = 2
"""Rounds of relabelling: a node's label then tells of what is within two edges of it."""
BUCKETS = 1024
"""Places for the labels of one depth."""
LONGEST_PATH = 5
"""Operations on a path that is counted; longer ones are left out (section 3 of BANANAS: they tell least)."""

Edge = tuple[int, int, str]
"""An operation on the way from one value of a cell to another."""


@dataclass(frozen=True)
class LabelledGraph:
    """A directed graph. labels: of the nodes. edges: (from, to)."""

    labels: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]


def wl_counts(graph: LabelledGraph, depth: int = WL_DEPTH) -> tuple[Counter[int], ...]:
    """How often each label occurs, after 0, 1 … `depth` rounds; labels are 64-bit hashes, the same in every process.

    A round replaces a node's label by one for itself and the sorted labels of its successors. Isomorphic graphs have
    equal counts.
    """
    after: list[list[int]] = [[] for _ in graph.labels]
    for source, target in graph.edges:
        after[source].append(target)
    labels = [_named(label) for label in graph.labels]
    found = [Counter(labels)]
    for _ in range(depth):
        labels = [_relabelled(own, tuple(sorted([labels[to] for to in after[at]]))) for at, own in enumerate(labels)]
        found.append(Counter(labels))
    return tuple(found)


def wl_vector(
    graph: LabelledGraph, depth: int = WL_DEPTH, buckets: int = BUCKETS
) -> Float[np.ndarray, " depths_times_buckets"]:
    """`wl_counts` as one vector of `(depth + 1) * buckets` numbers, depth after depth."""
    vector = np.zeros((depth + 1, buckets))
    for row, counts in enumerate(wl_counts(graph, depth)):
        for label, count in counts.items():
            vector[row, label % buckets] += count
    return vector.reshape(-1)


def path_vector(
    edges: Sequence[Edge], outputs: Collection[int], buckets: int = BUCKETS
) -> Float[np.ndarray, " buckets"]:
    """1 where a cell has a path from its input to an output with these operations in this order, else 0."""
    vector = np.zeros(buckets)
    for path in paths(edges, outputs):
        vector[_named("\n".join(path)) % buckets] = 1.0
    return vector


def paths(edges: Sequence[Edge], outputs: Collection[int]) -> frozenset[tuple[str, ...]]:
    """The operations along every path from value 0 to an output, up to `LONGEST_PATH` of them."""

    def onward(value: int, taken: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if value in outputs and taken:
            yield taken
        if len(taken) < LONGEST_PATH:
            for source, target, operation in edges:
                if source == value:
                    yield from onward(target, (*taken, operation))

    return frozenset(onward(0, ()))


def operation_graph(edges: Sequence[Edge], outputs: Collection[int], through: Collection[str] = ()) -> LabelledGraph:
    """A cell with its operations as nodes, between "input" and "output"; an edge leads on to what reads the result.

    through: operations that hand on what they get; they are left out, and their ends joined, as NAS-BOWL does.
    """
    count = len(edges)
    reads = {(-1, at) for at, (source, _, _) in enumerate(edges) if source == 0}
    reads |= {(one, two) for one, first in enumerate(edges) for two, last in enumerate(edges) if first[1] == last[0]}
    reads |= {(at, count) for at, (_, target, _) in enumerate(edges) if target in outputs}
    for gone in (at for at, edge in enumerate(edges) if edge[2] in through):
        before = [one for one, two in reads if two == gone]
        after = [two for one, two in reads if one == gone]
        reads = {pair for pair in reads if gone not in pair} | {(one, two) for one in before for two in after}
    kept = [at for at, edge in enumerate(edges) if edge[2] not in through]
    number = {-1: 0} | {at: 1 + place for place, at in enumerate(kept)} | {count: 1 + len(kept)}
    labels = ("input", *(edges[at][2] for at in kept), "output")
    return LabelledGraph(labels, tuple(sorted((number[one], number[two]) for one, two in reads)))


def tree_graph(tree: object) -> LabelledGraph:
    """The graph of a resolved tree: what can be said of an architecture whose blocks are not known.

    A node for each block, labelled with its class, and for each plain value in it ("kernel=3"; in a tuple of plain
    values with its place, "operations.2=skip_connect"; real numbers by their first digit). Edges lead from a block to
    what it holds, and from each item of a sequence to the next. Names that blocks have in a sequence are no part of it.
    """
    labels, edges = list[str](), list[tuple[int, int]]()

    def node(label: str, parent: int | None) -> int:
        labels.append(label)
        if parent is not None:
            edges.append((parent, len(labels) - 1))
        return len(labels) - 1

    def visit(name: str, part: object, parent: int | None) -> int | None:
        if is_plain(part):
            for place, value in _values(name, part):
                node(f"{place}={value}", parent)
            return None
        if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], str):
            return visit(name, part[1], parent)
        at = node(name if isinstance(part, tuple) else type(part).__name__, parent)
        previous = None
        for key, child in children(part):
            made = visit(f"{name}.{key}" if isinstance(part, tuple) else key, child, at)
            if isinstance(part, tuple) and made is not None:
                if previous is not None:
                    edges.append((previous, made))
                previous = made
        return at

    visit("tree", tree, None)
    return LabelledGraph(tuple(labels), tuple(edges))


def _values(name: str, part: object) -> Iterator[tuple[str, str]]:
    """The plain values in a part, with their places."""
    if isinstance(part, tuple):
        for place, value in enumerate(part):
            yield from _values(f"{name}.{place}", value)
    else:
        yield name, f"{part:.0e}" if isinstance(part, float) else str(part)


@lru_cache(maxsize=2**16)
def _named(label: str) -> int:
    return int.from_bytes(blake2b(label.encode(), digest_size=8).digest(), "big")


@lru_cache(maxsize=2**16)
def _relabelled(own: int, successors: tuple[int, ...]) -> int:
    return _named(f"{own}:{','.join(map(str, successors))}")
