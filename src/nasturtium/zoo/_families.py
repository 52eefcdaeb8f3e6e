"""A family of known networks: one idea in several sizes, made when they are asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nasturtium.blocks import Block
from nasturtium.space import Space
from nasturtium.task import Task

LAST_SIDE = 4
"""The last feature map of an image network has at least so many positions a side, where the image has."""
SCALES = (0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.6, 0.75, 0.85, 1.0)
"""Width factors of families that are scaled as a whole; 1 is the published size."""


@dataclass(frozen=True)
class Size:
    """One member of a family."""

    label: str
    tree: Block
    published: bool


@dataclass(frozen=True)
class Family:
    """make: the tree of a size (a width, or a factor on widths). labels: of the sizes, from small to large.
    published: which of them is of the published size."""

    name: str
    citation: str
    make: Callable[[Any], Block]
    labels: Mapping[Any, str]
    published: Any

    def size(self, value: Any) -> Size:
        """The member of that size."""
        # A tree without decisions still holds the repeats of its stages: the space of that one network resolves them.
        tree = Space(self.make(value)).sample(0).tree
        return Size(self.labels[value], tree, value == self.published)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """All members, from small to large."""
        return tuple(map(self.size, self.labels))


Maker = Callable[[Task], Family]


def named(values: Sequence[Any]) -> dict[Any, str]:
    """Sizes that are called by their numbers."""
    return {value: str(value) for value in values}


@lru_cache(maxsize=1000)
def strides_for(side: int, published: tuple[int, ...]) -> tuple[int, ...]:
    """Published strides, with the earliest halved until the last map of an input of `side` has `LAST_SIDE` positions.

    >>> strides_for(224, (2, 2, 2, 2, 2)), strides_for(32, (2, 2, 2, 2, 2)), strides_for(32, (4, 2, 2, 2))
    ((2, 2, 2, 2, 2), (1, 1, 2, 2, 2), (1, 2, 2, 2))
    """
    strides = list(published)
    for place in range(len(strides)):
        while strides[place] > 1 and _last(side, strides) < LAST_SIDE:
            strides[place] //= 2
    return tuple(strides)


def _last(side: int, strides: Sequence[int]) -> int:
    for stride in strides:
        side = -(-side // stride)
    return side


def short_side(task: Task) -> int:
    """The shorter side of the input."""
    return min(task.input.shape[1:])
