"""AZ-NAS: expressivity, progressivity, trainability and complexity, joined by their ranks.

Lee and Ham 2024, "AZ-NAS: assembling zero-cost proxies for network architecture search", CVPR; arXiv:2403.19232.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nasturtium.proxies._blocks import main_blocks
from nasturtium.proxies._layers import initialise
from nasturtium.proxies._passes import Passes, hooked

AZ_NAS = ("expressivity", "progressivity", "trainability", "complexity")
"""The four parts; `log_rank_aggregate` of them over a set of architectures is the score of AZ-NAS."""


@dataclass(frozen=True)
class Parts:
    """The parts that need passes; `complexity` is MACs."""

    expressivity: float
    progressivity: float
    trainability: float


def az_nas(passes: Passes) -> Parts:
    """The parts of a network, initialised anew (Kaiming, normal, fan-in), on a batch of standard normal inputs.

    NaN becomes -inf, as in the authors' code: a block that gives nothing out. Networks of one block have no
    progressivity and no trainability (NaN).
    """
    draws = passes.generator("az_nas")
    network = passes.fresh()
    initialise(network, draws, gain=math.sqrt(2))
    features: list[Tensor] = []

    def look(module: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> None:
        features.append(output)

    with hooked(main_blocks(network), look):
        network(passes.noise(draws))
    entropies = [_entropy(feature.detach()) for feature in features]
    steps = [after - before for before, after in pairwise(entropies)]
    spectra = [_spread(f_in, f_out, draws) for f_in, f_out in pairwise(features)]
    if not steps:
        return Parts(_finite(sum(entropies)), math.nan, math.nan)
    progress = math.nan if any(math.isnan(step) for step in steps) else min(steps)
    return Parts(_finite(sum(entropies)), _finite(progress), _finite(sum(spectra) / len(spectra)))


def _finite(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _entropy(feature: Float[Tensor, "rows channels ..."]) -> float:
    """Entropy of the shares of the principal components of a block's features."""
    points = _points(feature).double()  # in float32 the decomposition fails on some healthy wide networks
    centred = points - points.mean(0)
    covariance = centred.T @ centred / len(points)
    if not covariance.isfinite().all():
        return math.nan
    # A covariance has no negative eigenvalue, but rounding gives some where there are more channels than points.
    values = torch.linalg.eigvalsh(covariance).clamp(min=0)
    shares = values / values.sum()
    return float(-(shares * torch.log(shares + 1e-8)).sum())


def _spread(f_in: Tensor, f_out: Tensor, draws: torch.Generator) -> float:
    """2 - s - 1/s for the spectral norm s of a block's backward pass, estimated with random signs.

    Greatest (0) where gradients neither grow nor shrink; -inf for a block that is the identity.
    """
    signs = torch.randint(0, 2, f_out.shape, generator=draws).to(f_out) * 2 - 1
    back = None
    if f_out.requires_grad and f_in.requires_grad:
        (back,) = torch.autograd.grad(f_out, f_in, signs, retain_graph=True, allow_unused=True)
    if back is None:  # the block gives nothing out, and nothing comes back
        back = torch.zeros_like(f_in)
    if back.shape == signs.shape and torch.equal(back, signs):
        return -math.inf
    before, after = _points(_folded(back, signs)), _points(signs)
    matrix = before.T @ after / len(after)
    if not matrix.isfinite().all():
        return math.nan
    norm = float(torch.linalg.matrix_norm(matrix, 2))
    return 2 - norm - 1 / (norm + 1e-6)


def _points(feature: Float[Tensor, "rows channels ..."]) -> Float[Tensor, "points channels"]:
    """Every place of every row."""
    return feature.flatten(2).transpose(1, 2).flatten(0, 1) if feature.ndim > 2 else feature


def _folded(back: Tensor, like: Tensor) -> Tensor:
    """`back` with as many places as `like`: the places of a stride become channels (zeros where it does not divide)."""
    if back.ndim == like.ndim == 2:
        return back
    if like.ndim == 2:
        return back.flatten(1)
    if back.ndim == 2:
        return back.reshape(*back.shape, *(1,) * (like.ndim - 2)).expand(-1, -1, *like.shape[2:])
    for axis in range(2, back.ndim):
        stride = -(-back.shape[axis] // like.shape[axis])
        padded = _padded(back, axis, stride * like.shape[axis])
        back = padded.unflatten(axis, (like.shape[axis], stride)).movedim(axis + 1, 2).flatten(1, 2)
    return back


def _padded(values: Tensor, axis: int, length: int) -> Tensor:
    missing = [*values.shape]
    missing[axis] = length - values.shape[axis]
    return torch.cat([values, values.new_zeros(missing)], axis) if missing[axis] else values
