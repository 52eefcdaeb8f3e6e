"""One open option an edge, selected by gates on the device: a step of fixed shape for every draw.

A captured CUDA graph cannot leave work out. But where only one option of an edge is open, its convolutions of several
kernel sizes are one convolution with the kernel that the gates select, padded with zeros, so that a draw costs about
half of what all options cost, and no draw is captured anew. What cannot be selected so is computed and weighed by 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasturtium.blocks.primitives import Conv
from nasturtium.supernet._merged import begin, convolved, merged_options
from nasturtium.supernet._options import Option
from nasturtium.supernet._plain import Weigh
from nasturtium.supernet._sums import Terms


def selected_options(
    root: nn.Module, value: Tensor, options: Sequence[Option], weigh: Weigh, terms: Mapping[int, Terms], gate: Weigh
) -> None:
    """As `merged_options`. gate: 1 for the open option of an edge and 0 for the others, which `weigh` makes 0 too."""
    rivals: dict[tuple[str, tuple[object, ...]], list[Option]] = {}
    others: list[Option] = []
    for option in options:
        kind = _kind(option)
        if kind is None:
            others.append(option)
        else:
            rivals.setdefault((option.edge.name, kind), []).append(option)
    alike: dict[tuple[object, ...], list[list[Option]]] = {}
    for (_, common), group in rivals.items():
        alike.setdefault((*common, *(option.rest[0].primitive for option in group)), []).append(group)
    begun = merged_options(root, value, others, weigh, terms)
    for groups in alike.values():
        start = begin(root, groups[0][0].shared, begun)
        gates = [[cast(Tensor, gate(option)) for option in group] for group in groups]
        weights = [torch.stack([cast(Tensor, weigh(option)) for option in group]).sum() for group in groups]
        parts = convolved(root, start, [group[-1] for group in groups], weights, _kernel(root, groups, gates))
        for group, part in zip(groups, parts, strict=True):
            terms[group[0].edge.target].add(None, part)


def _kind(option: Option) -> tuple[object, ...] | None:
    """Equal for options of an edge that differ in the size of a centred kernel only; None for others."""
    if option.mergeable is None or option.affine or option.edge.mixture is None:
        return None
    conv = cast(Conv, option.rest[0].primitive)
    if conv.kernel % 2 == 0 or conv.bias:
        return None
    return (*option.beginnings, replace(conv, kernel=1))


def _kernel(root: nn.Module, groups: Sequence[Sequence[Option]], gates: Sequence[Sequence[Tensor]]) -> Tensor:
    """The selected kernels of all edges, `[edges * out, in, largest, ...]`."""
    total: Tensor | None = None
    largest = max(cast(Conv, option.rest[0].primitive).kernel for option in groups[0])
    for place in range(len(groups[0])):
        convs = [cast(nn.Conv2d, root.get_submodule(group[place].rest[0].path)) for group in groups]
        weight = torch.cat([conv.weight for conv in convs])
        margin = (largest - convs[0].kernel_size[0]) // 2
        weight = functional.pad(weight, (margin,) * (2 * (weight.ndim - 2))) if margin else weight
        width = convs[0].out_channels
        open_ = torch.stack([row[place] for row in gates]).repeat_interleave(width)
        weight = weight * open_.view(-1, *(1,) * (weight.ndim - 1))
        total = weight if total is None else total + weight
    assert total is not None  # a group has options
    return total
