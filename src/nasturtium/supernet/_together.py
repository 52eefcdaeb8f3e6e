"""Options of one source that are computed by one function (see `_fused`): from options to tensors and back."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from nasturtium.blocks.expr import Primitive
from nasturtium.blocks.primitives import Conv
from nasturtium.supernet._convolution import Group
from nasturtium.supernet._fused import Plan, leave
from nasturtium.supernet._options import Option
from nasturtium.supernet._plain import Weigh
from nasturtium.supernet._sums import Terms

WIDE = 64
"""Channels from which on convolutions fill the processor alone, and are not merged: they only grow out of its cache."""


def fusable(options: Sequence[Option], value: Tensor, weigh: Weigh) -> list[Option]:
    """Those that can be computed together: all weighed or all not, on the CPU, with at least one convolution."""
    if value.device.type != "cpu":
        return []
    convolutions = [option for option in options if _is_plain_convolution(option)]
    if not convolutions:
        return []
    weighed = weigh(convolutions[0]) is not None
    return [
        option
        for option in options
        if (not option.rest or _is_plain_convolution(option)) and (weigh(option) is not None) == weighed
    ]


def together(
    root: nn.Module,
    begun: Mapping[tuple[Primitive, ...], Tensor],
    options: Sequence[Option],
    weigh: Weigh,
    terms: Mapping[int, Terms],
) -> None:
    """Compute `options`, which leave one value, and add the sum that arrives at each target to its terms.

    begun: what their leading steps have made of the value.
    """
    beginnings = list(dict.fromkeys(option.beginnings for option in options))
    targets = list(dict.fromkeys(option.edge.target for option in options))
    alike: dict[tuple[object, ...] | None, list[Option]] = {}
    for option in options:
        kind = option.mergeable
        wide = kind is not None and cast(Conv, option.rest[0].primitive).out_channels >= WIDE
        alike.setdefault((*kind, option.edge.target) if kind is not None and wide else kind, []).append(option)
    shared = alike.pop(None, [])
    groups, kernels = [], []
    for members in alike.values():
        convs = [cast(nn.Conv2d, root.get_submodule(option.rest[0].path)) for option in members]
        norm = cast(_BatchNorm, root.get_submodule(members[0].rest[1].path))
        to = tuple(targets.index(option.edge.target) for option in members)
        start = beginnings.index(members[0].beginnings)
        groups.append(Group(start, to, convs[0].stride, cast(tuple[int, ...], convs[0].padding), norm.eps))
        kernels.append(convs[0].weight if len(convs) == 1 else torch.cat([conv.weight for conv in convs]))
    plain = tuple((beginnings.index(option.beginnings), targets.index(option.edge.target)) for option in shared)
    weights = [weigh(option) for members in (*alike.values(), shared) for option in members]
    scales = None if weights[0] is None else torch.stack(cast(list[Tensor], weights))
    starts = [begun[beginning] for beginning in beginnings]
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        starts, kernels = [start.to(dtype) for start in starts], [kernel.to(dtype) for kernel in kernels]
    plan = Plan(len(starts), len(targets), tuple(groups), plain)
    for target, total in zip(targets, leave(plan, scales, starts, kernels), strict=True):
        terms[target].add(None, total)


def _is_plain_convolution(option: Option) -> bool:
    if option.mergeable is None or option.affine:
        return False
    return not cast(Conv, option.rest[0].primitive).bias
