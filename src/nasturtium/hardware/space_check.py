"""Is a space worth searching under these limits? Bounds, samples, and what in it can never be of use."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from nasturtium.errors import SpaceError
from nasturtium.hardware.costs import COUNTED, CostModel, unbuildable
from nasturtium.hardware.limits import Limits, shown
from nasturtium.space import Space

WIDTH = 80
MOST_LISTED = 64
"""Numbers with more values than this are not asked value by value whether they can meet the limits."""


@dataclass(frozen=True)
class CostRange:
    """One cost over the space. least, greatest: its bounds. low, median, high: of the samples."""

    name: str
    least: int
    greatest: int
    low: float
    median: float
    high: float
    limit: float | None

    @property
    def reachable(self) -> bool:
        return self.limit is None or self.least <= self.limit


@dataclass(frozen=True)
class SpaceCheck:
    """What was found. share: of the samples within the counted limits. unbuildable: of the samples. dead: decisions
    with a single value, or live in no sample. useless: (path, value) of choices that can never meet the limits."""

    space: str
    size: int | None
    decisions: int
    samples: int
    exact: bool
    costs: tuple[CostRange, ...]
    share: float
    unbuildable: float
    dead: tuple[str, ...]
    useless: tuple[tuple[str, str], ...]
    unchecked: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Can the limits be met?"""
        return all(cost.reachable for cost in self.costs)

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"ok": self.ok}, indent=2)

    def lines(self) -> list[str]:
        """For the terminal, 80 columns wide at most."""
        size = "endless" if self.size is None else _count(self.size)
        lines = [f"Space {self.space}: {self.decisions} decisions, {size} architectures", ""]
        head = f"{'cost':<12}{'least':>10}{'greatest':>10} |{'low':>10}{'median':>10}{'high':>10}{'limit':>11}"
        lines += [head, "-" * len(head)]
        for cost in self.costs:
            numbers = [
                shown(cost.name, value) for value in (cost.least, cost.greatest, cost.low, cost.median, cost.high)
            ]
            limit = "" if cost.limit is None else shown(cost.name, cost.limit)
            left, right = numbers[:2], numbers[2:]
            lines.append(
                f"{cost.name:<12}{''.join(f'{n:>10}' for n in left)} |{''.join(f'{n:>10}' for n in right)}{limit:>11}"
            )
        kind = "exact" if self.exact else "bounds that may not be reached"
        lines += ["", f"least, greatest: {kind}; low, median, high: of {self.samples:,} samples."]
        lines.append(f"{self.share:.0%} of the samples are within the limits.")
        if self.unbuildable:
            lines.append(f"{self.unbuildable:.0%} of the samples cannot be built for this input.")
        for cost in self.costs:
            if not cost.reachable and cost.limit is not None:
                least = f"the least is {cost.least:,}"
                lines.append(f"Nothing meets the limit of {shown(cost.name, cost.limit)} {cost.name}: {least}.")
        lines += [
            f"The limit on {name} is measured while searching; it is not checked here." for name in self.unchecked
        ]
        lines += _listed("Decisions that decide nothing:", self.dead)
        lines += _listed(
            "Choices that can never meet the limits:", [f"{path} = {value}" for path, value in self.useless]
        )
        return [line if len(line) <= WIDTH else line[: WIDTH - 2] + " …" for line in lines]


def check_space(space: Space, limits: Limits, samples: int = 1000, seed: int = 0) -> SpaceCheck:
    """Bounds of every counted cost, costs of seeded samples, and what the limits make of the choices.

    Raises `SpaceError` for a space whose costs cannot be counted, or in which nothing can be built.
    """
    model = CostModel(space)
    bounds = model.bounds()
    if bounds is None:
        raise SpaceError(unbuildable(space, model))
    rows = space.sample_codes(np.random.default_rng(seed), samples)
    found: list[dict[str, int]] = []
    for codes in rows:
        try:
            found.append(model.of_codes(codes))
        except SpaceError:
            continue
    limit = dict(limits.items())
    ranges = tuple(
        CostRange(name, bounds.low[name], bounds.high[name], *_spread([one[name] for one in found]), limit.get(name))
        for name in COUNTED
    )
    return SpaceCheck(
        space=space.name,
        size=space.size,
        decisions=len(space.decisions),
        samples=samples,
        exact=bounds.exact,
        costs=ranges,
        share=sum(not limits.check(one) for one in found) / max(samples, 1),
        unbuildable=1 - len(found) / max(samples, 1),
        dead=_dead(space, rows),
        useless=_useless(model, limits) if all(cost.reachable for cost in ranges) else (),
        unchecked=tuple(name for name in limit if name not in COUNTED),
    )


def _spread(values: Sequence[int]) -> tuple[float, float, float]:
    if not values:
        return float("nan"), float("nan"), float("nan")
    return float(min(values)), float(np.median(values)), float(max(values))


def _dead(space: Space, rows: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """Decisions with a single value, and those that no sample has live."""
    live = np.asarray(rows).reshape(len(rows), len(space.decisions)).max(axis=0, initial=-1) >= 0
    return tuple(
        named.path for named in space.decisions if named.decision.size == 1 or (len(rows) and not live[named.index])
    )


def _useless(model: CostModel, limits: Limits) -> tuple[tuple[str, str], ...]:
    """Values with which even the least cost is above a limit."""
    limited = [(name, limit) for name, limit in limits.items() if name in COUNTED]
    useless = []
    for named in model.space.decisions if limited else ():
        for code in range(named.decision.size) if named.decision.size <= MOST_LISTED else ():
            bounds = model.bounds({named.index: code}, tuple(name for name, _ in limited))
            if bounds is None or any(bounds.low[name] > limit for name, limit in limited):
                useless.append((named.path, str(named.decision.value(code))))
    return tuple(useless)


def _listed(title: str, items: Sequence[str], most: int = 12) -> list[str]:
    if not items:
        return []
    rest = [f"  … and {len(items) - most} more"] if len(items) > most else []
    return [title, *(f"  {item}" for item in items[:most]), *rest]


def _count(size: int) -> str:
    """A big number, short: 12,345 or 4.17e+19."""
    return f"{size:,}" if size < 10**9 else f"{size:.3g}"
