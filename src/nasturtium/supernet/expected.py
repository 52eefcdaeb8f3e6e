"""Expected costs of the mixed network, differentiable in the weights of its mixtures.

As in Cai et al. 2019 ("ProxylessNAS", ICLR; arXiv:1812.00332, equation 2) and Wu et al. 2019 ("FBNet", CVPR;
arXiv:1812.03443, equation 3): costs of options, weighed.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasturtium.blocks import Expr, OpenGraph, Relaxable, counted
from nasturtium.blocks.primitives import Zero
from nasturtium.errors import SpaceError, hint
from nasturtium.hardware.links import costless
from nasturtium.space.places import Fork
from nasturtium.supernet.links import Branch, Link, Node, Prefix, Series, Staged, Step
from nasturtium.supernet.mixed import strongest
from nasturtium.supernet.reachable import Row, State, changed, ways
from nasturtium.task import Signal

if TYPE_CHECKING:
    from nasturtium.supernet.supernet import Supernet

Price = Callable[[Expr, Signal], float]
Cost = str | Price
"""The name of a counted cost that adds up, or a function of an expression and its input."""

PRICES: dict[str, Price] = {
    "params": lambda expr, x: counted(expr, x).params,
    "macs": lambda expr, x: counted(expr, x).macs,
}


class Expectation:
    """The expected value of one cost. What it needs to know of a link is worked out once for each arriving shape."""

    def __init__(self, supernet: "Supernet", cost: Cost) -> None:
        if isinstance(cost, str) and cost not in PRICES:
            raise SpaceError(f"The cost {cost!r} has no expectation that can be counted. {hint(cost, PRICES)}")
        self._supernet = supernet
        self._price = PRICES[cost] if isinstance(cost, str) else cost
        self._ignored = costless(supernet.space.root)
        self._starts: list[int] = []
        at = 1
        for mixture in supernet.mixtures:
            self._starts.append(at)
            at += len(mixture.options)
        self._tables: dict[tuple[Link, State], tuple[Tensor, Tensor]] = {}

    def __call__(self, weights: Sequence[Tensor]) -> Tensor:
        # One vector of all weights, with a 1 in front that fills up rows with fewer decisions than others.
        flat = torch.cat([weights[0].new_ones(1), *weights]) if weights else torch.ones(1)
        codes = strongest(self._supernet, weights)
        return self._of(self._supernet.chain, self._supernet.start, codes, flat)[0]

    def _of(self, node: Node, state: State, codes: Row, flat: Tensor) -> tuple[Tensor, State]:
        if isinstance(node, Link):
            places, costs = self._table(node, state, flat)
            step = node.step(codes, state.first)
            end = state if step is None else self._supernet.units.after(step, state)
            return (flat[places].prod(1) * costs).sum(), end
        if isinstance(node, Staged):
            total, end = self._of(node.body, State(state.x, state.channels, True), codes, flat)
            return total, State(end.x, end.channels, state.first)
        total = flat.new_zeros(())
        if isinstance(node, Branch):
            ends = {}
            for code, option in enumerate(node.options):
                cost, ends[code] = self._of(option, state, changed(codes, node.index, code), flat)
                total = total + flat[self._at(node.index, code)] * cost
            return total, ends[codes[node.index]]
        assert isinstance(node, Series | Prefix)
        end, chosen = state, len(node.parts) if isinstance(node, Series) else node.count(codes)
        for place, part in enumerate(node.parts):
            cost, state = self._of(part, state, codes, flat)
            total = total + self._reached(node, place, flat) * cost
            end = state if place + 1 == chosen else end
        return total, end

    def _reached(self, node: Series | Prefix, place: int, flat: Tensor) -> Tensor:
        """The probability that a chain is longer than `place`."""
        if isinstance(node, Series) or node.index is None:
            return flat[0]
        longer = [self._at(node.index, code) for code, count in enumerate(node.counts) if count > place]
        return flat[longer].sum()

    def _at(self, index: int, code: int) -> int:
        """The place of an option of a decision in the vector of all weights."""
        return self._starts[self._supernet.mixed.of_decision[index]] + code

    def _table(self, link: Link, state: State, like: Tensor) -> tuple[Tensor, Tensor]:
        """Every way to decide a link: the places of the weights that belong to it, and its cost."""
        key = (link, state)
        if key not in self._tables:
            rows: list[tuple[list[int], float]] = []
            sizes = self._supernet.space.program.sizes
            start = tuple(0 if index in self._ignored else -1 for index in range(len(sizes)))
            for codes in ways(link.places(state.first), start, sizes):
                try:
                    step = link.step(codes, state.first)
                    rows += self._priced(link, step, state, codes)
                except SpaceError:
                    continue  # no architecture has this here
            most = max((len(places) for places, _ in rows), default=0)
            places = torch.tensor([row + [0] * (most - len(row)) for row, _ in rows], dtype=torch.long)
            costs = torch.tensor([cost for _, cost in rows], dtype=torch.float64)
            self._tables[key] = places.reshape(len(rows), most), costs
        found, priced = self._tables[key]
        return found.to(like.device), priced.to(like)

    def _priced(self, link: Link, step: Step | None, state: State, codes: Row) -> list[tuple[list[int], float]]:
        if step is None:
            return []
        of = self._supernet.mixed.of_decision
        mine = [i for i in link.decisions if codes[i] >= 0 and i not in self._ignored and i in of]
        places = [self._at(index, codes[index]) for index in mine]
        if step.cell is None:
            return [(places, self._price(step.block.lower(state.x), state.x))]
        assert isinstance(step.block, Relaxable)
        top = {link.place.index} if isinstance(link.place, Fork) else set()
        outer = [self._at(index, codes[index]) for index in mine if index in top or index not in step.cell.decisions]
        start = self._supernet.mixed.of_cell[step.cell]
        return [
            (outer + ([] if mixture is None else [self._starts[start + mixture] + option]), cost)
            for mixture, option, cost in self._cell(step.block.relaxed(state.x), state.x)
        ]

    def _cell(self, graph: OpenGraph, x: Signal) -> list[tuple[int | None, int, float]]:
        signals = graph.values(x)
        return [
            (edge.mixture, option, self._price(op, signals[edge.source]))
            for edge in graph.edges
            for option, (_, op) in enumerate(edge.options)
            if not isinstance(op, Zero)
        ]
