"""Canonical form: one text for all expressions that are the same function under matched weights.

Identities vanish, nested sequences and sums are flattened, branches of a sum are sorted, names do not count. In a cell
a value is a sum of operation outputs; operations with weights are told apart by instance, the others by value. Large
cells and stacks of cells are labelled by refinement (`stacked`).
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import permutations, product
from math import factorial, prod

from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.blocks.primitives import Zero
from nasturtium.blocks.stacked import stacked
from nasturtium.task import Signal

IDENTITY = "x"
NOTHING = repr(Zero())
MOST_EDGES, MOST_ORDERS = 16, 5040
"""A cell with more, or with joins, is labelled by refinement: texts of values inside values, and orders of edges that
look alike, would grow beyond bounds."""


def canonical(expr: Expr, x: Signal) -> str:
    """Text of `expr` as a function of an input of type `x`."""
    match expr:
        case Seq():
            return _chain([canonical(part, at) for _, part, at in expr.signals(x)])
        case Sum(branches):
            terms = [term for _, branch in branches for term in _terms(canonical(branch, x)) if term != NOTHING]
            return _value(terms or [NOTHING])
        case Concat(branches):
            return f"concat({'|'.join(canonical(branch, x) for _, branch in branches)})"
        case Gate(body):
            return f"gate({canonical(body, x)})"
        case Graph():
            return _small(expr, x) if len(expr.edges) <= MOST_EDGES and not expr.joins else _large(expr, x)
        case Primitive():
            return IDENTITY if expr.is_identity(x) else f"{expr!r}"
    raise TypeError(f"not an expression: {expr!r}")


def _chain(parts: list[str]) -> str:
    links = [part.removeprefix("[").removesuffix("]") if part.startswith("[") else part for part in parts]
    live = [link for link in links if link != IDENTITY]
    return IDENTITY if not live else live[0] if len(live) == 1 and live[0] != "" else f"[{';'.join(live)}]"


def _terms(text: str) -> list[str]:
    """Terms of a sum that stands in a sum; split at the top level only."""
    if not text.startswith("sum("):
        return [text]
    terms, depth, start = [], 0, 4
    for place in range(4, len(text) - 1):
        depth += (text[place] in "([") - (text[place] in ")]")
        if text[place] == "|" and depth == 0:
            terms.append(text[start:place])
            start = place + 1
    return [*terms, text[start:-1]]


@lru_cache(maxsize=50_000)
def _small(expr: Graph, x: Signal) -> str:
    """The least text over all labellings of the weighted edges, those that look alike being interchangeable."""
    known = expr.values(x)
    texts = {(s, t): canonical(op, known[s]) for s, t, op in expr.edges}
    weighted = [(s, t) for s, t, op in expr.edges if _has_weights(op, known[s])]
    looks = {edge: _render(expr, texts, dict.fromkeys(weighted, ""), upto=edge) for edge in weighted}
    groups: dict[str, list[tuple[int, int]]] = {}
    for edge in sorted(weighted, key=lambda e: looks[e]):
        groups.setdefault(looks[edge], []).append(edge)
    if prod(factorial(len(group)) for group in groups.values()) > MOST_ORDERS:
        return _large(expr, x)
    best: str | None = None
    for orders in product(*(permutations(group) for group in groups.values())):
        labels = {edge: f"#{k}" for k, edge in enumerate(edge for order in orders for edge in order)}
        text = _render(expr, texts, labels)
        best = text if best is None or text < best else best
    return best or IDENTITY


def _large(expr: Graph, x: Signal) -> str:
    known = expr.values(x)
    edges = []
    for source, target, op in expr.edges:
        text = _remembered(op, known[source])
        edges.append((source, target, "" if text == IDENTITY else text, _has_weights(op, known[source])))
    return f"stack({stacked(edges, expr.outputs, expr.joins)})"


# The cells of a stack have the same few operations again and again.
_remembered = lru_cache(maxsize=50_000)(canonical)


def _has_weights(op: Expr, x: Signal) -> bool:
    match op:
        case Seq():
            return any(_has_weights(part, at) for _, part, at in op.signals(x))
        case Sum(branches) | Concat(branches):
            return any(_has_weights(branch, x) for _, branch in branches)
        case Gate(body):
            return _has_weights(body, x)
        case Primitive():
            return op.params(x) > 0
    return True


def _render(
    expr: Graph,
    texts: Mapping[tuple[int, int], str],
    labels: Mapping[tuple[int, int], str],
    upto: tuple[int, int] | None = None,
) -> str:
    """Text of the cell's result, or of the value on edge `upto`, with the weighted edges labelled."""
    terms: dict[int, list[str]] = {0: [IDENTITY]}
    for source, target, _ in expr.edges:
        text = texts[source, target]
        value = _value(terms[source])
        applied = f"{text}{labels.get((source, target), '')}({value})"
        new = list(terms[source]) if text == IDENTITY else [applied]
        if (source, target) == upto:
            return new[0]
        terms.setdefault(target, []).extend(new)
    outs = [_value(terms[k]) for k in expr.outputs]
    return outs[0] if len(outs) == 1 else f"concat({'|'.join(outs)})"


def _value(terms: list[str]) -> str:
    """Text of a sum of terms."""
    return terms[0] if len(terms) == 1 else f"sum({'|'.join(sorted(terms))})"
