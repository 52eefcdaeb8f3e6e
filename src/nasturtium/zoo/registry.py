"""Ready spaces by name, and which one suits a task."""

from collections.abc import Callable
from typing import Protocol

from nasturtium.errors import SpaceError, hint
from nasturtium.space import Space
from nasturtium.task import Task
from nasturtium.zoo.conv_macro import conv_macro
from nasturtium.zoo.darts import darts
from nasturtium.zoo.ft_transformer import ft_transformer
from nasturtium.zoo.hybrid import hybrid
from nasturtium.zoo.nasbench201 import nasbench201
from nasturtium.zoo.nasnet import nasnet
from nasturtium.zoo.tabular import mlp, tabular
from nasturtium.zoo.vit import vit


class Bounded(Protocol):
    """What is needed of limits here: `hardware.Limits` has it."""

    @property
    def params(self) -> float | None: ...

    @property
    def macs(self) -> float | None: ...

    @property
    def size(self) -> float | None: ...


Maker = Callable[[Task, float | None, float | None], Space]

SPACES: dict[str, Maker] = {
    "conv-macro": lambda task, params, macs: conv_macro(task, max_params=params, max_macs=macs),
    "darts": lambda task, params, macs: darts(task, max_params=params, max_macs=macs),
    "ft-transformer": lambda task, params, macs: ft_transformer(task, max_params=params, max_macs=macs),
    "hybrid": lambda task, params, macs: hybrid(task, max_params=params, max_macs=macs),
    "mlp": lambda task, params, macs: mlp(task, max_params=params, max_macs=macs),
    "nasbench201": lambda task, params, macs: nasbench201(task),
    "nasnet": lambda task, params, macs: nasnet(task, max_params=params, max_macs=macs),
    "tabular": lambda task, params, macs: tabular(task, max_params=params, max_macs=macs),
    "vit": lambda task, params, macs: vit(task, max_params=params, max_macs=macs),
}
"""Makers of ready spaces: (task, most params or None, most MACs or None) to a space."""

DEFAULTS = {"image": "conv-macro", "sequence": "conv-macro", "table": "tabular", "vector": "mlp"}

FILE_SHARE = 0.8
"""Part of a small ONNX file that is numbers; the rest is the description of the nodes."""


def ready_space(name: str, task: Task, limits: Bounded | None = None) -> Space:
    """The ready space of that name (underscores are accepted), for a task, with widths that suit the limits.

    Raises `SpaceError` for an unknown name, with the nearest ones, and for a task that the space is not for.
    """
    key = name.lower().replace("_", "-")
    if key not in SPACES:
        raise SpaceError(f"There is no ready space {name!r}. {hint(key, SPACES)}")
    return SPACES[key](task, _most_params(limits), None if limits is None else limits.macs)


def default_space(task: Task, limits: Bounded | None = None) -> tuple[Space, str]:
    """The space that suits a task and limits, and one sentence on why."""
    name = DEFAULTS[task.modality]
    space = ready_space(name, task, limits)
    shape = "x".join(map(str, task.input.shape))
    what = {"image": f"images of {shape}", "sequence": f"sequences of {shape}", "table": "a table", "vector": "vectors"}
    why = f"The space {name} suits {what[task.modality]}"
    if limits is not None and any(bound is not None for bound in (limits.params, limits.macs, limits.size)):
        why += "; its widths were scaled to the limits"
    return space, why + "."


def _most_params(limits: Bounded | None) -> float | None:
    """Params that limits on params and on the file's size leave room for."""
    if limits is None:
        return None
    bounds = [limits.params, None if limits.size is None else limits.size / 4 * FILE_SHARE]
    return min((bound for bound in bounds if bound is not None), default=None)
