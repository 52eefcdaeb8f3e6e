"""What the graph of a network looks like, in numbers: operations, path lengths and degrees, for predictors.

In the manner of GRAF (Kadlecová et al. 2024, "Surprisingly Strong Performance Prediction with Neural Graph Features",
ICML; arXiv:2404.16551): for sets of operations, how many there are, the shortest and longest path that uses no others,
and the degrees of input and output. Theirs are features of one cell; ours add up over the branching parts of any
network, so that networks of equal cells have those of the cell times their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
from jaxtyping import Float

from nasturtium.blocks.block import Block, Chain
from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Seq, Sum
from nasturtium.blocks.primitives import Conv, Identity, Linear, LineConv, Pool, Zero
from nasturtium.task import Signal

KINDS = ("skip", "conv1", "conv3", "conv5", "depthwise3", "depthwise5", "pool", "linear")
"""Operations that are told apart; "5" is 5 and more, a grouped convolution is depthwise. Others count for nothing."""


def _sets() -> Float[np.ndarray, "sets kinds"]:
    """Single kinds, pairs, all but one, all: 1 where a kind is in the set. Every subset, where four kinds occur."""
    every = range(len(KINDS))
    chosen: list[tuple[int, ...]] = [(k,) for k in every] + [*combinations(every, 2)]
    chosen += [tuple(k for k in every if k != left) for left in every] + [tuple(every)]
    return np.array([[float(k in subset) for k in every] for subset in chosen])


SETS = _sets()
Kinds = Float[np.ndarray, " kinds"]
_NONE = np.zeros(len(KINDS))
_CLOSED = np.full(len(SETS), np.inf)


@dataclass(frozen=True)
class Paths:
    """Of one expression. short, long: operations on the shortest and longest path of each set (inf, -inf: no path).

    counts: operations of each kind. most, least: of each kind on the path that has most and fewest. number: of paths.
    through: operations of each kind summed over all paths. leaving, arriving: operations of each kind at the input and
    at the output. local: sum of the features of the branching parts.
    """

    counts: Float[np.ndarray, " kinds"]
    short: Float[np.ndarray, " sets"]
    long: Float[np.ndarray, " sets"]
    most: Float[np.ndarray, " kinds"]
    least: Float[np.ndarray, " kinds"]
    through: Float[np.ndarray, " kinds"]
    number: float
    leaving: Float[np.ndarray, " kinds"]
    arriving: Float[np.ndarray, " kinds"]
    local: Float[np.ndarray, " features"]

    @property
    def features(self) -> Float[np.ndarray, " features"]:
        """As one vector. The shortest path by its inverse, so that no path is like a very long one, not like none."""
        near = np.where(np.isfinite(self.short), 1.0 / np.maximum(self.short, 0.5), 0.0)
        far = np.where(np.isfinite(self.long), self.long, 0.0)
        sets = [SETS @ self.counts, near, far, SETS @ self.leaving, SETS @ self.arriving]
        kinds = [np.where(np.isfinite(part), part, 0.0) for part in (self.most, self.least, self.through)]
        return np.concatenate([*sets, *(kind[1:] for kind in kinds)])


def graph_features(block: Block, x: Signal) -> Float[np.ndarray, " features"]:
    """Of a whole network: operations of each kind, the longest path, and the sum over its branching parts.

    The length is the same for all networks: predictors leave out what does not vary in a space.
    """
    (*counts, longest), _ = _through(block, x)
    return np.array([*counts[: len(KINDS)], longest if np.isfinite(longest) else 0.0, *counts[len(KINDS) :]])


Totals = Float[np.ndarray, " totals"]
"""What adds up over parts that follow one another: counts, `local`, and the longest path of any kinds. Of a whole
network no more is wanted, and the rest of `_chain` takes longer."""


def _through(block: Block, x: Signal) -> tuple[Totals, Signal]:
    """Of a block, and the type of its result. Kept link by link: networks of a space have most of theirs in common."""
    if isinstance(block, Chain):
        found = []
        for _, link in block.links():
            totals, x = _through(link, x)
            found.append(totals)
        return (np.sum(found, axis=0) if found else _totals(Identity())), x
    try:
        return _kept(block, x)
    except TypeError:  # a user's own block that has no hash
        return _of_one(block, x)


def _of_one(block: Block, x: Signal) -> tuple[Totals, Signal]:
    expr = block.lower(x)
    return _totals(expr), expr.out(x)


_kept = lru_cache(maxsize=20_000)(_of_one)


def _totals(expr: Expr) -> Totals:
    if isinstance(expr, Seq):
        return np.asarray(np.sum([_totals(part) for _, part in expr.parts] or [_totals(Identity())], axis=0))
    found = paths(expr)
    return np.concatenate([found.counts, found.local, found.long[-1:]])


def kind(op: Expr) -> str | None:
    """The kind of one primitive, None for what does not count."""
    match op:
        case Conv(kernel=kernel, groups=groups):
            size = 1 if kernel == 1 else 3 if kernel <= 3 else 5
            return f"conv{size}" if groups == 1 or size == 1 else f"depthwise{size}"
        case LineConv(kernel=kernel):
            return "conv3" if kernel <= 3 else "conv5"
        case Pool():
            return "pool"
        case Linear():
            return "linear"
    return None


@lru_cache(maxsize=5_000)
def paths(expr: Expr) -> Paths:
    """The paths through `expr`."""
    match expr:
        case Seq(parts):
            return _chain([paths(part) for _, part in parts])
        case Sum(branches) | Concat(branches):
            return _branching(tuple((0, 1, part) for _, part in branches), (1,))
        case Graph(edges, outputs, joins):
            return _branching(edges, outputs, joins)
        case Gate(body):
            return _open(paths(body).counts, paths(body).local)
        case Zero():
            return Paths(_NONE, _CLOSED, -_CLOSED, _NONE - np.inf, _NONE + np.inf, _NONE, 0.0, _NONE, _NONE, _LOCAL)
    name = kind(expr)
    return _single(name) if name is not None else _open()


def _open(counts: Kinds = _NONE, local: Float[np.ndarray, " features"] | None = None) -> Paths:
    """What lets everything through: no operation on the one path. counts, local: of what stands beside the path."""
    sets = np.zeros(len(SETS))
    beside = _LOCAL if local is None else local
    return Paths(counts, sets, sets, _NONE, _NONE, _NONE, 1.0, _NONE, _NONE, beside)


@lru_cache(maxsize=len(KINDS))
def _single(name: str) -> Paths:
    """One operation."""
    one = np.eye(len(KINDS))[KINDS.index(name)]
    within = SETS @ one > 0
    short, long = np.where(within, 1.0, np.inf), np.where(within, 1.0, -np.inf)
    return Paths(one, short, long, one, one, one, 1.0, one, one, _LOCAL)


def _chain(parts: Sequence[Paths]) -> Paths:
    """One after the other."""
    if not parts:
        return _open()
    first, *rest = parts
    for part in rest:
        first = Paths(
            counts=first.counts + part.counts,
            short=first.short + part.short,
            long=first.long + part.long,
            most=first.most + part.most,
            least=first.least + part.least,
            through=first.through * part.number + part.through * first.number,
            number=first.number * part.number,
            leaving=first.leaving if first.leaving.any() else part.leaving,
            arriving=part.arriving if part.arriving.any() else first.arriving,
            local=first.local + part.local,
        )
    return first


def _either(one: Paths | None, other: Paths) -> Paths:
    """Side by side, from the same value to the same value."""
    if one is None:
        return other
    return Paths(
        counts=one.counts + other.counts,
        short=np.minimum(one.short, other.short),
        long=np.maximum(one.long, other.long),
        most=np.maximum(one.most, other.most),
        least=np.minimum(one.least, other.least),
        through=one.through + other.through,
        number=one.number + other.number,
        leaving=one.leaving + other.leaving,
        arriving=one.arriving + other.arriving,
        local=one.local + other.local,
    )


def _branching(
    edges: Sequence[tuple[int, int, Expr]],
    outputs: tuple[int, ...],
    joins: tuple[tuple[int, tuple[int, ...]], ...] = (),
) -> Paths:
    """Of a graph of operations; its own features join those of the branching parts in it."""
    own = [(source, target, _edge(op)) for source, target, op in edges]
    arriving: dict[int, list[tuple[int, Paths | None]]] = {}
    for source, target, op in own:
        arriving.setdefault(target, []).append((source, op))
    arriving |= {value: [(part, None) for part in parts] for value, parts in joins}
    reached: dict[int, Paths] = {0: _open()}
    for target in sorted(arriving):
        value: Paths | None = None
        for source, way in arriving[target]:
            if source in reached:
                value = _either(value, reached[source] if way is None else _chain([reached[source], way]))
        if value is not None:
            reached[target] = value
    joined: Paths | None = None
    for output in outputs:
        joined = _either(joined, reached[output])
    assert joined is not None
    ends = set(outputs).union(*(parts for value, parts in joins if value in outputs))
    found = Paths(
        # Along paths a shared edge would count once for each of them.
        counts=np.sum([op.counts for _, _, op in own], axis=0),
        short=joined.short,
        long=joined.long,
        most=joined.most,
        least=joined.least,
        through=joined.through,
        number=joined.number,
        leaving=np.sum([op.leaving for source, _, op in own if source == 0] or [_NONE], axis=0),
        arriving=np.sum([op.arriving for _, target, op in own if target in ends] or [_NONE], axis=0),
        local=np.sum([op.local for _, _, op in own], axis=0),
    )
    return replace(found, local=found.features + found.local)


def _edge(op: Expr) -> Paths:
    """An operation between two values: one that hands on what it gets is a skip connection."""
    match op:
        case Identity():
            return _single("skip")
        case Seq(parts) if all(isinstance(part, Identity) for _, part in parts):
            return _single("skip")
    return paths(op)


_LOCAL = np.zeros(5 * len(SETS) + 3 * (len(KINDS) - 1))
