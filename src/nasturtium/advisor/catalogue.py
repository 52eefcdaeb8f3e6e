"""Networks that can be built for a task, each family in the size that is wanted; every size is counted once."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nasturtium.advisor.knowledge import Known, load_knowledge
from nasturtium.errors import SpaceError
from nasturtium.hardware.costs import block_costs
from nasturtium.task import Task
from nasturtium.zoo._families import Family, short_side
from nasturtium.zoo.known import BASELINES, FOR_INPUT, MAKERS

COSTS = ("params", "macs", "memory", "size")
SMALL_INPUT = 32
"""Below so many pixels a side, families that were made for 224 are hardly themselves any more."""
LARGE = "224"
FEWEST_SHARE = 1 / 100
"""Of a family's published parameters: a member of fewer is another network under its name."""


@dataclass(frozen=True)
class Member:
    """A known network of one size, for one task. costs: counted on one row of the data. published: of the size that was
    published? known: its entry in the knowledge base, where there is one."""

    name: str
    family: str
    costs: Mapping[str, int]
    published: bool
    citation: str
    known: Known | None


Allowed = Callable[[Member], bool]


@lru_cache(maxsize=64)
def families(task: Task) -> tuple[str, ...]:
    """Families for the task's kind and size of input, the baselines of every search first."""
    baselines = BASELINES[task.modality]
    small = task.modality == "image" and short_side(task) < SMALL_INPUT
    others = [
        name
        for name in FOR_INPUT[task.modality]
        if name not in (*baselines, "linear") and not (small and LARGE in _input_of(name))
    ]
    return tuple(name for name in (*baselines, *others) if members(name, task))


def sized(name: str, task: Task, allowed: Allowed, larger: bool = False) -> Member | None:
    """The published size of a family, or the largest below it that is allowed; None where none is.

    allowed: holds for all sizes below one for which it holds. larger: sizes above the published one count, too.
    """
    values = members(name, task)
    made = family(name, task)
    values = values if larger else [value for value in values if value <= made.published]
    if not values:
        return None
    if not larger and allowed(member(name, values[-1], task)):
        return member(name, values[-1], task)
    low, high = -1, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if allowed(member(name, values[middle], task)) else (low, middle)
    return None if low < 0 else member(name, values[low], task)


def smallest(name: str, task: Task) -> Member:
    """The least size of a family that still is one of it."""
    return member(name, members(name, task)[0], task)


@lru_cache(maxsize=512)
def members(name: str, task: Task) -> list[Any]:
    """Values of the sizes that can be built for the task, from small to large; those far below the published are left
    out where the family is known by its size."""
    made = family(name, task)
    values = list(made.labels)
    known = _known(name)
    least = 0.0 if known is None or known.params is None or name in BASELINES[task.modality] else known.params
    try:
        first = bisect_left(values, FEWEST_SHARE * least, key=lambda value: member(name, value, task).costs["params"])
    except SpaceError:  # not for an input of this size
        return []
    return values[first:]


@lru_cache(maxsize=4096)
def member(name: str, value: Any, task: Task) -> Member:
    """One size, counted. Raises `SpaceError` where it cannot be built."""
    made = family(name, task)
    size = made.size(value)
    costs = block_costs(size.tree, task.input)
    held = {cost: costs[cost] for cost in COSTS}
    return Member(f"{made.name}-{size.label}", name, held, size.published, made.citation, _known(name))


@lru_cache(maxsize=512)
def family(name: str, task: Task) -> Family:
    return MAKERS[name](task)


@lru_cache(maxsize=64)
def _known(name: str) -> Known | None:
    return next((one for one in load_knowledge().architectures if one.builder == name), None)


def _input_of(name: str) -> str:
    known = _known(name)
    return "" if known is None else known.input
