"""What a user asks of a search, checked before anything is read or written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nasturtium.errors import RunError, UserError, hint

T = TypeVar("T")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DEFAULT_BUDGET_S = 600.0
ACCELERATORS = ("auto", "cpu", "cuda")
CONTROLS = ("expected", "full")


@dataclass(frozen=True)
class SearchOptions:
    """Options of `search`; the command line and Python share them.

    source: see `nasturtium.data.load`. target, task, modality, group, time, split, drop, metric,
    image_size: likewise.
    limits: by name (params, macs, latency, memory, size), as text ("20k", "2ms", "256KB") or numbers.
    budget_s: seconds for everything, baselines and finalists included. trials: of the search. Default: ten minutes.
    objectives: what is optimised besides the metric (params, macs, memory, latency); gives a Pareto front. What goes on
        to the finalists is its best by the metric; others decide between equal scores only.
    space: name, "file.py:NAME", "file.json" or None for the default. strategy, scheduler: names, or "auto".
    proxies: zero-cost scores of untrained networks that `auto` may look at, by name (nwot, synflow …).
    seed: of everything. workers: processes that train, one thread each; None is the number of cores.
    device: where the network is to run: "this-machine", a class such as "microcontroller", a device by name, or one
        that is described, as `advise` takes it. What it holds becomes a limit where none as tight is given.
    control: "expected" (order statistics of the random trials) or "full" (random search for as many trials, for real).
    output: the run directory; None makes a new one under `runs/`.
    first: architectures to try early (`space`, `decisions`, `origin`), see `workflows.transfer`.
    """

    source: Any
    target: str | None = None
    task: str | None = None
    modality: str | None = None
    group: Any = None
    time: Any = None
    split: Any = None
    drop: Sequence[str] | None = None
    metric: str | None = None
    image_size: int | tuple[int, int] | None = None
    limits: Mapping[str, str | float] = field(default_factory=dict)
    budget_s: float | None = None
    trials: int | None = None
    objectives: tuple[str, ...] = ()
    space: Any = None
    strategy: str = "auto"
    scheduler: str = "auto"
    proxies: tuple[str, ...] = ()
    seed: int = 0
    workers: int | None = None
    device: str = "this-machine"
    accelerator: str = "auto"
    control: str = "expected"
    stop_on_plateau: bool = False
    output: str | None = None
    first: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        for name in ("objectives", "proxies", "first"):  # lists, where they have been JSON
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.budget_s is not None and not self.budget_s > 0:
            raise UserError(f"--budget is {self.budget_s:g} s: it must be above 0. Write --budget 3m, for instance.")
        if self.trials is not None and self.trials < 1:
            raise RunError(f"--trials is {self.trials}: at least 1 trial is needed.")
        if self.workers is not None and self.workers < 1:
            raise RunError(f"--workers is {self.workers}: at least 1 worker is needed.")
        if self.seed < 0:
            raise UserError(f"--seed is {self.seed}: it must be 0 or more.")
        known("accelerator", self.accelerator, ACCELERATORS)
        known("control", self.control, CONTROLS)

    @property
    def clock_s(self) -> float | None:
        """Seconds for everything; None when the search is bounded by trials alone."""
        if self.budget_s is None and self.trials is None:
            return DEFAULT_BUDGET_S
        return self.budget_s


def given_limits(**amounts: T | None) -> dict[str, T]:
    """The limits that are set, by name."""
    return {name: amount for name, amount in amounts.items() if amount is not None}


def known(option: str, value: str, names: tuple[str, ...]) -> None:
    """Raise unless `value` is one of `names`."""
    if value not in names:
        raise UserError(f"--{option} cannot be {value!r}. {hint(value, names)}")


def parse_duration(text: str | float) -> float:
    """Seconds of "90", "90s", "3m", "1h30m".

    >>> parse_duration("1h30m")
    5400.0
    """
    if isinstance(text, int | float):
        return float(text)
    parts = re.fullmatch(r"((?:\d+(?:\.\d+)?[smhd])+)|(\d+(?:\.\d+)?)", text.strip().lower())
    if parts is None:
        raise UserError(f"--budget {text!r} is not a duration. Write 90s, 3m or 1h30m.")
    if parts.group(2):
        return float(parts.group(2))
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)([smhd])", parts.group(1)))
