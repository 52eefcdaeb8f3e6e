"""Params, MACs and activations of an expression, each part of it counted once for all networks that share it."""

from functools import lru_cache

from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.task import Signal

Triple = tuple[int, int, int]


def sums(expr: Expr, x: Signal) -> tuple[Triple, Signal]:
    """(params, MACs, activations) for one row of type `x`, and the type of the result.

    Equal to the sums over `blocks.primitives`; short sequences are remembered, since the blocks of a space share most.
    """
    if isinstance(expr, Seq):
        return _remembered(expr, x) if expr.is_flat else _series(expr, x)
    if isinstance(expr, Primitive):
        return (expr.params(x), expr.macs(x), expr.activations(x)), expr.out(x)
    if isinstance(expr, Gate):
        return sums(expr.body, x)[0], expr.out(x)
    if isinstance(expr, Sum | Concat):
        return _total([sums(branch, x)[0] for _, branch in expr.branches]), expr.out(x)
    if isinstance(expr, Graph):
        known = expr.values(x)
        return _total([sums(op, known[source])[0] for source, _, op in expr.edges]), expr.out(x)
    raise TypeError(f"not an expression: {expr!r}")


def _series(expr: Seq, x: Signal) -> tuple[Triple, Signal]:
    params = macs = activations = 0
    for _, part in expr.parts:
        more, x = sums(part, x)
        params, macs, activations = params + more[0], macs + more[1], activations + more[2]
    return (params, macs, activations), x


_remembered = lru_cache(maxsize=50_000)(_series)


def _total(parts: list[Triple]) -> Triple:
    return sum(p[0] for p in parts), sum(p[1] for p in parts), sum(p[2] for p in parts)
