"""The proxies by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from nasturtium.errors import hint
from nasturtium.proxies._passes import Passes
from nasturtium.proxies.az_nas import AZ_NAS, az_nas
from nasturtium.proxies.epe_nas import epe_nas
from nasturtium.proxies.fisher import fisher
from nasturtium.proxies.grad_norm import grad_norm
from nasturtium.proxies.grasp import grasp
from nasturtium.proxies.jacov import jacov
from nasturtium.proxies.l2_norm import l2_norm
from nasturtium.proxies.nwot import nwot
from nasturtium.proxies.plain import plain
from nasturtium.proxies.size import macs, params
from nasturtium.proxies.snip import snip
from nasturtium.proxies.synflow import synflow
from nasturtium.proxies.zen import zen
from nasturtium.proxies.zico import zico
from nasturtium.task import Task

Cost = Literal["counted", "forward", "backward", "second-order"]


@dataclass(frozen=True)
class Proxy:
    """A score of an untrained network.

    cost: what it needs when it is measured alone: nothing but counting, forward passes, a backward pass too, or
    second derivatives. higher_is_better: as published. classes: needs a classification task. second_batch: needs one.
    """

    name: str
    paper: str
    cost: Cost
    score: Callable[[Passes], float]
    higher_is_better: bool = True
    classes: bool = False
    second_batch: bool = False

    def turned(self, score: float) -> float:
        """So that more is better."""
        return score if self.higher_is_better else -score


ABDELFATTAH = "Abdelfattah et al. 2021, arXiv:2101.08134"
AZ_PAPER = "Lee and Ham 2024, AZ-NAS, arXiv:2403.19232"


def _part(name: str) -> Callable[[Passes], float]:
    def score(passes: Passes) -> float:
        return float(getattr(passes.once(az_nas), name))

    return score


_ALL = (
    Proxy("params", "trainable numbers", "counted", params),
    Proxy("macs", "multiply-accumulates of one row", "counted", macs),
    Proxy("l2_norm", ABDELFATTAH, "counted", l2_norm),
    Proxy("grad_norm", ABDELFATTAH, "backward", grad_norm),
    Proxy("snip", "Lee et al. 2019, arXiv:1810.02340", "backward", snip),
    # Published correlations with accuracy are negative on every table of NAS-Bench-Suite-Zero's cells.
    Proxy("plain", ABDELFATTAH, "backward", plain, higher_is_better=False),
    Proxy("fisher", "Theis et al. 2018, arXiv:1801.05787", "backward", fisher),
    Proxy("grasp", "Wang et al. 2020, arXiv:2002.07376", "second-order", grasp),
    Proxy("synflow", "Tanaka et al. 2020, arXiv:2006.05467", "backward", synflow),
    Proxy("jacov", "Mellor et al. 2020, arXiv:2006.04647v1", "backward", jacov),
    Proxy("epe_nas", "Lopes et al. 2021, arXiv:2102.08099", "backward", epe_nas, classes=True),
    Proxy("nwot", "Mellor et al. 2021, arXiv:2006.04647", "forward", nwot),
    Proxy("zen", "Lin et al. 2021, arXiv:2102.01063", "forward", zen),
    Proxy("zico", "Li et al. 2023, arXiv:2301.11300", "backward", zico, second_batch=True),
    Proxy("expressivity", AZ_PAPER, "forward", _part("expressivity")),
    Proxy("progressivity", AZ_PAPER, "forward", _part("progressivity")),
    Proxy("trainability", AZ_PAPER, "backward", _part("trainability")),
    Proxy("complexity", AZ_PAPER, "counted", macs),
)

PROXIES: Mapping[str, Proxy] = MappingProxyType({proxy.name: proxy for proxy in _ALL})

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"az_nas": AZ_NAS, "naswot": ("nwot",), "zenscore": ("zen",), "l2": ("l2_norm",), "jacob_cov": ("jacov",)}
)
"""Other names, and names of several."""


def members(name: str) -> tuple[str, ...]:
    """The proxies of this name, one or those of a group; none where there is no such. Hyphens count as underscores."""
    key = _key(name)
    return GROUPS.get(key, (key,) if key in PROXIES else ())


def unsuited(proxy: Proxy, task: Task) -> str | None:
    """Why a proxy says nothing on networks for this task, and what to do; None where it does."""
    if proxy.classes and task.kind != "classification":
        return (
            f"{proxy.name} compares rows of one class, so it needs a classification task, not {task.kind}. Leave it "
            "out, or take jacov."
        )
    return None


def nearest(name: str) -> str:
    """For a message: names that are like an unknown one."""
    return hint(_key(name), [*PROXIES, *GROUPS])


def _key(name: str) -> str:
    return name.lower().replace("-", "_")
