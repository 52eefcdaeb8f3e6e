"""Known networks: the baselines that a search has to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from nasturtium.blocks import Block
from nasturtium.blocks.counted import BYTES
from nasturtium.errors import SpaceError
from nasturtium.task import Task
from nasturtium.zoo import _networks as networks
from nasturtium.zoo._scale import counts_of


@dataclass(frozen=True)
class KnownNetwork:
    """A network from the literature, for one task. published: is it of the size that was published?"""

    name: str
    family: str
    tree: Block
    citation: str
    published: bool = False


class Checking(Protocol):
    """What is needed of limits here: `hardware.Limits` has it."""

    def check(self, costs: Mapping[str, float]) -> Sequence[Any]:
        """The violations; empty where the costs are within the limits."""
        ...


def known_networks(task: Task) -> tuple[KnownNetwork, ...]:
    """Every known network for the task's kind of input, each family from small to large."""
    made = {
        "image": (networks.lenet5, networks.resnet8, networks.mobilenet_v2, networks.ds_cnn),
        "sequence": (networks.fcn, networks.resnet_1d, networks.ds_cnn),
        "table": (networks.dense_mlp, networks.tabular_resnet),
        "vector": (networks.dense_mlp,),
    }[task.modality]
    return tuple(
        KnownNetwork(f"{family.name}-{size.label}", family.name, size.tree, family.citation, size.published)
        for family in (make(task) for make in made)
        for size in family.sizes
    )


def within(known: Sequence[KnownNetwork], limits: Checking, task: Task) -> tuple[KnownNetwork, ...]:
    """The largest member (by params) of each family that is inside the limits; families without one are left out.

    Where everything fits, the published size is taken. Networks that cannot be applied to the task's input are left
    out, too. Counted are params, MACs, peak memory and the file's numbers; a latency is measured later.
    """
    chosen: dict[str, tuple[int, KnownNetwork]] = {}
    refused: set[str] = set()
    for network in known:
        try:
            counts = counts_of(network.tree, task.input)
        except SpaceError:
            continue
        if limits.check({**asdict(counts), "size": counts.params * BYTES}):
            refused.add(network.family)
        elif counts.params >= chosen.get(network.family, (0, network))[0]:
            chosen[network.family] = (counts.params, network)
    standard = {network.family: network for network in known if network.published}
    return tuple(
        network if family in refused or family not in standard else standard[family]
        for family, (_, network) in chosen.items()
    )
