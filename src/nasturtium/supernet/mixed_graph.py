"""Mixed cells: every option of every edge side by side, weighed, in one module.

The mixed operation is that of Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019
(arXiv:1806.09055), equation 2.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nasturtium.blocks.open_graph import OpenGraph
from nasturtium.errors import SpaceError
from nasturtium.supernet._idle import idle_sums
from nasturtium.supernet._live import live
from nasturtium.supernet._merged import merged_options
from nasturtium.supernet._options import Option, mixed, read
from nasturtium.supernet._partial import head, narrowed, passing, shuffle
from nasturtium.supernet._plain import Weigh, plain_options
from nasturtium.supernet._selected import selected_options
from nasturtium.supernet._sums import Terms
from nasturtium.task import Signal

Active = Sequence[Sequence[int] | Tensor]
"""For each mixture, the places of the options that are computed; or gates `[options]`, 1 for one of them, else 0."""


class MixedGraph(nn.Module):
    """A cell with every option of every edge, each with weights of its own, named `edge_{s}_{t}.{option}.…`.

    graph: the open edges. x: type of one input row. affine: whether batch norms have a scale and shift of their own
    (published supernets have none: the weights of the mixture are scales); they never keep running statistics.
    partial: K; 1/K of the channels go through the mixed operations, the others pass by (see `_partial`). What passes
    by is multiplied by the sum of the edge's weights: 1 for a softmax, and the weight of the edge where that has been
    multiplied into them (edge normalisation).
    merged: equal work is done once (see `_merged`); False computes option by option, with the same gradients.
    Raises `SpaceError` where `partial` does not fit the channels or the operations.
    """

    def __init__(
        self, graph: OpenGraph, x: Signal, *, partial: int = 1, merged: bool = True, affine: bool = False
    ) -> None:
        super().__init__()
        self.graph, self.partial, self.merged = graph, partial, merged
        self.signals, self.joins = graph.values(x), dict(graph.joins)
        self.shuffled = _shuffled(graph) if partial > 1 else frozenset()
        options: list[Option] = []
        for edge in graph.edges:
            at, parts = self.signals[edge.source], edge.options
            if edge.target in self.shuffled:
                parts = tuple((key, narrowed(expr, at, partial)) for key, expr in parts)
                at = head(at, partial)
            self.add_module(edge.name, nn.ModuleDict({key: mixed(expr, at, affine) for key, expr in parts}))
            options += [read(edge, place, affine) for place in range(len(parts))]
        self.options = tuple(options)

    def forward(
        self,
        x: Float[Tensor, "..."],
        weights: Sequence[Tensor] | None = None,
        active: Active | None = None,
        idle: bool = False,
    ) -> Float[Tensor, "..."]:
        """The outputs, concatenated. x: `[rows, *signal]`, fastest in channels-last order.

        weights: one vector `[options]` for each mixture of the graph; None weighs every option by 1.
        active: the options of each mixture that are computed; the others count as nothing, whatever their weights.
        None computes all. They are plain numbers, so that nothing waits for a device; or tensors of gates that open one
        option of each mixture, with the same result and the same work for every draw (see `_selected`).
        idle: weights of what is not computed are added as numbers (see `_idle`).
        """
        gates = _gates(active)
        gated = weights
        if gates is not None:
            gated = gates if weights is None else [w * g for w, g in zip(weights, gates, strict=True)]
        weigh, gate = _weigher(gated), _weigher(gates)
        leaving: dict[int, list[Option]] = {key: [] for key in self.signals}
        for option in self._computed(active if gates is None else None, idle):
            leaving[option.edge.source].append(option)
        terms = {key: Terms() for key in self.signals}
        beside = idle_sums(self.graph, weights, active) if idle and weights and active else {}
        values = {0: x}
        for key in self.signals:
            if key in self.joins:
                values[key] = torch.cat([values[source] for source in self.joins[key]], dim=1)
            elif key:
                mixture = terms[key].total()
                around = self._around(key, values, weights) if key in self.shuffled else None
                values[key] = self._joined(key, x, mixture, around)
                if key in beside:
                    values[key] = values[key] + beside[key].to(values[key].dtype)
            self._leave(values[key], leaving[key], weigh, terms, None if gates is None else gate)
        outs = [values[key] for key in self.graph.outputs]
        return outs[0] if len(outs) == 1 else torch.cat(outs, dim=1)

    def _computed(self, active: Active | None, idle: bool) -> Sequence[Option]:
        """The options to compute: of the active ones, those that can bear on the result."""
        chosen = [
            option
            for option in self.options
            if active is None or option.edge.mixture is None or option.place in active[option.edge.mixture]
        ]
        if not self.merged or self.shuffled or idle:  # where something is added besides, every edge carries something
            return [option for option in chosen if not option.zero]
        return live(self.graph, chosen)

    def _leave(
        self, value: Tensor, options: Sequence[Option], weigh: Weigh, terms: dict[int, Terms], gate: Weigh | None
    ) -> None:
        """Compute the options that leave a value and add them to the terms of their targets."""
        whole = [option for option in options if option.edge.target not in self.shuffled]
        narrow = [option for option in options if option.edge.target in self.shuffled]
        for some, part in ((whole, value), (narrow, value[:, : value.shape[1] // self.partial])):
            if not some:
                continue
            if not self.merged:
                plain_options(self, part, some, weigh, terms)
            elif gate is None:
                merged_options(self, part, some, weigh, terms)
            else:
                selected_options(self, part, some, weigh, terms, gate)

    def _around(self, key: int, values: dict[int, Tensor], weights: Sequence[Tensor] | None) -> Tensor:
        """What passes by the mixed operations into value `key`, weighed."""
        terms = Terms()
        for edge in self.graph.edges:
            if edge.target == key and edge.mixture is not None:
                value = values[edge.source]
                rest = passing(value[:, value.shape[1] // self.partial :], self.signals[edge.source], self.signals[key])
                terms.add(None if weights is None else weights[edge.mixture].sum(), rest)
        total = terms.total()
        assert total is not None  # a shuffled value has an open edge
        return total

    def _joined(self, key: int, x: Tensor, mixture: Tensor | None, around: Tensor | None) -> Tensor:
        """Value `key` of what was mixed (None: nothing) and what passed by (None: nothing does)."""
        channels, *sides = self.signals[key].shape
        if mixture is None:
            mixture = x.new_zeros((len(x), channels if around is None else channels // self.partial, *sides))
        return mixture if around is None else shuffle(torch.cat([mixture, around], dim=1), self.partial)


def _gates(active: Active | None) -> list[Tensor] | None:
    """The gates, if that is what `active` holds."""
    gates = [gate for gate in active or () if isinstance(gate, Tensor)]
    if gates and active is not None and len(gates) < len(active):
        raise SpaceError("Options are made active either by their places or by gates, in all mixtures alike.")
    return gates or None


def _weigher(weights: Sequence[Tensor] | None) -> Weigh:
    # One `unbind` a mixture: its backward is one kernel, where that of every single index would be two.
    unbound = None if weights is None else [mixture.unbind() for mixture in weights]

    def weigh(option: Option) -> Tensor | None:
        if unbound is None or option.edge.mixture is None:
            return None
        return unbound[option.edge.mixture][option.place]

    return weigh


def _shuffled(graph: OpenGraph) -> frozenset[int]:
    """Values that open edges lead to; raises `SpaceError` where a fixed edge leads there too."""
    mixed = {edge.target for edge in graph.edges if edge.mixture is not None}
    both = sorted(edge.target for edge in graph.edges if edge.mixture is None and edge.target in mixed)
    if both:
        raise SpaceError(
            f"Value {both[0]} of a cell adds open and fixed edges, so that its channels cannot pass by in part. "
            "Take partial=1."
        )
    return frozenset(mixed)
