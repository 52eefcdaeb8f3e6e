"""Modules of known networks that torch does not have. Imports torch only: what is needed is copied into `model.py`."""

import torch
from torch import Tensor, nn


class ChannelScale(nn.Module):
    """Each channel of `[N, C, ...]` multiplied by a learned factor that starts small."""

    def __init__(self, channels: int, initial: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), initial))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view((-1,) + (1,) * (x.ndim - 2))


class CausalConv(nn.Module):
    """A dilated convolution of `[N, C, L]` that sees no later step; the length stays."""

    def __init__(self, channels: int, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.past = (kernel - 1) * dilation
        self.conv = nn.Conv1d(channels, width, kernel, dilation=dilation, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(nn.functional.pad(x, (self.past, 0)))


class LastStep(nn.Module):
    """The last step of `[N, C, L]`."""

    def forward(self, x: Tensor) -> Tensor:
        return x[..., -1]


class Recurrent(nn.Module):
    """The last hidden state of an LSTM or GRU that reads `[N, C, L]` step by step."""

    def __init__(self, kind: str, channels: int, width: int, layers: int) -> None:
        super().__init__()
        recurrent = nn.LSTM if kind == "lstm" else nn.GRU
        self.recurrent = recurrent(channels, width, layers, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.recurrent(x.transpose(1, 2))
        return states[:, -1]
