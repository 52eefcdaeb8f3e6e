"""Params, MACs and activations of an expression, each part of it counted once for all networks that share it."""

from dataclasses import replace
from functools import lru_cache

from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.task import Signal

Triple = tuple[int, int, int]


def sums(expr: Expr, x: Signal) -> tuple[Triple, Signal]:
    """(params, MACs, activations) for one row of type `x`, and the type of the result.

    Equal to the sums over `blocks.primitives`; short sequences are remembered, since the blocks of a space share most.
    """
    kind = type(expr)  # quicker than isinstance, and the combinators are final
    if kind is Seq:
        return _remembered(expr, x) if expr.is_flat else _series(expr, x)  # type: ignore[attr-defined, arg-type]
    if kind is Graph:
        return _graph(expr, x)  # type: ignore[arg-type]
    if kind is Sum or kind is Concat:
        return _total([sums(branch, x)[0] for _, branch in expr.branches]), expr.out(x)  # type: ignore[attr-defined]
    if kind is Gate:
        return sums(expr.body, x)[0], expr.out(x)  # type: ignore[attr-defined]
    assert isinstance(expr, Primitive)
    return _primitive(expr, x)


def _series(expr: Seq, x: Signal) -> tuple[Triple, Signal]:
    params = macs = activations = 0
    for _, part in expr.parts:
        more, x = sums(part, x)
        params, macs, activations = params + more[0], macs + more[1], activations + more[2]
    return (params, macs, activations), x


_remembered = lru_cache(maxsize=50_000)(_series)


@lru_cache(maxsize=50_000)
def _primitive(leaf: Primitive, x: Signal) -> tuple[Triple, Signal]:
    return (leaf.params(x), leaf.macs(x), leaf.activations(x)), leaf.out(x)


def _graph(expr: Graph, x: Signal) -> tuple[Triple, Signal]:
    known, parts = {0: x}, []
    joins = dict(expr.joins)
    for source, target, op in expr.edges:
        if source not in known:
            _join(source, joins, known)
        part, out = sums(op, known[source])
        parts.append(part)
        if known.setdefault(target, out) != out:
            expr.out(x)  # raises, and says what cannot be added
    return _total(parts), known[expr.outputs[0]] if len(expr.outputs) == 1 and expr.outputs[0] in known else expr.out(x)


def _join(value: int, joins: dict[int, tuple[int, ...]], known: dict[int, Signal]) -> None:
    """Adds the type of a concatenated value, and of those it is made of."""
    for part in joins[value]:
        if part not in known:
            _join(part, joins, known)
    first = known[joins[value][0]]
    known[value] = replace(first, shape=(sum(known[part].channels for part in joins[value]), *first.shape[1:]))


def _total(parts: list[Triple]) -> Triple:
    params = macs = activations = 0
    for part in parts:
        params, macs, activations = params + part[0], macs + part[1], activations + part[2]
    return params, macs, activations
