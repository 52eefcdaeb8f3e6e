"""The shared tensors of a supernet, and how the parameters of one network are cut out of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from nasturtium.blocks import construct
from nasturtium.supernet.reachable import Pieces, Tensor
from nasturtium.supernet.slices import Factor
from nasturtium.training import generator, seeded


class Bank(nn.Module):
    """Shared tensors by their dotted names, in nested modules, so that a `state_dict` has the same names.

    A tensor has one axis for each factor of its parameters' axes. Initial values are torch's own for the largest
    primitive that uses the tensor; where no single one spans it, they are drawn from those values.
    """

    def __init__(self, tensors: Mapping[str, Tensor], seed: int) -> None:
        super().__init__()
        self._owners: dict[str, tuple[nn.Module, str]] = {}
        for name, tensor in tensors.items():
            holder, own = self._holder(name)
            holder.register_parameter(own, nn.Parameter(_initial(name, tensor, seed)))
            self._owners[name] = (holder, own)

    def __getitem__(self, name: str) -> nn.Parameter:
        holder, own = self._owners[name]
        found = holder._parameters[own]
        assert found is not None
        return found

    def cut(self, made: Pieces) -> "Cut":
        """How a parameter is taken out of this bank."""
        parts = tuple(
            Part(name, _window(factors, self[name].shape), shape)
            for name, factors, shape in zip(made.names, made.factors, made.shapes, strict=True)
        )
        whole = len(parts) == 1 and tuple(self[parts[0].name].shape) == parts[0].shape
        return Cut(parts, made.axis, whole)

    def take(self, cut: "Cut") -> torch.Tensor:
        """The parameter: the shared one itself if it is that, else a differentiable part of it."""
        if cut.whole:
            return self[cut.parts[0].name]
        # Contiguous, as in the extracted network: a kernel chosen by strides could round otherwise.
        taken = [self[part.name][part.window].reshape(part.shape).contiguous() for part in cut.parts]
        return taken[0] if len(taken) == 1 else torch.cat(taken, dim=cut.axis)

    def _holder(self, name: str) -> tuple[nn.Module, str]:
        *path, own = name.split(".")
        holder: nn.Module = self
        for part in path:
            if part not in holder._modules:
                holder.add_module(part, nn.Module())
            inner = holder._modules[part]
            assert inner is not None
            holder = inner
        return holder, own


@dataclass(frozen=True)
class Part:
    """A window into a shared tensor, and the shape that it is given."""

    name: str
    window: tuple[slice, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Cut:
    """A parameter made of parts of shared tensors. whole: it is one of them, uncut."""

    parts: tuple[Part, ...]
    axis: int
    whole: bool


def _window(factors: tuple[Factor, ...], shape: torch.Size) -> tuple[slice, ...]:
    starts = [(most - f.size) // 2 if f.how == "centre" else 0 for f, most in zip(factors, shape, strict=True)]
    return tuple(slice(start, start + factor.size) for start, factor in zip(starts, factors, strict=True))


def _initial(name: str, tensor: Tensor, seed: int) -> torch.Tensor:
    shape = tuple(factor.size for factor in tensor.factors)
    with seeded(seed, name):
        values = construct(tensor.leaf.call(tensor.x)).get_parameter(tensor.own).detach()
    if values.numel() == prod(shape) == tensor.most:
        return values.reshape(shape).clone()
    drawn = torch.randint(values.numel(), shape, generator=generator(seed, f"{name} drawn"))
    return values.flatten()[drawn]
