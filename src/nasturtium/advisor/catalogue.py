"""Networks that can be built for a task, counted once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from nasturtium.advisor.knowledge import Known, load_knowledge
from nasturtium.blocks import Block
from nasturtium.errors import SpaceError
from nasturtium.hardware.costs import block_costs
from nasturtium.task import Task
from nasturtium.zoo import known_networks

COSTS = ("params", "macs", "memory", "size")


@dataclass(frozen=True)
class Member:
    """A known network of one size, for one task. costs: counted on one row of the data. published: of the size that was
    published? known: its entry in the knowledge base, where there is one."""

    name: str
    family: str
    tree: Block
    costs: Mapping[str, int]
    published: bool
    citation: str
    known: Known | None


@lru_cache(maxsize=64)
def catalogue(task: Task) -> tuple[Member, ...]:
    """Every known network that can be built for the task, each family from small to large."""
    entries = {one.builder: one for one in reversed(load_knowledge().architectures) if one.builder is not None}
    found = []
    for network in known_networks(task):
        try:
            costs = block_costs(network.tree, task.input)
        except SpaceError:  # not for an input of this size
            continue
        held = {name: costs[name] for name in COSTS}
        entry = entries.get(network.family)
        found.append(
            Member(network.name, network.family, network.tree, held, network.published, network.citation, entry)
        )
    return tuple(found)
