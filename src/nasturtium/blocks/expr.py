"""Expressions: what a network is, as plain hashable data.

An expression is a function of one tensor. Its leaves are primitives (see `primitives`), its inner nodes the five
combinators below. Everything else (cost, memory, building, canonical form, drawing, source text) is a walk over it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from nasturtium.blocks import modules
from nasturtium.errors import SpaceError
from nasturtium.task import Signal


@dataclass(frozen=True)
class Call:
    """A constructor call that can be executed (`build`) or written down (`source`): one rule for both.

    target: a class, or a function of `modules` that returns a module. Arguments are plain values, tuples or `Call`s.
    """

    target: type | object
    args: tuple[object, ...] = ()
    kwargs: tuple[tuple[str, object], ...] = ()


class Expr(ABC):
    """A frozen, hashable description of a function of one tensor."""

    @abstractmethod
    def out(self, x: Signal) -> Signal:
        """Type of the result for an input of type `x`; raises `SpaceError` where it cannot be applied."""

    @abstractmethod
    def call(self, x: Signal) -> Call:
        """How its module is constructed for an input of type `x`."""


class Primitive(Expr):
    """A leaf. Its shape, cost and build rules stand beside each other in one class."""

    in_place: ClassVar[bool] = False
    """Can overwrite its input where nobody else reads it (normalisation, activation); used for peak memory."""

    def params(self, x: Signal) -> int:
        """Trainable numbers."""
        return 0

    def macs(self, x: Signal) -> int:
        """Multiply-accumulates for one row (convolution, linear, matmul)."""
        return 0

    def activations(self, x: Signal) -> int:
        """Numbers written by convolutions and linear layers for one row (as in Radosavovic et al. 2020, section 3)."""
        return 0

    def workspace(self, x: Signal) -> int:
        """Numbers that are alive while it runs, beside its input and its result."""
        return 0

    def is_identity(self, x: Signal) -> bool:
        """Does it hand its input on unchanged?"""
        return False

    def packed(self, x: Signal) -> Mapping[str, tuple[tuple[int, ...], ...]]:
        """Parameters of its module with axes that hold more than one run: the factors of each axis, outermost first.

        Weight sharing cuts the leading part of each factor: heads of a packed projection `((3, heads, dim), (width,))`.
        Parameters that are not named are cut along whole axes.
        """
        return {}


@dataclass(frozen=True)
class Seq(Expr):
    """One after the other. Names become parameter paths, so they do not depend on neighbours."""

    parts: tuple[tuple[str, Expr], ...] = ()

    @cached_property
    def is_flat(self) -> bool:
        """Is it made of primitives only?"""
        return all(isinstance(part, Primitive) for _, part in self.parts)

    def signals(self, x: Signal) -> Iterator[tuple[str, Expr, Signal]]:
        """Each part with the type of its input."""
        for name, part in self.parts:
            yield name, part, x
            x = part.out(x)

    def out(self, x: Signal) -> Signal:
        for _, part in self.parts:
            x = part.out(x)
        return x

    def call(self, x: Signal) -> Call:
        return Call(modules.sequential, (), tuple((name, part.call(at)) for name, part, at in self.signals(x)))


@dataclass(frozen=True)
class Sum(Expr):
    """Branches on one input, added. The identity, if any, stands last."""

    branches: tuple[tuple[str, Expr], ...]

    def out(self, x: Signal) -> Signal:
        return _same([branch.out(x) for _, branch in self.branches], "added")

    def call(self, x: Signal) -> Call:
        return Call(modules.Sum, (), tuple((name, branch.call(x)) for name, branch in self.branches))


@dataclass(frozen=True)
class Concat(Expr):
    """Branches on one input, concatenated along the channels."""

    branches: tuple[tuple[str, Expr], ...]

    def out(self, x: Signal) -> Signal:
        outs = [branch.out(x) for _, branch in self.branches]
        if len({(o.kind, o.shape[1:]) for o in outs}) != 1:
            raise SpaceError(f"Branches of shapes {[o.shape for o in outs]} cannot be concatenated.")
        return replace(outs[0], shape=(sum(o.channels for o in outs), *outs[0].shape[1:]))

    def call(self, x: Signal) -> Call:
        return Call(modules.Concat, (), tuple((name, branch.call(x)) for name, branch in self.branches))


@dataclass(frozen=True)
class Gate(Expr):
    """The input multiplied by what `body` makes of it (squeeze-and-excitation)."""

    body: Expr

    def out(self, x: Signal) -> Signal:
        self.body.out(x)
        return x

    def call(self, x: Signal) -> Call:
        return Call(modules.Gate, (self.body.call(x),))


@dataclass(frozen=True)
class Graph(Expr):
    """A cell, or a stack of cells: value 0 is the input, every other value the sum of operations on earlier values, or
    a concatenation of earlier values.

    edges: (source, target, operation) with source < target, in order of target, at most one from a source to a target;
        no dead ones (see `cells.live_edges`).
    outputs: values that are concatenated to the result (one: taken as it is).
    joins: (value, earlier values that are concatenated to it), in order of value; no edge leads to such a value.
    """

    edges: tuple[tuple[int, int, Expr], ...]
    outputs: tuple[int, ...]
    joins: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def values(self, x: Signal) -> dict[int, Signal]:
        """Type of each value."""
        known = {0: x}
        for value, arriving, joined in self.steps():
            if joined:
                known[value] = _concatenated([known[k] for k in joined])
            else:
                known[value] = _same([op.out(known[source]) for source, _, op in arriving], "added")
        return known

    def steps(self) -> Iterator[tuple[int, list[tuple[int, int, Expr]], tuple[int, ...]]]:
        """Each value but the input, in order, with the edges that lead to it and the values that it joins."""
        arriving: dict[int, list[tuple[int, int, Expr]]] = {value: [] for value, _ in self.joins}
        for edge in self.edges:
            arriving.setdefault(edge[1], []).append(edge)
        joined = dict(self.joins)
        for value in sorted(arriving):
            yield value, arriving[value], joined.get(value, ())

    def out(self, x: Signal) -> Signal:
        known = self.values(x)
        return _concatenated([known[k] for k in self.outputs])

    def call(self, x: Signal) -> Call:
        known = self.values(x)
        wiring = tuple((source, target) for source, target, _ in self.edges)
        named = tuple((f"edge_{s}_{t}", op.call(known[s])) for s, t, op in self.edges)
        return Call(modules.Graph, (wiring, self.outputs, *([self.joins] if self.joins else [])), named)


def _concatenated(signals: list[Signal]) -> Signal:
    if len({(signal.kind, signal.shape[1:]) for signal in signals}) != 1:
        raise SpaceError(f"Values of shapes {[signal.shape for signal in signals]} cannot be concatenated.")
    return replace(signals[0], shape=(sum(signal.channels for signal in signals), *signals[0].shape[1:]))


def _same(signals: list[Signal], verb: str) -> Signal:
    if len(set(signals)) != 1:
        raise SpaceError(f"Branches of shapes {[s.shape for s in signals]} cannot be {verb}.")
    return signals[0]


def seq(*parts: tuple[str, Expr | None] | None) -> Expr:
    """`Seq` of the parts that are there; a single part is still wrapped, so that paths stay what they are."""
    return Seq(tuple((part[0], part[1]) for part in parts if part is not None and part[1] is not None))
