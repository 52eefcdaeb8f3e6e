"""Who competes for the verdict: baselines, the best found, the best random."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nasturtium.classical import Classical
from nasturtium.hardware import Limits
from nasturtium.training import METRICS
from nasturtium.trial import History, Objective, Trial

Role = Literal["baseline", "found", "random"]


@dataclass(frozen=True)
class Contender:
    """One model in the comparison.

    subject: an architecture, a block tree (known network) or a `Classical` spec. measures: on the search's validation
    rows, costs included. broken: the limits that it violates, in words; such a one is shown, never shipped.
    epochs: fidelity of its trainings. seconds: of the training behind `measures`. begun: checkpoints of the comparison,
    one a seed, where the clock cut it: its final trainings go on from these. begun_epochs: passes behind them.
    """

    name: str
    role: Role
    subject: object
    measures: Mapping[str, float]
    broken: tuple[str, ...] = ()
    epochs: int = 1
    seconds: float = 0.0
    failure: str | None = None
    begun: tuple[str, ...] = ()
    begun_epochs: float = 0.0

    @property
    def ships(self) -> bool:
        return not self.broken and self.failure is None


def broken_limits(limits: Limits, measures: Mapping[str, float]) -> tuple[str, ...]:
    """What these costs violate, in words; costs that are not known yet are checked on the artefact."""
    return tuple(str(violation) for violation in limits.check(measures))


def ranked(trials: Iterable[Trial], metric: str, objectives: Sequence[Objective] = ()) -> list[Trial]:
    """Best first, by the metric at the highest fidelity; equal scores by the other objectives in their order, then
    log-loss, params and age."""
    scored = [trial for trial in trials if trial.scored and metric in trial.measures]
    sign = -1.0 if METRICS[metric].direction == "maximize" else 1.0

    def order(trial: Trial) -> tuple[float, ...]:
        measures = trial.measures
        return (
            -trial.fidelity.epochs,
            sign * measures[metric],
            *(goal.sign * measures[goal.name] for goal in objectives),
            measures.get("log-loss", 0.0),
            measures.get("params", 0.0),
            trial.number,
        )

    return sorted(scored, key=order)


def best_baseline(baselines: Iterable[Contender], metric: str, shipping: bool = True) -> Contender | None:
    """The baseline with the best validation score among those that may ship (or among all)."""
    sign = -1.0 if METRICS[metric].direction == "maximize" else 1.0
    able = [b for b in baselines if b.failure is None and metric in b.measures and (b.ships or not shipping)]
    return min(able, key=lambda b: (sign * b.measures[metric], b.measures.get("params", 0.0)), default=None)


def simpler_baseline(baselines: Iterable[Contender], than: Contender | None, metric: str) -> Contender | None:
    """The best simple model with fewer parameters than the baseline `than`: it ships where it is about as good.

    The trivial predictor is none: where too few rows show that anything is better, it would be an answer to nothing.
    """
    if than is None:
        return None
    most = than.measures.get("params", 0.0)
    return best_baseline([one for one in simple_models(baselines) if one.measures.get("params", most) < most], metric)


def simple_models(baselines: Iterable[Contender]) -> list[Contender]:
    """The simple models that may ship, without the trivial predictor."""
    return [
        one for one in baselines if one.ships and isinstance(one.subject, Classical) and one.subject.family != "trivial"
    ]


def quick_models(baselines: Iterable[Contender], room_s: float) -> list[Contender]:
    """The simple models that may ship and whose fits together take at most `room_s`, quickest first; in their order."""
    simple, quick = simple_models(baselines), set[str]()
    for one in sorted(simple, key=lambda one: one.seconds):
        room_s -= one.seconds
        if room_s >= 0:
            quick.add(one.name)
    return [one for one in simple if one.name in quick]


def compared_baselines(baselines: Sequence[Contender], metric: str, room_s: float) -> list[Contender]:
    """Who joins the finalists: the best baseline, the best simple model and the best with fewer parameters; every
    simple model that is quick together with the others (`room_s`), because the best on one set of validation rows may
    be the luckiest, and a network must not be measured against a lucky one only; and the best of all where that one is
    over a limit, to be shown."""
    best, best_of_all = best_baseline(baselines, metric), best_baseline(baselines, metric, shipping=False)
    wanted = (
        *quick_models(baselines, room_s),
        best_baseline(simple_models(baselines), metric),
        simpler_baseline(baselines, best, metric),
        best,
        None if best_of_all is None or best_of_all.ships else best_of_all,
    )
    return list({one.name: one for one in wanted if one is not None}.values())


def shortlist(history: History, metric: str, epochs: int, count: int) -> list[Contender]:
    """The best `count` distinct networks of the search, to be trained for `epochs`.

    By validation score alone: other objectives decide between equal scores, and have their say in the Pareto front.
    """
    chosen: dict[str, Trial] = {}
    for trial in ranked(history.trials, metric, history.objectives[1:]):
        if len(chosen) < count:
            chosen.setdefault(trial.architecture.arch_id, trial)
    return [_contender(f"found-{place + 1}", "found", trial, epochs) for place, trial in enumerate(chosen.values())]


def best_random(trials: Iterable[Trial], metric: str, epochs: int) -> Contender | None:
    """The best of the random control."""
    controls = ranked((trial for trial in trials if trial.origin == "random"), metric)
    return _contender("random", "random", controls[0], epochs) if controls else None


def _contender(name: str, role: Role, trial: Trial, epochs: int) -> Contender:
    return Contender(name, role, trial.architecture, trial.measures, epochs=epochs, seconds=trial.seconds)
