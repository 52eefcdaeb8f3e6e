"""Who competes for the verdict: baselines, the best found, the best random."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nasturtium.hardware import Limits
from nasturtium.training import METRICS
from nasturtium.trial import History, Trial

Role = Literal["baseline", "found", "random"]


@dataclass(frozen=True)
class Contender:
    """One model in the comparison.

    subject: an architecture, a block tree (known network) or a `Classical` spec. measures: on the search's validation
    rows, costs included. broken: names of the limits that it violates; such a one is shown, never shipped.
    epochs: fidelity of its trainings. note: what a reader must know (a subsample), or empty.
    """

    name: str
    role: Role
    subject: object
    measures: Mapping[str, float]
    broken: tuple[str, ...] = ()
    epochs: int = 1
    failure: str | None = None
    note: str = ""

    @property
    def ships(self) -> bool:
        return not self.broken and self.failure is None


def broken_limits(limits: Limits, measures: Mapping[str, float]) -> tuple[str, ...]:
    """Names of the limits that these costs violate; costs that are not known yet are checked on the artefact."""
    return tuple(violation.name for violation in limits.check(measures))


def ranked(trials: Iterable[Trial], metric: str) -> list[Trial]:
    """Best first, by the metric at the highest fidelity; equal scores by log-loss, then params, then age."""
    scored = [trial for trial in trials if trial.scored and metric in trial.measures]
    sign = -1.0 if METRICS[metric].direction == "maximize" else 1.0

    def order(trial: Trial) -> tuple[float, ...]:
        measures = trial.measures
        return (
            -trial.fidelity.epochs,
            sign * measures[metric],
            measures.get("log-loss", 0.0),
            measures.get("params", 0.0),
            trial.number,
        )

    return sorted(scored, key=order)


@dataclass(frozen=True)
class Field:
    """Everyone who competes. found: best first, at most a few. baselines: all, best first within their kind."""

    found: tuple[Contender, ...]
    random: Contender | None
    baselines: tuple[Contender, ...]
    history: History = field(repr=False)


def best_baseline(baselines: Iterable[Contender], metric: str, shipping: bool = True) -> Contender | None:
    """The baseline with the best validation score among those that may ship (or among all)."""
    sign = -1.0 if METRICS[metric].direction == "maximize" else 1.0
    able = [b for b in baselines if b.failure is None and metric in b.measures and (b.ships or not shipping)]
    return min(able, key=lambda b: (sign * b.measures[metric], b.measures.get("params", 0.0)), default=None)


def finalists_of(history: History, metric: str, found_count: int) -> tuple[list[Contender], Contender | None]:
    """The best `found_count` distinct networks of the search, and the best of the random control if it is none of them."""
    trials = ranked(history.trials, metric)
    chosen: dict[str, Trial] = {}
    for trial in trials:
        if len(chosen) < found_count:
            chosen.setdefault(trial.architecture.arch_id, trial)
    found = [_contender(f"found-{k + 1}", "found", trial) for k, trial in enumerate(chosen.values())]
    controls = [trial for trial in trials if trial.origin == "random"]
    if not controls or controls[0].architecture.arch_id in chosen:
        return found, None
    return found, _contender("random", "random", controls[0])


def _contender(name: str, role: Role, trial: Trial) -> Contender:
    return Contender(name, role, trial.architecture, trial.measures, epochs=trial.fidelity.epochs)
