"""Peak memory: which tensors are alive at once, over the order in which an expression runs.

Rules, those of deployment runtimes: a tensor dies after its last reader; element-wise primitives (`in_place`) and
additions overwrite an operand that nobody else will read; the identity copies nothing; weights are not counted.
All sizes are in numbers for one row.
"""

from dataclasses import dataclass
from functools import lru_cache

from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.task import Signal


@dataclass(frozen=True)
class _Run:
    """peak: most numbers alive while it ran, input included. alias: is the result the input's own tensor?"""

    peak: int
    alias: bool


def peak_numbers(expr: Expr, x: Signal) -> int:
    """Most numbers alive at once, input and result included."""
    return _run(expr, x, keep=False).peak


def _run(expr: Expr, x: Signal, keep: bool) -> _Run:
    """keep: is the input read again afterwards?"""
    match expr:
        case Seq():
            return (_remembered if expr.is_flat else _sequence)(expr, x, keep)
        case Sum(branches):
            return _branches([branch for _, branch in branches], x, keep, joined_in_place=True)
        case Concat(branches):
            return _branches([branch for _, branch in branches], x, keep, joined_in_place=False)
        case Gate(body):
            gate, size = body.out(x).size, x.size
            product = 2 * size + gate if keep else size + gate
            return _Run(max(_run(body, x, keep=True).peak, product), alias=False)
        case Graph():
            return _graph(expr, x, keep)
        case Primitive():
            return _primitive(expr, x, keep)
    raise TypeError(f"not an expression: {expr!r}")


def _primitive(leaf: Primitive, x: Signal, keep: bool) -> _Run:
    if leaf.is_identity(x):
        return _Run(x.size, alias=True)
    if leaf.in_place and not keep:
        return _Run(x.size, alias=False)
    return _Run(x.size + leaf.out(x).size, alias=False)


def _sequence(expr: Seq, x: Signal, keep: bool) -> _Run:
    peak, held, alias = x.size, 0, True
    for _, part, at in expr.signals(x):
        run = _run(part, at, keep=keep and alias)
        peak = max(peak, held + run.peak)
        if alias and not run.alias:
            alias, held = False, x.size if keep else 0
    return _Run(peak, alias)


# The blocks of a space share most of their short sequences (convolution, normalisation, activation).
_remembered = lru_cache(maxsize=50_000)(_sequence)


def _branches(branches: list[Expr], x: Signal, keep: bool, joined_in_place: bool) -> _Run:
    """Branches run in order; the input stays until the last that reads it, finished ones wait to be joined."""
    peak, waiting = x.size, 0
    for place, branch in enumerate(branches):
        last = place == len(branches) - 1
        run = _run(branch, x, keep=keep or not last)
        peak = max(peak, waiting + run.peak)
        result, here = branch.out(x).size, 0 if last and not keep and not run.alias else x.size
        mine = 0 if run.alias else result
        if joined_in_place:
            spare = waiting or (mine and result)  # an operand that the sum may overwrite
            total = here + waiting + mine + (0 if spare or not place else result)
            peak, waiting = max(peak, total), max(waiting, mine)
        else:
            waiting += mine
            peak = max(peak, here + waiting)
            if last:
                peak = max(peak, here + waiting + sum(b.out(x).size for b in branches))
    return _Run(peak, alias=False)


def _graph(expr: Graph, x: Signal, keep: bool) -> _Run:
    """Edges run in order; a value dies after the last edge (or the output) that reads it."""
    known = expr.values(x)
    last_read = {source: place for place, (source, _, _) in enumerate(expr.edges)}
    last_read |= dict.fromkeys(expr.outputs, len(expr.edges))
    if keep:
        last_read[0] = len(expr.edges)
    alive, peak = {0: x.size}, x.size
    for place, (source, target, op) in enumerate(expr.edges):
        at = known[source]
        others = sum(alive.values()) - at.size
        run = _run(op, at, keep=last_read[source] > place)
        peak = max(peak, others + run.peak)
        if last_read[source] <= place and not run.alias:
            alive.pop(source)
        fresh = known[target].size
        if target not in alive:
            # An alias of a value that lives on is copied, because later terms are added to it in place.
            alive[target] = fresh
            if run.alias and last_read[source] <= place:
                alive.pop(source, None)
        else:
            peak = max(peak, sum(alive.values()) + (0 if run.alias else fresh))
            if last_read[source] <= place:
                alive.pop(source, None)
        peak = max(peak, sum(alive.values()))
    if len(expr.outputs) > 1:
        peak = max(peak, sum(alive.values()) + expr.out(x).size)
    return _Run(peak, alias=False)
