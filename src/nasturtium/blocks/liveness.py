"""Peak memory: which tensors are alive at once, over the order in which an expression runs.

Rules, those of deployment runtimes: a tensor dies after its last reader; element-wise primitives (`in_place`) and
additions overwrite an operand that nobody else will read; the identity copies nothing; weights are not counted;
attention holds the weights of all heads.
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
    return _Run(x.size + leaf.workspace(x) + leaf.out(x).size, alias=False)


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


@dataclass(frozen=True)
class _Line:
    """A step of a cell: an operation on one buffer, or (op None) a sum of two or a concatenation of several buffers.

    size: of its result. fresh: may it not overwrite an operand?
    """

    result: int
    operands: tuple[int, ...]
    op: Expr | None
    at: Signal
    size: int
    fresh: bool = False


def _graph(expr: Graph, x: Signal, keep: bool) -> _Run:
    """Edges run in order. A buffer dies after the last line (or the output) that reads it; an identity makes none."""
    lines, outputs = _lines(expr, x)
    last_read = {buffer: place for place, line in enumerate(lines) for buffer in line.operands}
    last_read |= dict.fromkeys(outputs, len(lines))
    if keep:
        last_read[0] = len(lines)
    alive, peak = {0: x.size}, x.size
    for place, line in enumerate(lines):
        dying = {buffer for buffer in line.operands if last_read[buffer] <= place}
        held = sum(alive.values())
        if line.op is None:
            overwritten = not line.fresh and any(alive[buffer] == line.size for buffer in dying)
            peak = max(peak, held + (0 if overwritten else line.size))
        else:
            (source,) = line.operands
            run = _run(line.op, line.at, keep=source not in dying)
            peak = max(peak, held - alive[source] + run.peak)
        alive = {buffer: size for buffer, size in alive.items() if buffer not in dying} | {line.result: line.size}
    if len(outputs) > 1:
        peak = max(peak, sum(alive.values()) + expr.out(x).size)
    return _Run(peak, alias=outputs == [0])


def _lines(expr: Graph, x: Signal) -> tuple[list[_Line], list[int]]:
    """A cell as straight-line code over numbered buffers (0 is the input), and the buffers of its outputs."""
    known, buffers, joins = expr.values(x), {0: 0}, dict(expr.joins)
    lines: list[_Line] = []

    def read(value: int) -> int:
        """The buffer of a value; joined values are concatenated when they are first read."""
        if value not in buffers:
            parts = tuple(read(part) for part in joins[value])
            lines.append(_Line(len(lines) + 1, parts, None, known[value], known[value].size, fresh=True))
            buffers[value] = lines[-1].result
        return buffers[value]

    for source, target, op in expr.edges:
        term, at, size = read(source), known[source], known[target].size
        if not _run(op, at, keep=True).alias:
            lines.append(_Line(len(lines) + 1, (term,), op, at, size))
            term = lines[-1].result
        if target in buffers:
            lines.append(_Line(len(lines) + 1, (buffers[target], term), None, at, size))
            term = lines[-1].result
        buffers[target] = term
    return lines, [read(value) for value in expr.outputs]
