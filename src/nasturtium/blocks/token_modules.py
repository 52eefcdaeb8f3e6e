"""Modules of attention that torch does not have in this form. Imports torch only, like `modules`.

Tokens are the places of an image `[N, C, H, W]` or a sequence `[N, C, L]`, with their features along the channels.
"""

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017, equation 1) of several heads.

    Takes queries, keys and values one after the other, `[N, 3 * width, ...]`, and gives `[N, width, ...]`. sides: with
    them, each head has a learned number for each way from one place to another, added to its scores (Shaw et al. 2018;
    Dai et al. 2021, equation 4). The ways along an axis are listed as 0, -1, 1, -2, 2 …, so that those of smaller sides
    come first. dropout: share of the weights that are zero while training.
    """

    def __init__(self, heads: int, sides: tuple[int, ...] = (), dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.sides, self.dropout = heads, sides, dropout
        if sides:
            self.bias = nn.Parameter(torch.zeros(heads, *(2 * side - 1 for side in sides)))

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[1] // 3
        q, k, v = x.reshape(x.shape[0], 3, self.heads, width // self.heads, -1).unbind(1)
        scores = (q * (width // self.heads) ** -0.5).transpose(2, 3) @ k
        if self.sides:
            scores = scores + self._between()
        weights = nn.functional.dropout(scores.softmax(-1), self.dropout, self.training)
        return (v @ weights.transpose(2, 3)).reshape(x.shape[0], width, *x.shape[2:])

    def _between(self) -> Tensor:
        """The learned number of each head for each pair of places, `[heads, places, places]`."""
        found: Tensor = self.bias
        rank = len(self.sides)
        for axis, side in enumerate(self.sides):
            at = torch.arange(side, device=found.device)
            steps = at[None, :] - at[:, None]
            # One axis after the other: a table of all pairs would be larger than a small network.
            found = found[(slice(None),) * (1 + 2 * axis) + (2 * steps.abs() - (steps < 0).long(),)]
        order = [0, *(1 + 2 * axis for axis in range(rank)), *(2 + 2 * axis for axis in range(rank))]
        return found.permute(order).flatten(1, rank).flatten(2)


class Positions(nn.Module):
    """A learned vector for each place, added."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(shape) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.position


class ClassToken(nn.Module):
    """A learned token before those of the input; `[N, C, ...]` becomes `[N, C, 1 + places]`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(width, 1) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2)
        return torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=2)


class FirstToken(nn.Module):
    """The first token of `[N, C, L]` alone."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, 0]


class Gated(nn.Module):
    """The first half of the channels, multiplied by the activated second half."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        value, gate = x.chunk(2, dim=1)
        return value * self.activation(gate)


class TableTokens(nn.Module):
    """A token for each column: `[N, numbers + categories]` to `[N, width, columns]` (Gorishniy et al. 2021, 3.3).

    A number is multiplied by a learned vector, a code stands for one; each column has a learned vector that is added.
    """

    def __init__(self, numbers: int, cardinalities: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.numbers = numbers
        bound = width**-0.5
        self.weight = nn.Parameter(torch.empty(width, numbers).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(width, numbers + len(cardinalities)).uniform_(-bound, bound))
        self.tables = nn.ModuleList(nn.Embedding(cardinality, width) for cardinality in cardinalities)

    def forward(self, x: Tensor) -> Tensor:
        codes = x[:, self.numbers :].long()
        columns = [x[:, None, : self.numbers] * self.weight]
        columns += [table(codes[:, k])[:, :, None] for k, table in enumerate(self.tables)]
        return torch.cat(columns, dim=2) + self.bias
