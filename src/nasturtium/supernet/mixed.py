"""The mixed network: all options at once where they can be added, one at a time where they cannot.

Weighted sums are the mixed operation of Liu et al. 2019 (DARTS, arXiv:1806.09055, equation 2). What is computed at one
option is multiplied by 1 + w - w.detach() of that option, the straight-through factor of Dong and Yang 2019 (GDAS,
arXiv:1910.04465, equation 7), whose value is 1.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasturtium.space.places import Fork, Group, Number, Place, Span
from nasturtium.supernet.links import Branch, Link, Node, Prefix, Series, Staged, is_cell, is_structural
from nasturtium.supernet.reachable import Row, State, changed

if TYPE_CHECKING:
    from nasturtium.supernet.supernet import Supernet

Value = tuple[Tensor | None, State]
"""What has been computed up to a link; no tensor on a dry run, which only asks for shapes."""


class Mixer:
    """One forward pass of the mixed network."""

    def __init__(
        self, supernet: "Supernet", weights: Sequence[Tensor], active: Sequence[Sequence[int]] | None = None
    ) -> None:
        self._chain, self._start, self._units = supernet.chain, supernet.start, supernet.units
        self._mixtures = supernet.mixed
        self._weights, self._active, self._idle = weights, active, supernet.idle
        self._codes = strongest(supernet, weights, active)

    def __call__(self, x: Tensor) -> Tensor:
        y, _ = self._run(self._chain, (x, self._start), self._codes)
        assert y is not None
        return y

    def _run(self, node: Node, value: Value, codes: Row) -> Value:
        if isinstance(node, Link):
            return self._link(node, value, codes)
        if isinstance(node, Staged):
            x, state = value
            y, end = self._run(node.body, (x, State(state.x, state.channels, True)), codes)
            return y, State(end.x, end.channels, state.first)
        if isinstance(node, Branch):
            options = {code: (node.options[code], changed(codes, node.index, code)) for code in self._open(node.index)}
            ends = {code: self._run(part, (None, value[1]), row)[1] for code, (part, row) in options.items()}
            if not alike(ends):
                chosen = codes[node.index]
                return self._marked(self._run(*_arguments(options[chosen], value)), [node.index], codes)
            done = {code: self._run(part, value, row) for code, (part, row) in options.items()}
            return self._sum(node.index, done, codes)
        assert isinstance(node, Series | Prefix)
        if isinstance(node, Series):
            for part in node.parts:
                value = self._run(part, value, codes)
            return value
        return self._prefix(node, value, codes)

    def _prefix(self, node: Prefix, value: Value, codes: Row) -> Value:
        """A mean over depths, where all results have one shape."""
        counts = {code: node.counts[code] for code in ((0,) if node.index is None else self._open(node.index))}
        at = [value]
        for part in node.parts[: max(counts.values())]:
            at.append(self._run(part, at[-1], codes))
        done = {code: at[count] for code, count in counts.items()}
        if node.index is None:
            return done[0]
        if alike({code: state for code, (_, state) in done.items()}):
            return self._sum(node.index, done, codes)
        return self._marked(done[codes[node.index]], [node.index], codes)

    def _link(self, link: Link, value: Value, codes: Row) -> Value:
        place = link.place
        if not isinstance(place, Fork) or not is_structural(place):
            return self._option(link, value, codes)
        rows = {code: changed(codes, place.index, code) for code in self._open(place.index)}
        ends = {code: self._option(link, (None, value[1]), row)[1] for code, row in rows.items()}
        if alike(ends):
            return self._sum(place.index, {c: self._option(link, value, row) for c, row in rows.items()}, codes)
        return self._marked(self._option(link, value, codes), [place.index], codes)

    def _option(self, link: Link, value: Value, codes: Row) -> Value:
        """The link at one option of its own choice, and at one of all decisions inside it."""
        x, state = value
        step = link.step(codes, state.first)
        if step is None:
            return value
        end = self._units.after(step, state)
        if x is None:
            return None, end
        if step.cell is not None:
            mine = self._mixtures.span(step.cell)
            active = None if self._active is None else self._active[mine]
            y = self._units.run(self._units.mixed(step, state), x, self._weights[mine], active, self._idle)
        else:
            y = self._units.run(self._units.path(step, state), x)
        return self._marked((y, end), sampled(link, codes, state.first), codes)

    def _sum(self, index: int, done: dict[int, Value], codes: Row) -> Value:
        """Options weighed; the make-up of the channels is that of the strongest."""
        weights = self._weights[self._mixtures.of_decision[index]]
        total: Tensor | None = None
        for code, (y, _) in done.items():
            if y is not None:
                total = weights[code] * y if total is None else total + weights[code] * y
        return total, done[codes[index]][1]

    def _marked(self, value: Value, indices: Sequence[int], codes: Row) -> Value:
        """Multiplied by the straight-through factors of the decisions that it was computed at."""
        y, state = value
        if y is None:
            return value
        for index in indices:
            weight = self._weights[self._mixtures.of_decision[index]][codes[index]]
            y = y * (1 + weight - weight.detach())
        return y, state

    def _open(self, index: int) -> Sequence[int]:
        at = self._mixtures.of_decision[index]
        return range(len(self._weights[at])) if self._active is None else self._active[at]


def strongest(supernet: "Supernet", weights: Sequence[Tensor], active: Sequence[Sequence[int]] | None = None) -> Row:
    """The strongest active option of each decision outside cells.

    Values are read from the weights (and a device waited for) only where there is more than one active option.
    """
    codes = [0] * len(supernet.space.decisions)
    open_ones: list[tuple[int, Sequence[int], Tensor]] = []
    for index, at in supernet.mixed.of_decision.items():
        options = range(len(weights[at])) if active is None else active[at]
        if len(options) == 1:
            codes[index] = options[0]
        elif len(options) > 1:
            open_ones.append((index, options, weights[at].detach()[list(options)].argmax()))
    if open_ones:
        places = torch.stack([place for _, _, place in open_ones]).tolist()
        for (index, options, _), place in zip(open_ones, places, strict=True):
            codes[index] = options[place]
    return tuple(codes)


def alike(ends: dict[int, State]) -> bool:
    """Can the options be added?"""
    return len({end.x for end in ends.values()}) == 1


def sampled(link: Link, codes: Row, first: bool) -> list[int]:
    """The decisions at work in a link, apart from a choice between blocks on top of it, and those inside cells."""
    found: dict[int, None] = {}

    def visit(place: Place) -> None:
        if is_cell(place):
            return
        if isinstance(place, Fork):
            found[place.index] = None
            visit(place.options[codes[place.index]])
        elif isinstance(place, Number):
            found[place.index] = None
        elif isinstance(place, Span):
            if place.index is not None:
                found[place.index] = None
            for item in place.items[: place.counts[0 if place.index is None else codes[place.index]]]:
                visit(item)
        elif isinstance(place, Group):
            for part in place.parts:
                visit(part)

    top = link.place
    visit(top.options[codes[top.index]] if isinstance(top, Fork) and is_structural(top) else top)
    for place in (link.width, link.stride if first else None):
        if place is not None:
            visit(place)
    return list(found)


def _arguments(option: tuple[Node, Row], value: Value) -> tuple[Node, Value, Row]:
    return option[0], value, option[1]
