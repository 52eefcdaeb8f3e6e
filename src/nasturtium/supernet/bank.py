"""The shared tensors of a supernet, and how the parameters of one network are cut out of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from torch import nn

from nasturtium.blocks import construct
from nasturtium.supernet._kernels import Kernels, kernels_of, matrix_name, shrunk
from nasturtium.supernet.parameters import Wanted
from nasturtium.supernet.slices import Axes, Factor, Piece, length, pieces
from nasturtium.training import generator, seeded


@dataclass(frozen=True)
class Part:
    """A window into a shared tensor, and the shape that it is given."""

    name: str
    window: tuple[slice, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Cut:
    """A parameter made of parts of shared tensors, along one axis. whole: it is one of them, uncut."""

    parts: tuple[Part, ...]
    axis: int = 0
    whole: bool = False


class Bank(nn.Module):
    """Shared tensors by their dotted names, in nested modules, so that a `state_dict` has the same names.

    A parameter that has one form everywhere is one tensor. Else there is a tensor for each part of a concatenation and
    for each size that cannot be cut, with an axis for each factor, as large as the largest. Initial values are torch's
    own for the largest primitive that uses the tensor; where no single one spans it, they are drawn from those values.

    forms: of each parameter, as `Reachable` finds them. seed: of the initial values, each tensor having its own.
    transforms: smaller kernels are the centres of larger ones times a matrix that is learnt (see `_kernels`).
    """

    def __init__(self, forms: Mapping[str, Mapping[Axes, Wanted]], seed: int, transforms: bool = False) -> None:
        super().__init__()
        self._owners: dict[str, tuple[nn.Module, str]] = {}
        self._elastic: dict[str, Kernels] = {}
        self._forms = {name: tuple(found) for name, found in forms.items()}
        self._uncut = frozenset(name for name, found in forms.items() if len(found) == 1)
        for name, found in forms.items():
            if name in self._uncut:
                [wanted] = found.values()
                self._add(name, tuple(map(length, wanted.axes)), wanted, seed)
                continue
            users: dict[str, list[tuple[Piece, Wanted]]] = {}
            for axes, wanted in found.items():
                for piece in pieces(axes):
                    users.setdefault(piece.mark, []).append((piece, wanted))
            for mark, using in users.items():
                sizes = zip(*([factor.size for factor in piece.factors] for piece, _ in using), strict=True)
                _, largest = max(using, key=lambda user: prod(factor.size for factor in user[0].factors))
                self._add(name + mark, tuple(map(max, sizes)), largest, seed)
                if transforms:
                    self._transform(name + mark, [piece for piece, _ in using])

    def __getitem__(self, name: str) -> nn.Parameter:
        holder, own = self._owners[name]
        found = holder._parameters[own]
        assert found is not None
        return found

    def cut(self, name: str, axes: Axes) -> Cut:
        """How the parameter of that name is taken out of this bank where it is made up like this."""
        if name in self._uncut:
            return Cut((Part(name, (), ()),), whole=True)
        joined = [place for place, axis in enumerate(axes) if len(axis) > 1]
        parts = tuple(
            Part(name + piece.mark, _window(piece.factors, self[name + piece.mark].shape), piece.shape)
            for piece in pieces(axes)
            if prod(piece.shape)
        )
        whole = len(parts) == 1 and tuple(self[parts[0].name].shape) == parts[0].shape
        return Cut(parts, joined[0] if joined else 0, whole)

    def crop(self, name: str, shape: tuple[int, ...]) -> Cut:
        """The leading part of a tensor, of this shape."""
        return Cut((Part(name, tuple(map(slice, shape)), shape),), whole=tuple(self[name].shape) == shape)

    def sizes(self, name: str, axis: int) -> list[int]:
        """The lengths that an axis of a parameter can have, ascending."""
        return sorted({length(axes[axis]) for axes in self._forms[name]})

    def along(self, name: str, axes: Axes, axis: int) -> tuple[nn.Parameter, int] | None:
        """The shared tensor and its axis where this axis of a parameter lies; None if it is not one run of one tensor.

        axes: how the parameter is made up.
        """
        if name in self._uncut:
            return self[name], axis
        found = list(pieces(axes))
        if len(found) > 1 or any(factor.how != "lead" for factor in axes[axis][0]) or len(axes[axis][0]) > 1:
            return None
        return self[name + found[0].mark], sum(len(before[0]) for before in axes[:axis])

    def take(self, cut: Cut) -> torch.Tensor:
        """The parameter: the shared one itself if it is that, else a differentiable part of it."""
        if cut.whole:
            return self[cut.parts[0].name]
        # Contiguous, as in the extracted network: a kernel chosen by strides could round otherwise.
        taken = [self._taken(part).reshape(part.shape).contiguous() for part in cut.parts]
        return taken[0] if len(taken) == 1 else torch.cat(taken, dim=cut.axis)

    def _taken(self, part: Part) -> torch.Tensor:
        kernels = self._elastic.get(part.name)
        if kernels is None:
            return self[part.name][part.window]
        matrices = {(large, small): self[matrix_name(part.name, large, small)] for large, small in pairwise(kernels)}
        return shrunk(self[part.name], part.window, kernels, matrices)

    def _transform(self, name: str, using: Sequence[Piece]) -> None:
        """A matrix for each step from a kernel to the next smaller one, at first the identity."""
        kernels = kernels_of(using)
        if len(kernels) > 1:
            self._elastic[name] = kernels
            for large, small in pairwise(kernels):
                self._put(matrix_name(name, large, small), torch.eye(prod(small)))

    def _add(self, name: str, shape: tuple[int, ...], user: Wanted, seed: int) -> None:
        self._put(name, _initial(name, shape, user, seed))

    def _put(self, name: str, value: torch.Tensor) -> None:
        *path, own = name.split(".")
        holder: nn.Module = self
        for part in path:
            if part not in holder._modules:
                holder.add_module(part, nn.Module())
            inner = holder._modules[part]
            assert inner is not None
            holder = inner
        holder.register_parameter(own, nn.Parameter(value))
        self._owners[name] = (holder, own)


def _window(factors: tuple[Factor, ...], shape: torch.Size) -> tuple[slice, ...]:
    starts = [(most - f.size) // 2 if f.how == "centre" else 0 for f, most in zip(factors, shape, strict=True)]
    return tuple(slice(start, start + factor.size) for start, factor in zip(starts, factors, strict=True))


def _initial(name: str, shape: tuple[int, ...], user: Wanted, seed: int) -> torch.Tensor:
    with seeded(seed, name):
        values = construct(user.leaf.call(user.x)).get_parameter(user.own).detach()
    if values.numel() == prod(shape) and tuple(values.shape) == tuple(map(length, user.axes)):
        return values.reshape(shape).clone()
    drawn = torch.randint(values.numel(), shape, generator=generator(seed, f"{name} drawn"))
    return values.flatten()[drawn]
