"""Which options can reach the output of a cell, when only some are active."""

from collections.abc import Sequence

from nasturtium.blocks.open_graph import OpenGraph
from nasturtium.supernet._options import Option


def live(graph: OpenGraph, options: Sequence[Option]) -> list[Option]:
    """Those on a path from the input to an output: the others neither change the result nor have a gradient.

    An option that makes something of nothing (a normalisation with a shift of its own) is live without an input.
    """
    filled = {0}
    arriving: dict[int, list[Option]] = {}
    for option in options:
        if not option.zero:
            arriving.setdefault(option.edge.target, []).append(option)
    joins = dict(graph.joins)
    values = sorted({*arriving, *joins})
    for value in values:
        sources = joins.get(value, ())
        sources += tuple(o.edge.source if o.keeps_zero else 0 for o in arriving.get(value, ()))
        if filled.intersection(sources):
            filled.add(value)
    needed = set(graph.outputs)
    for value in reversed(values):
        if value in needed:
            needed.update(joins.get(value, ()), (option.edge.source for option in arriving.get(value, ())))
    return [
        option
        for option in options
        if not option.zero and option.edge.target in needed and (option.edge.source in filled or not option.keeps_zero)
    ]
