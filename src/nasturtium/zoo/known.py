"""Known networks: the baselines that a search has to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from nasturtium.blocks import Block
from nasturtium.blocks.counted import BYTES
from nasturtium.errors import LimitError, SpaceError, hint
from nasturtium.task import Task
from nasturtium.zoo import _networks as networks
from nasturtium.zoo import known_convnets as convnets
from nasturtium.zoo import known_mobile as mobile
from nasturtium.zoo import known_series as series
from nasturtium.zoo import known_transformers as transformers
from nasturtium.zoo._families import Family, Maker
from nasturtium.zoo._scale import counts_of

MAKERS: dict[str, Maker] = {
    "convnext-atto": convnets.convnext_atto,
    "convnext-tiny": convnets.convnext_tiny,
    "deit-small": transformers.deit_small,
    "deit-tiny": transformers.deit_tiny,
    "ds-cnn": networks.ds_cnn,
    "efficientnet-b0": mobile.efficientnet_b0,
    "efficientnet-lite0": mobile.efficientnet_lite0,
    "fcn": networks.fcn,
    "ft-transformer": transformers.ft_transformer,
    "gru": series.gru,
    "inceptiontime": series.inception_time,
    "lenet5": networks.lenet5,
    "linear": series.linear,
    "lstm": series.lstm,
    "mlp": networks.dense_mlp,
    "mobilenetv1": mobile.mobilenet_v1,
    "mobilenetv2": networks.mobilenet_v2,
    "mobilenetv3-large": mobile.mobilenet_v3_large,
    "mobilenetv3-small": mobile.mobilenet_v3_small,
    "mobilenetv4-conv-small": mobile.mobilenet_v4_conv_small,
    "regnetx-200mf": convnets.regnetx_200mf,
    "resnet-1d": networks.resnet_1d,
    "resnet18": convnets.resnet18,
    "resnet20": convnets.resnet20,
    "resnet50": convnets.resnet50,
    "resnet8": networks.resnet8,
    "tabular-resnet": networks.tabular_resnet,
    "tcn": series.tcn,
}
FOR_INPUT: dict[str, tuple[str, ...]] = {
    "image": (
        "linear", "lenet5", "ds-cnn", "resnet8", "resnet20", "mobilenetv3-small", "mobilenetv1", "mobilenetv2",
        "mobilenetv4-conv-small", "regnetx-200mf", "convnext-atto", "mobilenetv3-large", "efficientnet-lite0",
        "efficientnet-b0", "deit-tiny", "resnet18", "deit-small", "resnet50", "convnext-tiny",
    ),
    "sequence": ("linear", "ds-cnn", "gru", "lstm", "tcn", "fcn", "resnet-1d", "inceptiontime"),
    "table": ("linear", "mlp", "tabular-resnet", "ft-transformer"),
    "vector": ("linear", "mlp"),
}  # fmt: skip
"""The families for each kind of input, roughly from small to large."""
BASELINES: dict[str, tuple[str, ...]] = {
    "image": ("lenet5", "resnet8", "mobilenetv2", "ds-cnn"),
    "sequence": ("fcn", "resnet-1d", "ds-cnn"),
    "table": ("mlp", "tabular-resnet"),
    "vector": ("mlp",),
}
"""The families that every search has to beat: few, as each costs a training."""
WORDS = {"params": "params", "macs": "MACs", "memory": "bytes of live tensors"}


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
    """The known networks that are baselines for the task's kind of input, each family from small to large."""
    return tuple(
        _network(family, value)
        for family in (MAKERS[name](task) for name in BASELINES[task.modality])
        for value in family.labels
    )


def builders(task: Task) -> tuple[str, ...]:
    """Names of the families that `build_known` can make for the task's kind of input."""
    return FOR_INPUT[task.modality]


def build_known(
    name: str,
    task: Task,
    max_params: float | None = None,
    max_macs: float | None = None,
    max_memory: float | None = None,
) -> KnownNetwork:
    """A known network for a task: of the published size, or the largest below it that is within the limits.

    name: of a family (see `builders`; underscores are accepted). max_params: trainable numbers; max_macs: of one row;
    max_memory: peak bytes of live tensors. Raises `SpaceError` for an unknown name, or input of a kind that the family
    is not for, and `LimitError` where even its smallest size is above a limit.
    """
    key = name.lower().replace("_", "-")
    if key not in MAKERS:
        raise SpaceError(f"There is no known network {name!r}. {hint(key, MAKERS)}")
    if key not in FOR_INPUT[task.modality]:
        raise SpaceError(
            f"The known network {key} is not for input of the kind {task.modality!r}. "
            f"For that there are {', '.join(FOR_INPUT[task.modality])}."
        )
    family = MAKERS[key](task)
    bounds = {"params": max_params, "macs": max_macs, "memory": max_memory}
    limits = {cost: bound for cost, bound in bounds.items() if bound is not None}
    values = [value for value in family.labels if value <= family.published]
    low, high = -1, len(values) - 1
    if not limits or not _broken(family, values[high], task, limits):
        return _network(family, values[high])
    while high - low > 1:  # costs grow with the size: values[high] is too large, those up to values[low] are not
        middle = (low + high) // 2
        low, high = (low, middle) if _broken(family, values[middle], task, limits) else (middle, high)
    if low < 0:
        cost, value = _broken(family, values[0], task, limits)[0]
        raise LimitError(
            f"Even the smallest {key} for this task has {value:,.0f} {WORDS[cost]}, above the limit of "
            f"{limits[cost]:,.0f}. Raise the limit, or take a smaller family: {', '.join(builders(task)[:3])}."
        )
    return _network(family, values[low])


def _broken(family: Family, value: Any, task: Task, limits: Mapping[str, float]) -> list[tuple[str, float]]:
    """The costs of a size that are above their limits."""
    costs = asdict(counts_of(family.size(value).tree, task.input))
    return [(cost, costs[cost]) for cost, limit in limits.items() if costs[cost] > limit]


def _network(family: Family, value: Any) -> KnownNetwork:
    size = family.size(value)
    return KnownNetwork(f"{family.name}-{size.label}", family.name, size.tree, family.citation, size.published)


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
