"""The modules that run on shared weights: those of single paths, and mixed cells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from nasturtium.blocks import Block, Call, Expr, Foreign, Graph, OpenGraph, Relaxable, construct, primitives
from nasturtium.supernet.bank import Bank, Cut
from nasturtium.supernet.links import Step
from nasturtium.supernet.mixed_graph import MixedGraph
from nasturtium.supernet.parameters import Wanted
from nasturtium.supernet.reachable import Contents, State, cell_contents, contents, named, opened
from nasturtium.supernet.slices import Axis, length
from nasturtium.task import Signal
from nasturtium.training import seeded

MOST_UNITS = 4096
"""Modules that are kept; they hold no weights, but a cell of many options has thousands of them."""


@dataclass
class Unit:
    """A module and where its parameters come from. cuts: by their names in it. out, channels: of its result.

    bound: all of them are whole shared tensors, which the module then holds itself.
    """

    module: nn.Module
    cuts: Mapping[str, Cut]
    out: Signal
    channels: Axis
    bound: bool = False

    def parameters(self, bank: Bank) -> dict[str, Tensor]:
        """By their names in the module; parts of shared tensors, through which gradients reach those."""
        return {name: bank.take(cut) for name, cut in self.cuts.items()}


class Units:
    """Makes and keeps units, by the constructor calls of `build`, so that results are those of a built network."""

    def __init__(self, bank: Bank, seed: int, partial: int, merged: bool) -> None:
        self._bank, self._seed, self._partial, self._merged = bank, seed, partial, merged
        self._training = True
        self._kept: dict[object, Unit] = {}
        self._modules: dict[object, nn.Module] = {}
        self._known: dict[object, Contents] = {}
        self._opened: dict[tuple[str, Signal], tuple[OpenGraph, bool]] = {}

    def run(self, unit: Unit, *arguments: object) -> Tensor:
        """The result of the weights as they are now."""
        done: Tensor
        if unit.bound:
            done = unit.module(*arguments)
        else:
            done = functional_call(unit.module, unit.parameters(self._bank), arguments)
        return done

    def train(self, training: bool) -> None:
        """Dropout on or off. Batch normalisation is by the batch in either case."""
        self._training = training
        for module in (*(unit.module for unit in self._kept.values()), *self._modules.values()):
            module.train(training)

    def forget(self) -> None:
        """Make all modules anew when they are next needed: the shared tensors went to another device."""
        self._kept.clear()
        self._modules.clear()

    def after(self, step: Step, state: State) -> State:
        """What leaves a link."""
        found = self._contents(step, state)
        return State(found.out, found.channels)

    def wanted(self, step: Step, state: State) -> tuple[Wanted, ...]:
        """The parameters of a link, by their names in its module."""
        return self._contents(step, state).wanted

    def path(self, step: Step, state: State) -> Unit:
        """The link as it is in one architecture."""
        return self._keep((step.key, step.block, state.x, state.channels), lambda: self._path(step, state))

    def mixed(self, step: Step, state: State) -> Unit:
        """The cell at the link with all its options."""
        return self._keep((step.key, state.x, state.channels), lambda: self._mixed(step, state))

    def _keep(self, key: object, make: Callable[[], Unit]) -> Unit:
        unit = self._kept.get(key)
        if unit is None:
            if len(self._kept) >= MOST_UNITS:
                self.forget()
            unit = self._kept[key] = make()
            unit.module.train(self._training)
            unit.bound = self._bind(unit)
        return unit

    def _contents(self, step: Step, state: State) -> Contents:
        """What is known of a link; of a cell, with all options and with the joins that it has."""
        if step.cell is None:
            key: object = (step.block, state.x, state.channels)
            if key not in self._known:
                self._known[key] = contents(step.block, state.x, state.channels)
            return self._known[key]
        at = (step.key, state.x)
        if at not in self._opened:
            self._opened[at] = opened(step.block, state.x)
        graph, loose = self._opened[at]
        present = dict(graph.joins)
        if loose:
            lowered = step.block.lower(state.x)
            present = dict(lowered.joins) if isinstance(lowered, Graph) else {}
        key = (at, state.channels, tuple(present.items()))
        if key not in self._known:
            self._known[key] = cell_contents(graph, state.x, state.channels, present)
        return self._known[key]

    def _path(self, step: Step, state: State) -> Unit:
        found = self._contents(step, state)
        expr = step.block.lower(state.x)
        if found.graph is None:
            cuts = {one.name: self._bank.cut(named(step.key, one.name), one.axes) for one in found.wanted}
            return Unit(self._skeleton(expr, state.x, step.key), cuts, found.out, found.channels)
        taken = _taken(step.block, found.graph)
        module = self._assembled(expr, taken, state.x, step.key)
        there = {name for name, _ in module.named_parameters()}
        cuts = {}
        for one in found.wanted:
            edge, option, own = one.name.split(".", 2)
            if taken.get(edge) == option and (name := f"operations.{edge}.{own}") in there:
                cuts[name] = self._bank.cut(named(step.key, one.name), one.axes)
        return Unit(module, cuts, found.out, found.channels)

    def _mixed(self, step: Step, state: State) -> Unit:
        found = self._contents(step, state)
        assert isinstance(step.block, Relaxable)
        with torch.device("meta"):
            module = MixedGraph(step.block.relaxed(state.x), state.x, partial=self._partial, merged=self._merged)
        axes = {one.name: one.axes for one in found.wanted}
        cuts = {}
        for name, parameter in module.named_parameters():
            shared, shape = named(step.key, name), tuple(parameter.shape)
            narrow = tuple(map(length, axes[name])) != shape
            cuts[name] = self._bank.crop(shared, shape) if narrow else self._bank.cut(shared, axes[name])
        return Unit(module, cuts, found.out, found.channels)

    def _assembled(self, expr: Expr, taken: Mapping[str, str], x: Signal, key: str) -> nn.Module:
        """A cell of operations that all cells at this position share: there are few, and thousands of cells."""
        if not isinstance(expr, Graph):
            return self._skeleton(expr, x, key)
        signals = expr.values(x)
        call = expr.call(x)
        operations: dict[str, nn.Module] = {}
        for source, target, op in expr.edges:
            name = f"edge_{source}_{target}"
            at = (key, name, taken[name], op, signals[source])
            if at not in self._modules:
                self._modules[at] = self._skeleton(op, signals[source], f"{key}.{name}").train(self._training)
            operations[name] = self._modules[at]
        named = tuple((name, operations.get(name, value)) for name, value in call.kwargs)
        return construct(Call(call.target, call.args, named))

    def _skeleton(self, expr: Expr, x: Signal, key: str) -> nn.Module:
        """The module without values, batch norms without running statistics.

        One with buffers (a foreign module's) has real ones, from the supernet's seed.
        """
        foreign = any(isinstance(leaf, Foreign) for leaf, _ in primitives(expr, x))
        if not foreign:
            with torch.device("meta"):
                module = construct(expr.call(x))
            by_the_batch(module)
            if not list(module.buffers()):
                return module
        with seeded(self._seed, key):
            module = construct(expr.call(x))
        by_the_batch(module)
        return self.adopt(module)

    def adopt(self, module: nn.Module) -> nn.Module:
        """Brought to the device and the precision of the shared tensors."""
        like = next(self._bank.parameters(), torch.empty(0))
        return module.to(like.device, like.dtype)

    def _bind(self, unit: Unit) -> bool:
        if not all(cut.whole for cut in unit.cuts.values()):
            return False
        for name, cut in unit.cuts.items():
            holder, _, own = name.rpartition(".")
            parameter = self._bank.take(cut)
            assert isinstance(parameter, nn.Parameter)
            unit.module.get_submodule(holder)._parameters[own] = parameter
        return True


def by_the_batch(module: nn.Module) -> None:
    """Take the running statistics from all batch norms: the paths of a supernet have none in common."""
    for norm in module.modules():
        if isinstance(norm, _BatchNorm):
            norm.track_running_stats = False
            norm.running_mean = norm.running_var = norm.num_batches_tracked = None


def _taken(block: Block, graph: OpenGraph) -> dict[str, str]:
    """Name of each edge of a settled cell, and the option it takes."""
    assert isinstance(block, Relaxable)
    chosen = block.chosen()
    places = {edge: 0 if edge.mixture is None else chosen[edge.mixture] for edge in graph.edges}
    return {edge.name: edge.options[place][0] for edge, place in places.items() if place is not None}
