"""Zero-cost proxies of a search's own trials, in the time that there is."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from jaxtyping import Float, Int
from torch import nn

from nasturtium.blocks import construct, deployed
from nasturtium.data import Development
from nasturtium.errors import RunError
from nasturtium.evaluators import lowered
from nasturtium.predictors.correlation import LEAST_TRIALS
from nasturtium.proxies import AZ_NAS, PROXIES, Batch, log_rank_aggregate, measure
from nasturtium.proxies.measure import resolve
from nasturtium.space import Architecture
from nasturtium.task import Task
from nasturtium.training import seeded

COSTS = ("counted", "forward", "backward", "second-order")
"""From cheap to dear."""
COUNTED = ("params", "macs", *AZ_NAS)
"""Not shown as proxies: the first two are what proxies are compared with, the others are parts of az_nas."""
PARTS = tuple(name for name in AZ_NAS if name != "complexity")
"""Of az_nas, measured; its complexity is MACs, which are known."""

TRIES = 2.0
"""Times what one network may take: so long proxies are tried, those that turn out too slow among them."""
NO_TIME = "no time for it in the part of the budget that this may take"
Values = Float[np.ndarray, " trials"]
ROWS = 64
ROOM = 2**26
"""Activations that a batch may have: second derivatives hold about eight tensors for each, so 2 GB."""


def drawn_batch(development: Development, activations: float, seed: int) -> Batch:
    """Training rows of the search for proxies. activations: of one row, in the largest network that is measured."""
    return Batch.draw(development, min(ROWS, max(2, int(ROOM // max(1.0, activations)))), seed)


def untrained(architecture: Architecture, task: Task, seed: int) -> nn.Module:
    """The network of a trial as it was before its training, without what stands before and behind it."""
    with seeded(seed):
        return construct(deployed(lowered(architecture, task), task)).get_submodule("network")


@dataclass
class Scores:
    """What was worked out. values: of each trial, more is better, NaN where it was not worked out. seconds: of all.
    left_out: why others were not. broken: names of those among them that raised an error nobody had foreseen."""

    values: dict[str, Values] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def drop(self, name: str, error: Exception) -> None:
        """Leave a score out that could not be worked out."""
        self.left_out[name] = f"{type(error).__name__}: {error}"
        self.broken.append(name)
        self.seconds.pop(name, None)


def proxy_scores(
    networks: Sequence[Callable[[], nn.Module]],
    macs: Values,
    order: Int[np.ndarray, " k"],
    batch: Batch,
    seed: int,
    room_s: float,
) -> Scores:
    """Every proxy that the task allows, and az_nas joined from its parts by ranks.

    networks: makes each trial's network, untrained. macs: of each. order: numbers of those to measure, one after the
    other: at least 10, then as many as `room_s` seconds have room for (inf: all). Each proxy is timed on the first
    network, cheap ones first; those that ten networks would not leave time for are left out. `seconds` are worked out
    from that network, where each is measured alone; afterwards they share their passes.
    """
    began, found = perf_counter(), Scores()
    first = networks[order[0]]()
    _try(found, first, batch, seed, room_s / LEAST_TRIALS)
    measured: dict[int, dict[str, float]] = {}
    for place, row in enumerate(order):
        if not found.seconds or (place >= LEAST_TRIALS and perf_counter() - began > room_s):
            break
        measured[int(row)] = _measured(found, first if place == 0 else networks[row](), batch, seed)
    found.seconds = {name: seconds * len(measured) for name, seconds in found.seconds.items()}
    found.values = {name: _column(name, measured, macs) for name in found.seconds}
    return found


def _proxies() -> list[str]:
    """Names from cheap to dear."""
    names = [name for name in PROXIES if name not in COUNTED]
    dearest = {name: COSTS.index(PROXIES[name].cost) for name in names} | {"az_nas": COSTS.index("backward")}
    return sorted(dearest, key=lambda name: dearest[name])


def _try(found: Scores, network: nn.Module, batch: Batch, seed: int, room_s: float) -> None:
    """Time each proxy on one network; leave out what cannot be worked out, and what there is no room for."""
    with suppress(Exception):  # the first pass is slower than the others; what is wrong with it shows below
        measure(network, batch, ["nwot"], seed)
    needed, tried = 0.0, 0.0
    for name in _proxies():
        try:
            resolve(_parts([name]), batch)
        except RunError as error:
            found.left_out[name] = str(error)
            continue
        if tried >= TRIES * room_s:
            found.left_out[name] = NO_TIME
            continue
        began = perf_counter()
        try:
            measure(network, batch, _parts([name]), seed)
        except Exception as error:
            found.drop(name, error)
        seconds = perf_counter() - began
        tried += seconds
        if name in found.left_out:
            continue
        if needed + seconds > room_s:
            found.left_out[name] = NO_TIME
        else:
            needed += seconds
            found.seconds[name] = seconds


def _measured(found: Scores, network: nn.Module, batch: Batch, seed: int) -> dict[str, float]:
    """Of one network, sharing passes. A proxy that fails is left out from there on."""
    with suppress(Exception):
        return measure(network, batch, _parts(found.seconds), seed)
    scores: dict[str, float] = {}
    for name in list(found.seconds):
        try:
            scores |= measure(network, batch, _parts([name]), seed)
        except Exception as error:
            found.drop(name, error)
    return scores


def _parts(names: Iterable[str]) -> list[str]:
    """What to measure for these scores."""
    return [part for name in names for part in (PARTS if name == "az_nas" else (name,))]


def _column(name: str, measured: dict[int, dict[str, float]], macs: Values) -> Values:
    """A score of all trials, turned so that more is better."""
    values, rows = np.full(len(macs), np.nan), list(measured)
    if name == "az_nas":
        parts = {part: np.array([measured[row][part] for row in rows]) for part in PARTS}
        values[rows] = log_rank_aggregate({**parts, "complexity": macs[rows]})
    else:
        values[rows] = [PROXIES[name].turned(measured[row][name]) for row in rows]
    return _finite(values)


def _finite(values: Values) -> Values:
    """Infinite scores, such as the logarithm of a volume of zero, at the ends of the others: only ranks count."""
    known = values[np.isfinite(values)]
    if not len(known):
        return values
    low, high = float(known.min()), float(known.max())
    beyond = 0.01 * (high - low) or 1.0
    return np.clip(values, low - beyond, high + beyond)
