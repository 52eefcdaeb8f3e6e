"""Mixed operations, option by option: the oracle of `_merged`."""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from nasturtium.supernet._options import Option
from nasturtium.supernet._sums import Terms

Weigh = Callable[[Option], Tensor | None]
"""The weight `[]` of an option; None for one that nothing weighs."""


def plain_options(
    root: nn.Module, value: Tensor, options: Sequence[Option], weigh: Weigh, terms: Mapping[int, Terms]
) -> None:
    """Compute the options that leave a value and add each to the terms of its target. root: has their modules."""
    for option in options:
        y = root.get_submodule(option.path)(value)
        weight = weigh(option)
        terms[option.edge.target].add(None, y if weight is None else y * weight)
