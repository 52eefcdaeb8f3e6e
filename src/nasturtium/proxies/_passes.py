"""The passes through a network that proxies share: each is made once, when the first proxy asks for it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nasturtium.proxies._layers import (
    ACTIVATIONS,
    Weighted,
    twice_differentiable,
    weighted,
    with_codes_of,
    working_copy,
)
from nasturtium.proxies.batch import Batch
from nasturtium.training import Recipe, generator
from nasturtium.training._objective import build_loss
from nasturtium.training._predict import layout

T = TypeVar("T")
Hook = Callable[[nn.Module, tuple[Any, ...], Any], None]


@contextmanager
def hooked(modules: list[nn.Module], hook: Hook) -> Iterator[None]:
    """Calls `hook(module, inputs, output)` after each call of one of the modules."""
    handles: list[RemovableHandle] = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Passes:
    """Passes of one batch through one network. The network is copied, not changed.

    batch: on the network's device. second_order: keep the graph of the gradients, for Hessian products.

    The copy trains: its batch normalisation uses the statistics of the batch, as in every reference implementation.
    Gradients of layers that do not bear on the loss are zero.
    """

    def __init__(self, network: nn.Module, batch: Batch, seed: int, *, second_order: bool = False) -> None:
        self.network, self.batch, self.seed = network, batch, seed
        self._second_order = second_order
        self._kernel = torch.zeros(len(batch), len(batch), device=batch.inputs.device)
        self._activated: list[tuple[Weighted, Tensor]] = []
        self._made: dict[object, object] = {}

    def once(self, make: Callable[["Passes"], T]) -> T:
        """`make(self)`, made at the first call: what several scores are read from."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(T, self._made[make])

    @cached_property
    def layers(self) -> list[Weighted]:
        """The weighted layers of the copy that gradients are of."""
        return weighted(self._copy)

    @cached_property
    def weights(self) -> list[Tensor]:
        return [layer.weight for layer in self.layers]

    @cached_property
    def _copy(self) -> nn.Module:
        copied = working_copy(self.network)
        return twice_differentiable(copied) if self._second_order else copied

    @cached_property
    def _inputs(self) -> Tensor:
        return layout(self.batch.inputs).detach().requires_grad_(True)

    @cached_property
    def outputs(self) -> Float[Tensor, "rows outputs"]:
        """Of the batch, with their graph."""
        activations: list[nn.Module] = [module for module in self._copy.modules() if isinstance(module, ACTIVATIONS)]
        with hooked(activations, self._agree), hooked(list(self.layers), self._remember):
            outputs: Tensor = self._copy(self._inputs)
        return outputs

    def _agree(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        # With signs of ±1, a product of two rows is units - 2 * (units that differ); counts are exact in float32.
        signs = (inputs[0].detach().flatten(1) > 0).to(torch.float32).mul_(2).sub_(1)
        self._kernel += (signs @ signs.T + signs.shape[1]) / 2

    def _remember(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, Weighted)
        self._activated.append((module, output))

    @property
    def agreement(self) -> Float[Tensor, "rows rows"]:
        """Activation units whose inputs have the same sign for both rows."""
        assert self.outputs is not None  # makes the forward pass
        return self._kernel

    @cached_property
    def _derivatives(self) -> tuple[list[Tensor], list[Tensor]]:
        """Of the loss: by each weight, and by the output of each call of a layer; one backward pass for both."""
        loss = build_loss(self.batch.task.kind, Recipe())(self.outputs, self.batch.targets)
        called = [output for _, output in self._activated]
        found = _gradients(loss, [*self.weights, *called], self._second_order)
        return found[: len(self.weights)], found[len(self.weights) :]

    @property
    def gradients(self) -> list[Tensor]:
        """Of the loss by the weights of each layer, detached."""
        return [gradient.detach() for gradient in self._derivatives[0]]

    @property
    def activations(self) -> list[tuple[Weighted, Tensor, Tensor]]:
        """Of each call of a layer: the layer, its output, and the gradient of the loss by it; detached."""
        gradients = self._derivatives[1]
        return [
            (layer, output.detach(), gradient.detach())
            for (layer, output), gradient in zip(self._activated, gradients, strict=True)
        ]

    @cached_property
    def hessian_gradients(self) -> list[Tensor]:
        """The Hessian of the loss times its gradient, by the weights of each layer (a second backward pass)."""
        assert self._second_order, "this needs Passes(second_order=True)"
        product = torch.stack([(g.detach() * g).sum() for g in self._derivatives[0]]).sum()
        return _gradients(product, self.weights)

    @cached_property
    def input_gradients(self) -> Float[Tensor, "rows numbers"]:
        """Of the sum of a row's outputs by the numbers of the row."""
        return _gradients(self.outputs.sum(), [self._inputs])[0].flatten(1)

    @cached_property
    def second_gradients(self) -> list[Tensor]:
        """As `gradients`, of the second batch."""
        assert self.batch.second is not None, "this needs a second batch"
        outputs = self._copy(layout(self.batch.second.inputs))
        loss = build_loss(self.batch.task.kind, Recipe())(outputs, self.batch.second.targets)
        return _gradients(loss, self.weights)

    def fresh(self) -> nn.Module:
        """Another copy of the network, to re-initialise."""
        return working_copy(self.network)

    def generator(self, name: str) -> torch.Generator:
        """The random numbers of the proxy `name`."""
        return generator(self.seed, name)

    def noise(self, draws: torch.Generator) -> Float[Tensor, "rows ..."]:
        """A batch of standard normal numbers; categorical columns keep the codes of the batch."""
        drawn = torch.randn(self.batch.inputs.shape, generator=draws).to(self.batch.inputs)
        return layout(with_codes_of(drawn, self.batch.inputs, self.numbers))

    @property
    def numbers(self) -> int | None:
        """How many columns of a table are numbers; None where all inputs are."""
        signal = self.batch.task.input
        return signal.shape[0] if signal.kind == "table" else None


def total(values: Iterable[Tensor]) -> float:
    """Sum of scalars in float64, read from the device once."""
    found = [value.detach().double() for value in values]
    return float(torch.stack(found).sum()) if found else 0.0


def _gradients(value: Tensor, by: list[Tensor], create_graph: bool = False) -> list[Tensor]:
    """Gradients that keep the graph for the next pass; zeros where `value` does not depend on a tensor."""
    if not value.requires_grad:
        return [torch.zeros_like(tensor) for tensor in by]
    found = torch.autograd.grad(value, by, retain_graph=True, create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for g, t in zip(found, by, strict=True)]
