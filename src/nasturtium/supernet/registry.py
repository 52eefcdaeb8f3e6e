"""The one-shot searches by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from nasturtium.errors import RunError, hint
from nasturtium.roles import OneShot
from nasturtium.supernet.beta_darts import beta_darts
from nasturtium.supernet.bilevel import Bilevel
from nasturtium.supernet.darts import darts
from nasturtium.supernet.drnas import PROGRESSIVE, drnas
from nasturtium.supernet.eigenvalue import EarlyStop
from nasturtium.supernet.enas import Enas, MakePolicy
from nasturtium.supernet.fair_darts import fair_darts
from nasturtium.supernet.fairnas import FairNas
from nasturtium.supernet.gdas import gdas
from nasturtium.supernet.once_for_all import OnceForAll
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.pc_darts import pc_darts
from nasturtium.supernet.sandwich import BigNas
from nasturtium.supernet.snas import snas
from nasturtium.supernet.spos import Spos
from nasturtium.supernet.supernet import Supernet


@dataclass(frozen=True)
class Method:
    """A one-shot search, and the supernet that it wants: see there for `partial`, which is of the start."""

    trainer: OneShot[Supernet, SearchRows]
    partial: int = 1
    transforms: bool = False


GRADIENT: Mapping[str, Callable[[], Bilevel]] = MappingProxyType(
    {
        "darts": darts,
        "darts-second-order": lambda: darts(order=2),
        "darts-es": lambda: replace(darts(early_stop=EarlyStop()), name="DARTS-ES"),
        "gdas": gdas,
        "pc-darts": pc_darts,
        "drnas": drnas,
        "drnas-progressive": lambda: drnas(stages=PROGRESSIVE),
        "beta-darts": beta_darts,
        "fair-darts": fair_darts,
        "snas": snas,
    }
)
PATHS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {"spos": Spos, "fairnas": FairNas, "ofa": OnceForAll, "bignas": BigNas}
)
ONE_SHOT = (*GRADIENT, *PATHS, "enas")
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "darts-2": "darts-second-order",
        "r-darts": "darts-es",
        "pcdarts": "pc-darts",
        "betadarts": "beta-darts",
        "fairdarts": "fair-darts",
        "once-for-all": "ofa",
    }
)
MOST_SHARE = 16
"""A step takes at most one in so many of the rows of the weights, as small data would give few steps otherwise."""

PUBLISHED_ROWS, MOST_RATE = 50_000, 10.0
"""Rows of the published searches: those of CIFAR-10."""


def one_shot_name(name: str) -> str | None:
    """The name in `ONE_SHOT` that a user means; None if it is no one-shot search."""
    key = name.lower().replace("_", "-")
    key = ALIASES.get(key, key)
    return key if key in ONE_SHOT else None


def one_shot(name: str, rows: int, policy: MakePolicy) -> Method:
    """The search of this name. By gradients: with its published settings; on few rows batches are smaller, and the rate
    of the architecture is up to `MOST_RATE` times larger, because there are fewer steps in which it could move. By
    paths: with its published draws, phases and evolution; the shared weights are trained by the task's own recipe, as
    those of the papers are made for ImageNet (`Spos.original()` and the like have them).

    rows: that train. policy: makes ENAS its controller. Raises `RunError` for an unknown name.
    """
    key = one_shot_name(name)
    if key is None:
        raise RunError(f"There is no one-shot search {name!r}. {hint(name, ONE_SHOT)}")
    if key == "enas":
        return Method(Enas(policy))
    if key in PATHS:
        return Method(PATHS[key](), transforms=key == "ofa")
    search = GRADIENT[key]()

    def steps(of: int, batch: int) -> int:
        """Of an epoch."""
        return max(1, round(of * search.settings.train_share) // batch)

    most = max(8, round(rows * search.settings.train_share) // MOST_SHARE)
    batch = min(search.settings.batch_size, most)
    faster = min(MOST_RATE, max(1.0, steps(PUBLISHED_ROWS, search.settings.batch_size) / steps(rows, batch)))
    settings = replace(search.settings, batch_size=batch, arch_lr=faster * search.settings.arch_lr)
    return Method(replace(search, settings=settings), search.stages[0].partial)
