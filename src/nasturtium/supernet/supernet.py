"""One network holding the weights of a whole space."""

from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from nasturtium.blocks import build
from nasturtium.errors import SpaceError
from nasturtium.hardware.costs import CostModel, unbuildable
from nasturtium.space import Architecture, Space
from nasturtium.space.places import Codes
from nasturtium.supernet.bank import Bank
from nasturtium.supernet.expected import Cost, Expectation
from nasturtium.supernet.links import Step, steps
from nasturtium.supernet.mixed import Mixer
from nasturtium.supernet.mixtures import Mixture, Mixtures
from nasturtium.supernet.reachable import Reachable, State
from nasturtium.supernet.refusals import refuse, refuse_cells
from nasturtium.supernet.slices import channels_of
from nasturtium.supernet.units import Unit, Units

MOST_ROUTES = 512
"""Architectures whose modules are kept at hand."""


class Supernet(nn.Module):
    """One network holding the weights of a whole space: any of its architectures can be run in it and taken out of it.

    Blocks to choose from stand side by side with weights of their own. Numbers (kernel, width, expansion, depth, heads)
    are slices of the largest: leading channels, centred kernels. Scalars (activation, normalisation, dropout,
    squeeze-excitation) work over shared weights, and repeats and optional blocks are left out. Batch normalisation is
    always by the batch: an extracted network gets its statistics from `recalibrate`.

    space: with a task. seed: of the initial weights. partial: 1/partial of the channels of open cells are mixed (Xu et
    al. 2020, PC-DARTS); for `forward` only, paths have all. precise: mix option by option instead of merging equal
    work, with the same result up to rounding. transforms: smaller kernels are learnt transformations of larger ones
    (Cai et al. 2020, once-for-all). idle: an attribute; True lets weights of options that are not computed have a
    gradient (see `_idle`).
    Raises `SpaceError` for decisions that weights cannot be shared over, naming them, and where nothing can be built.
    """

    def __init__(
        self, space: Space, *, seed: int = 0, partial: int = 1, precise: bool = False, transforms: bool = False
    ) -> None:
        super().__init__()
        self.space, self.seed, self.partial, self.precise = space, seed, partial, precise
        self.transforms = transforms
        self.idle = False
        x = refuse(space)
        reachable = Reachable(space, x)
        refuse_cells(space, reachable.cells)
        if not reachable.ends:
            raise SpaceError(unbuildable(space, CostModel(space)))
        self.chain = reachable.chain
        self.start = State(x, channels_of(x))
        self.bank = Bank(reachable.forms, seed, transforms)
        self.mixed = Mixtures(space, self.chain)
        self.units = Units(self.bank, seed, partial, merged=not precise)
        self._routes: dict[tuple[int, ...], list[tuple[Step, Unit]]] = {}
        self._expectations: dict[object, Expectation] = {}

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """Where options are weighed; `forward` wants a vector of weights for each."""
        return tuple(self.mixed.listed)

    def forward(
        self,
        x: Float[Tensor, "rows ..."],
        weights: Sequence[Float[Tensor, " options"]],
        active: Sequence[Sequence[int]] | None = None,
    ) -> Float[Tensor, "rows outputs"]:
        """The mixed network.

        weights: a vector for each mixture: soft, or hard with a straight-through gradient. active: for each mixture the
        options that may be computed; None allows all. Edges of cells, choices between blocks and depths are weighted
        sums over the active options, wherever those give results of one shape. Everything else (mixtures of the kind
        "ordered", and options of different shapes) is computed at the strongest active option, and the result is
        multiplied by 1 + w - w.detach(), so that its weight has a gradient.
        """
        return Mixer(self, weights, active)(x)

    def widen(self, partial: int) -> None:
        """From now on mix 1/partial of the channels of open cells; the part that is mixed keeps its weights."""
        self.partial = partial
        self.units = Units(self.bank, self.seed, partial, merged=not self.precise)
        self.units.train(self.training)
        self._routes.clear()

    def path(self, x: Float[Tensor, "rows ..."], architecture: Architecture) -> Float[Tensor, "rows outputs"]:
        """One architecture on the shared weights; nothing else is computed, and gradients reach what it uses."""
        for _, unit in self.route(architecture):
            x = self.units.run(unit, x)
        return x

    def extract(self, architecture: Architecture) -> nn.Module:
        """The stand-alone network of an architecture with a copy of its weights, in the mode of the supernet.

        In training mode it gives what `path` gives, exactly. Its batch norms have no statistics yet: see `recalibrate`.
        """
        attached = self.space.attach(architecture)
        network = build(attached, seed=self.seed)
        self.units.adopt(network)
        with torch.no_grad():
            for step, unit in self.route(attached):
                module = network.get_submodule(step.module)
                for name, value in unit.parameters(self.bank).items():
                    holder, _, own = name.rpartition(".")
                    module.get_submodule(holder)._parameters[own] = nn.Parameter(value.detach().clone())
                for name, buffer in unit.module.named_buffers():
                    module.get_buffer(name).copy_(buffer)
        return network.train(self.training)

    def route(self, architecture: Architecture) -> list[tuple[Step, Unit]]:
        """The links of an architecture with their modules, in order."""
        codes = self.space.codes(architecture)
        if codes not in self._routes:
            if len(self._routes) >= MOST_ROUTES:
                self._routes.clear()
            self._routes[codes] = self._route(codes)
        return self._routes[codes]

    def states(self, codes: Codes) -> Iterator[tuple[Step, State]]:
        """The links of the architecture of these codes with what arrives at them, in order."""
        state = self.start
        for step in steps(self.chain, codes):
            yield step, state
            state = self.units.after(step, state)

    def chosen(self, architecture: Architecture) -> tuple[tuple[int, ...], ...]:
        """The options of each mixture that are active in an architecture; none where the mixture is dead in it."""
        return self.mixed.chosen(self.space.codes(architecture))

    def weights_of(self, architecture: Architecture) -> list[Float[Tensor, " options"]]:
        """Weights of the mixtures with which `forward` is that architecture: 1 for what is active, 0 for the rest."""
        return self.mixed.one_hot(self.space.codes(architecture))

    def derive(self, weights: Sequence[Float[np.ndarray, " options"]]) -> Architecture:
        """The architecture that the weights stand for: the strongest option, and in cells what their paper says."""
        return self.space.from_codes(self.mixed.derive(weights))

    def expected(self, cost: Cost, weights: Sequence[Float[Tensor, " options"]]) -> Float[Tensor, ""]:
        """The cost of the mixed network, differentiable in the weights (which should add up to 1 in each mixture).

        cost: "params", "macs", or a function of an expression and its input that gives a number. Open cells are exact:
        the sum over edges of weight times counted cost. Of a chain, each link is the expectation over its own decisions
        (as if they were independent), for what arrives when the strongest options stand before it.
        """
        if cost not in self._expectations:
            self._expectations[cost] = Expectation(self, cost)
        return self._expectations[cost](weights)

    def train(self, mode: bool = True) -> Self:
        """Dropout on or off; batch normalisation is by the batch either way."""
        super().train(mode)
        self.units.train(mode)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self.units.forget()
        self._routes.clear()
        return self

    def _route(self, codes: Codes) -> list[tuple[Step, Unit]]:
        return [(step, self.units.path(step, state)) for step, state in self.states(codes)]
