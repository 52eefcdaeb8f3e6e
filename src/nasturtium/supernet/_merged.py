"""Mixed operations with equal work done once. `_plain` is the same without, and gradients are equal.

What the options of a source have in common is found from their expressions:
- leading steps without parameters (ReLU, pooling, pooling and normalisation) are computed once a source;
- dense convolutions of one kind are one convolution to the channels of all their targets;
- an option that ends in batch normalisation is weighed by the normalisation's scale: w * BN(y) = BN(y) with gamma = w,
  so that weighing costs nothing and the gradient of a weight is that of a scale.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from nasturtium.blocks.expr import Primitive
from nasturtium.supernet._options import Option, Step
from nasturtium.supernet._plain import Weigh
from nasturtium.supernet._pooling import pooled
from nasturtium.supernet._sums import Terms
from nasturtium.supernet._together import fusable, together

Begun = dict[tuple[Primitive, ...], Tensor]
"""Of one value: what the leading steps of its options, without parameters, have made of it."""


def merged_options(
    root: nn.Module, value: Tensor, options: Sequence[Option], weigh: Weigh, terms: Mapping[int, Terms]
) -> Begun:
    """Compute the options that leave a value and add each to the terms of its target. root: has their modules.

    Returns what has been computed of the value on the way.
    """
    begun: Begun = {(): value}
    starts = {option.path: begin(root, option.shared, begun) for option in options}
    fused = fusable(options, value, weigh)
    if fused:
        together(root, begun, fused, weigh, terms)
    done = {option.path for option in fused}
    alike: dict[tuple[object, ...], list[Option]] = {}
    for option in options:
        if option.path in done:
            continue
        if option.mergeable is not None:
            alike.setdefault(option.mergeable, []).append(option)
        elif not option.rest:
            terms[option.edge.target].add(weigh(option), starts[option.path])
        else:
            _alone(root, starts[option.path], option, weigh, terms)
    for group in alike.values():
        weights = [weigh(option) for option in group]
        parts = convolved(root, begun[group[0].beginnings], group, weights)
        for option, part in zip(group, parts, strict=True):
            terms[option.edge.target].add(None, part)
    return begun


def begin(root: nn.Module, steps: Sequence[Step], begun: Begun) -> Tensor:
    """The value after `steps`, each of which is computed once."""
    done: tuple[Primitive, ...] = ()
    y = begun[()]
    for step in steps:
        assert step.primitive is not None  # opaque steps are never shared
        done = (*done, step.primitive)
        if done not in begun:
            begun[done] = pooled(root.get_submodule(step.path), y)
        y = begun[done]
    return y


def _alone(root: nn.Module, y: Tensor, option: Option, weigh: Weigh, terms: Mapping[int, Terms]) -> None:
    weight = weigh(option)
    steps = option.rest
    if option.ends_in_batch_norm and weight is not None:
        steps = steps[:-1]
    for step in steps:
        y = root.get_submodule(step.path)(y)
    if len(steps) < len(option.rest):
        norm = cast(_BatchNorm, root.get_submodule(option.rest[-1].path))
        y, weight = _normalised(y, [norm], [weight]), None
    terms[option.edge.target].add(weight, y)


def convolved(
    root: nn.Module,
    y: Tensor,
    group: Sequence[Option],
    weights: Sequence[Tensor | None],
    kernel: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Convolution, normalisation and weighing of mergeable options of one kind on one input, as one.

    kernel: of all of them, where it is not their own. Returns the result of each.
    """
    convs = [cast(nn.Conv2d, root.get_submodule(option.rest[0].path)) for option in group]
    norms = [cast(_BatchNorm, root.get_submodule(option.rest[1].path)) for option in group]
    if kernel is None:
        kernel = convs[0].weight if len(convs) == 1 else torch.cat([conv.weight for conv in convs])
    bias = None if convs[0].bias is None else torch.cat([cast(Tensor, conv.bias) for conv in convs])
    convolve = functional.conv2d if y.ndim == 4 else functional.conv1d
    y = convolve(y, kernel, bias, convs[0].stride, kernel.shape[-1] // 2)
    return _normalised(y, norms, weights).split(convs[0].out_channels, dim=1)


def _normalised(y: Tensor, norms: Sequence[_BatchNorm], weights: Sequence[Tensor | None]) -> Tensor:
    """Batch normalisation of the channels of several norms side by side, with the weights as their scales."""
    scale = shift = None
    width = y.shape[1] // len(norms)
    if weights[0] is not None:
        scale = torch.stack([cast(Tensor, weight) for weight in weights]).repeat_interleave(width)
    if norms[0].affine:
        gamma = torch.cat([norm.weight for norm in norms])
        beta = torch.cat([norm.bias for norm in norms])
        scale, shift = (gamma, beta) if scale is None else (gamma * scale, beta * scale)
    return functional.batch_norm(y, None, None, scale, shift, training=True, eps=norms[0].eps)
