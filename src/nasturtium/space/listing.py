"""Small spaces as a list."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nasturtium.space.architecture import Architecture

if TYPE_CHECKING:
    from nasturtium.space.space import Space

LARGEST = 20_000
"""Spaces of more architectures are not listed: up to here it takes seconds and little memory."""


def listed(space: "Space", feasible: Callable[[Architecture], bool]) -> tuple[Architecture, ...] | None:
    """Every feasible architecture, the first of each `arch_id`, in the order of the space; None for a larger space."""
    if space.size is None or space.size > LARGEST:
        return None
    first: dict[str, Architecture] = {}
    for architecture in space.enumerate():
        if feasible(architecture):
            first.setdefault(architecture.arch_id, architecture)
    return tuple(first.values())
