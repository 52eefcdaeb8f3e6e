"""Runs of channels that a link uses for itself alone: who makes them, hands them on and reads them.

They can be put into another order without a change of the link's function, if everything that touches them is
reordered with them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from nasturtium.blocks import Expr, Gate, Primitive, Seq, Sum
from nasturtium.blocks.primitives import Conv, Linear, Norm
from nasturtium.supernet.parameters import EACH_ALONE
from nasturtium.task import Signal


class Use(NamedTuple):
    """A parameter's axis that runs along the channels."""

    name: str
    axis: int


@dataclass
class Channels:
    """One run. carried: parameters along it; read: those of what takes it in. depth: of the gates around it. made: in
    here. pinned: its order is seen by others."""

    depth: int
    carried: list[Use] = field(default_factory=list)
    read: list[Use] = field(default_factory=list)
    made: bool = False
    pinned: bool = False

    @property
    def uses(self) -> list[Use]:
        return [*self.carried, *self.read]


@dataclass
class Runs:
    """Those of one link. Runs that meet (in a sum, in a gate) become one: `same` leads from number to number."""

    listed: list[Channels] = field(default_factory=list)
    same: dict[int, int] = field(default_factory=dict)

    def new(self, depth: int) -> int:
        self.listed.append(Channels(depth))
        return len(self.listed) - 1

    def __getitem__(self, number: int) -> Channels:
        return self.listed[self.root(number)]

    def root(self, number: int) -> int:
        while number in self.same:
            number = self.same[number]
        return number

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        if one == other:
            return
        kept, gone = self.listed[one], self.listed[other]
        kept.carried += gone.carried
        kept.read += gone.read
        kept.made |= gone.made
        kept.pinned |= gone.pinned
        kept.depth = min(kept.depth, gone.depth)
        self.same[other] = one

    def own(self) -> list[Channels]:
        """Each once."""
        return [run for number, run in enumerate(self.listed) if number not in self.same]


def inner_runs(variants: Iterable[tuple[Expr, Signal]]) -> list[Channels]:
    """Those that are made and read inside of a link, and can be put into any order.

    variants: the expressions that share the link's weights, with their inputs. Their input and their result are seen by
    others, so the order of these is fixed. Of what reads a run in a gate (squeeze-excitation) only runs of that gate
    list it under `read`.
    """
    runs = Runs()
    for expr, x in variants:
        arriving = runs.new(0)
        runs[arriving].pinned = True
        leaving = _walk(runs, expr, x, arriving, "", 0)
        runs[leaving].pinned = True
    _meet(runs)
    return [run for run in runs.own() if run.made and run.read and not run.pinned]


def _meet(runs: Runs) -> None:
    """Runs along the same axis of one parameter, in several variants, are one."""
    seen: dict[Use, int] = {}
    for number, run in enumerate(runs.listed):
        if number not in runs.same:
            for use in run.uses:
                runs.join(seen.setdefault(use, number), number)
    for run in runs.own():
        run.carried, run.read = list(dict.fromkeys(run.carried)), list(dict.fromkeys(run.read))


def _walk(runs: Runs, expr: Expr, x: Signal, arriving: int, name: str, depth: int) -> int:
    """The run that leaves."""
    match expr:
        case Seq():
            for part, inner, at in expr.signals(x):
                arriving = _walk(runs, inner, at, arriving, f"{name}{part}.", depth)
            return arriving
        case Sum(branches):
            left = [_walk(runs, branch, x, arriving, f"{name}branches.{key}.", depth) for key, branch in branches]
            for other in left[1:]:
                runs.join(left[0], other)
            return left[0]
        case Gate(body):
            runs.join(arriving, _walk(runs, body, x, arriving, f"{name}body.", depth + 1))
            return arriving
        case Primitive():
            return _leaf(runs, expr, x, arriving, name, depth)
    runs[arriving].pinned = True  # cells, concatenations: their channels are not told apart here
    return _fixed(runs, depth)


def _leaf(runs: Runs, leaf: Primitive, x: Signal, arriving: int, name: str, depth: int) -> int:
    match leaf:
        case Conv(groups=1, bias=bias) | Linear(bias=bias):
            run = runs[arriving]
            (run.read if run.depth == depth else run.carried).append(Use(f"{name}weight", 1))
            made = runs.new(depth)
            runs[made].made = True
            runs[made].carried += _along(name, bias)
            return made
        case Conv(groups=0, out_channels=out, bias=bias) if out == x.channels:
            runs[arriving].carried += _along(name, bias)
            return arriving
        case Norm(kind="batch" | "layer"):
            runs[arriving].carried += _along(name)
            return arriving
    if isinstance(leaf, EACH_ALONE) or leaf.is_identity(x):
        return arriving
    runs[arriving].pinned = True
    return _fixed(runs, depth)


def _along(name: str, bias: bool = True) -> list[Use]:
    return [Use(f"{name}{own}", 0) for own in ("weight", "bias")[: 1 + bias]]


def _fixed(runs: Runs, depth: int) -> int:
    number = runs.new(depth)
    runs[number].pinned = True
    return number
