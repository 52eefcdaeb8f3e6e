"""The parameters of an expression: their names in its module, and how each is made up."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from nasturtium.blocks import Concat, Expr, Gate, Graph, OpenGraph, Primitive, Seq, Sum
from nasturtium.blocks.primitives import (
    Activation,
    Conv,
    Dropout,
    GlobalPool,
    Identity,
    Linear,
    Norm,
    Pool,
    Resize,
    Zero,
)
from nasturtium.supernet.slices import Axes, Axis, Factor, axes_of, channels_after, channels_of, length
from nasturtium.task import Signal

EACH_ALONE = (Activation, Dropout, GlobalPool, Identity, Pool, Resize, Zero)
"""Primitives without parameters that treat every channel by itself."""

ANY_SIDE = (*EACH_ALONE, Conv, Linear, Norm)
"""Primitives whose parameters are the same for inputs of all sides."""


class Wanted(NamedTuple):
    """A parameter that a module needs.

    name: its path in the module. axes: what it is made of. leaf, x, own: the primitive that has it, the input of that,
    and the parameter's name there, for initial values.
    """

    name: str
    axes: Axes
    leaf: Primitive
    x: Signal
    own: str


Found = tuple[tuple[Wanted, ...], Axis]
"""The parameters of an expression, and how the channels of its result are made up."""

Joined = Mapping[int, tuple[int, ...]]
"""Values that are concatenations, and the values that they join."""


@lru_cache(maxsize=50_000)
def parameters(expr: Expr, x: Signal, channels: Axis) -> Found:
    """Of the module of `expr` for an input of type `x` whose channels are made up like this."""
    match expr:
        case Seq():
            wanted: list[Wanted] = []
            for name, part, at in expr.signals(x):
                inner, channels = parameters(part, at, channels)
                wanted += below(name, inner)
            return tuple(wanted), channels
        case Sum(branches):
            found = [(f"branches.{name}", parameters(branch, x, channels)) for name, branch in branches]
            return _all(found), found[0][1][1]
        case Concat(branches):
            found = [(f"branches.{name}", parameters(branch, x, channels)) for name, branch in branches]
            return _all(found), tuple(part for _, (_, made) in found for part in made)
        case Gate(body):
            return tuple(below("body", parameters(body, x, channels)[0])), channels
        case Graph(edges=edges, outputs=outputs):
            named = tuple((s, t, f"operations.edge_{s}_{t}", op) for s, t, op in edges)
            return _graph(named, outputs, expr.joins, dict(expr.joins), expr.values(x), channels)
        case Primitive():
            axes = axes_of(expr, x, channels).items()
            return tuple(Wanted(name, made, expr, x, name) for name, made in axes), channels_after(expr, x, channels)
    raise TypeError(f"not an expression: {expr!r}")


def open_parameters(graph: OpenGraph, x: Signal, channels: Axis, present: Joined) -> Found:
    """Of a relaxed cell: `edge_{s}_{t}.{option}.…` for every option of every edge.

    present: of values that are concatenations, those of the joined values that are really there in a settled cell. The
    others are parts of length 0, so that each value keeps its weights wherever it is joined.
    """
    edges = [(edge, f"{edge.name}.{key}", op) for edge in graph.edges for key, op in edge.options]
    named = tuple((edge.source, edge.target, name, op) for edge, name, op in edges)
    signals = graph.values(x)
    for value, joined in graph.joins:
        width = sum(signals[k].channels for k in joined if k in present.get(value, joined))
        signals[value] = replace(signals[value], shape=(width, *signals[value].shape[1:]))
    return _graph(named, graph.outputs, graph.joins, present, signals, channels)


def _graph(
    edges: tuple[tuple[int, int, str, Expr], ...],
    outputs: tuple[int, ...],
    joins: tuple[tuple[int, tuple[int, ...]], ...],
    present: Joined,
    signals: dict[int, Signal],
    channels: Axis,
) -> Found:
    made: dict[int, Axis] = {0: channels}
    joined = dict(joins)
    arriving: dict[int, list[tuple[int, str, Expr]]] = {}
    for source, target, name, op in edges:
        arriving.setdefault(target, []).append((source, name, op))
    wanted: list[Wanted] = []
    for value in sorted(set(signals) - {0}):
        if value in joined:
            there = present.get(value, joined[value])
            made[value] = tuple((Factor(signals[k].channels if k in there else 0),) for k in joined[value])
        for source, name, op in arriving.get(value, []):
            if not isinstance(op, Zero):
                inner, after = parameters(op, signals[source], made[source])
                made.setdefault(value, after)
                wanted += below(name, inner)
        made.setdefault(value, channels_of(signals[value]))
    return tuple(wanted), made[outputs[0]] if len(outputs) == 1 else tuple(part for k in outputs for part in made[k])


def below(name: str, wanted: tuple[Wanted, ...]) -> list[Wanted]:
    """The same parameters seen from the module that holds theirs as `name`."""
    return [Wanted(f"{name}.{one[0]}", *one[1:]) for one in wanted]


def _all(found: list[tuple[str, Found]]) -> tuple[Wanted, ...]:
    return tuple(one for name, (wanted, _) in found for one in below(name, wanted))


@lru_cache(maxsize=50_000)
def depends_on_sides(expr: Expr) -> bool:
    """May the parameters depend on the sides of the input, and not on its channels alone?"""
    match expr:
        case Seq(parts):
            return any(depends_on_sides(part) for _, part in parts)
        case Sum(branches) | Concat(branches):
            return any(depends_on_sides(branch) for _, branch in branches)
        case Gate(body):
            return depends_on_sides(body)
        case Graph(edges=edges):
            return any(depends_on_sides(op) for _, _, op in edges)
    return not isinstance(expr, ANY_SIDE)


def fitting(channels: Axis, x: Signal) -> Axis:
    """The make-up of the channels of `x`, forgotten where it does not add up (a foreign module came between)."""
    return channels if length(channels) == x.channels else channels_of(x)
