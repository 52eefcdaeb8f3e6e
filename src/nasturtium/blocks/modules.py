"""The modules that torch does not have. Imports torch only: what a network needs of it is copied into `model.py`."""

from collections import OrderedDict

import torch
from torch import Tensor, nn


def sequential(**parts: nn.Module) -> nn.Sequential:
    """`nn.Sequential` with named parts."""
    return nn.Sequential(OrderedDict(parts))


class Sum(nn.Module):
    """Branches on one input, added."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleDict(branches)

    def forward(self, x: Tensor) -> Tensor:
        first, *rest = self.branches.values()
        y = first(x)
        for branch in rest:
            y = y + branch(x)
        return y


class Concat(nn.Module):
    """Branches on one input, concatenated along the channels."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleDict(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches.values()], dim=1)


class Gate(nn.Module):
    """The input multiplied by what `body` makes of it."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return x * self.body(x)


class Graph(nn.Module):
    """A cell or a stack of cells: value 0 is the input, every other value the sum of operations on earlier values, or a
    concatenation of earlier values (`joins`).
    """

    def __init__(
        self,
        wiring: tuple[tuple[int, int], ...],
        outputs: tuple[int, ...],
        joins: tuple[tuple[int, tuple[int, ...]], ...] = (),
        **operations: nn.Module,
    ) -> None:
        super().__init__()
        self.wiring, self.outputs, self.joins = wiring, outputs, dict(joins)
        self.operations = nn.ModuleDict(operations)

    def forward(self, x: Tensor) -> Tensor:
        values = {0: x}
        for (source, target), operation in zip(self.wiring, self.operations.values(), strict=True):
            y = operation(self._read(values, source))
            values[target] = values[target] + y if target in values else y
        outs = [self._read(values, k) for k in self.outputs]
        return outs[0] if len(outs) == 1 else torch.cat(outs, dim=1)

    def _read(self, values: dict[int, Tensor], value: int) -> Tensor:
        """Values are joined when they are first read."""
        if value not in values:
            values[value] = torch.cat([self._read(values, k) for k in self.joins[value]], dim=1)
        return values[value]


class Zero(nn.Module):
    """Nothing, in the shape of the input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


class Shift(nn.Module):
    """One place back along each spatial axis of `[N, C, ...]`: the first places go, zeros follow the last."""

    def forward(self, x: Tensor) -> Tensor:
        for axis in range(2, x.ndim):
            x = x.narrow(axis, 1, x.shape[axis] - 1)
        return nn.functional.pad(x, (0, 1) * (x.ndim - 2))


class Resize(nn.Module):
    """Bilinear resampling of images `[N, C, H, W]`, or linear resampling of sequences `[N, C, L]`, to a fixed size."""

    def __init__(self, *size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        mode = "bilinear" if len(self.size) == 2 else "linear"
        return nn.functional.interpolate(x, size=self.size, mode=mode, align_corners=False)


class GlobalPool(nn.Module):
    """Mean or maximum over the spatial axes, which stay with length 1 (`keep`) or go."""

    def __init__(self, kind: str = "avg", keep: bool = False) -> None:
        super().__init__()
        self.kind, self.keep = kind, keep

    def forward(self, x: Tensor) -> Tensor:
        axes = tuple(range(2, x.ndim))
        return x.mean(axes, keepdim=self.keep) if self.kind == "avg" else x.amax(axes, keepdim=self.keep)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each position, of `[N, C, ...]`."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        shape = (-1,) + (1,) * (x.ndim - 2)
        centred = x - x.mean(1, keepdim=True)
        scale = torch.rsqrt(centred.square().mean(1, keepdim=True) + self.eps)
        return centred * scale * self.weight.view(shape) + self.bias.view(shape)


class CategoryEmbedding(nn.Module):
    """Numbers as they are, and one learned vector for each categorical code.

    Takes `[N, numbers + categories]`, gives `[N, numbers + sum(widths)]`.
    """

    def __init__(self, numbers: int, cardinalities: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.numbers = numbers
        self.tables = nn.ModuleList(nn.Embedding(c, w) for c, w in zip(cardinalities, widths, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        codes = x[:, self.numbers :].long()
        return torch.cat([x[:, : self.numbers], *(table(codes[:, k]) for k, table in enumerate(self.tables))], dim=1)


class NumberEmbedding(nn.Module):
    """Periodic features of each number, mixed per column and rectified (Gorishniy et al. 2022, "PLR").

    Takes `[N, numbers + rest]`, gives `[N, numbers * width + rest]`: the rest passes through.
    """

    def __init__(self, numbers: int, frequencies: int, width: int, scale: float = 0.3) -> None:
        super().__init__()
        self.numbers = numbers
        self.frequency = nn.Parameter(torch.randn(numbers, frequencies) * scale)
        self.weight = nn.Parameter(torch.randn(numbers, 2 * frequencies, width) / (2 * frequencies) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(numbers, width))

    def forward(self, x: Tensor) -> Tensor:
        angle = 2 * torch.pi * x[:, : self.numbers, None] * self.frequency
        waves = torch.cat([angle.cos(), angle.sin()], dim=2)
        mixed = torch.relu((waves.unsqueeze(2) @ self.weight).squeeze(2) + self.bias)
        return torch.cat([mixed.flatten(1), x[:, self.numbers :]], dim=1)


class StandardizeChannels(nn.Module):
    """Pre-processing of images and sequences: subtract the mean of each channel, divide by its deviation."""

    mean: Tensor
    std: Tensor

    def __init__(self, channels: int, rank: int) -> None:
        super().__init__()
        shape = (channels,) + (1,) * rank
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.ones(shape))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class StandardizeTable(nn.Module):
    """Pre-processing of tables: numbers are standardised, missing ones become 0; codes pass through."""

    mean: Tensor
    std: Tensor

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.numbers = numbers
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("std", torch.ones(numbers))

    def forward(self, x: Tensor) -> Tensor:
        scaled = (x[:, : self.numbers] - self.mean) / self.std
        filled = torch.where(torch.isnan(scaled), torch.zeros_like(scaled), scaled)
        return torch.cat([filled, x[:, self.numbers :]], dim=1)


class RestoreTarget(nn.Module):
    """Post-processing of regression: from standardised units back to the target's own."""

    mean: Tensor
    std: Tensor

    def __init__(self, targets: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(targets))
        self.register_buffer("std", torch.ones(targets))

    def forward(self, y: Tensor) -> Tensor:
        return y * self.std + self.mean
