"""The search itself: space, candidates, strategy, scheduler and study put together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isinf
from statistics import median

from nasturtium.hardware import CostModel, LimitedCandidates, Limits, shown
from nasturtium.protocol import Contender, ranked
from nasturtium.roles import Scheduler, Strategy
from nasturtium.schedulers import scheduler
from nasturtium.space import Space
from nasturtium.strategies import auto, strategy
from nasturtium.study import JournalStore, Study, run_study
from nasturtium.training import METRICS
from nasturtium.trial import History, Objective
from nasturtium.workflows.baselines import Speed, full_s, measured_speed
from nasturtium.workflows.session import Session
from nasturtium.workflows.spaces import find_space

COST_NAMES = {"latency": "latency_ms"}
DEFAULT_TRIALS = 100
WANTED_TRIALS = 48
"""Trials that a clock should have room for: fewer tell a strategy little."""
LEAST_EPOCHS = 4
PATIENCE = 2.5
"""A trial may take so many times as long as a typical one; then its schedule is shortened."""
MOST_KEPT = 0.65
"""Of what is left when the search begins, at most so much is kept for finalists, final trainings and files."""
AMPLE_MACS = 1e8
CUT_EPOCHS = 9
"""Adaptive schedulers begin with this fraction of a full training."""


@dataclass(frozen=True)
class Searched:
    """What the search left. sentence: why it ended. chosen_by: why this space, strategy and scheduler."""

    space: Space
    history: History
    strategy: str
    scheduler: str
    chosen_by: tuple[str, ...]
    interrupted: bool


def run_search(session: Session, baselines: Sequence[Contender]) -> Searched:
    """Search until the budget is used up, keeping what finalists and files need.

    The time that the known networks took says what the clock allows.
    """
    speed = measured_speed(baselines)
    limits, reasons = _affordable(session, speed)
    space, why_space = find_space(session.options.space, session.task, limits)
    candidates = LimitedCandidates(space, CostModel(space), limits)
    length = trial_length(session, speed)
    chosen, why_strategy = _strategy(session, space, length)
    schedule, why_scheduler = _scheduler(session, length)
    study = Study(
        strategy=chosen,
        control=strategy("random"),
        scheduler=schedule,
        candidates=candidates,
        objectives=objectives_of(session),
        seed=session.options.seed,
        trials=session.options.trials,
        seconds_left=None if session.clock.budget_s is None else lambda: length.search_end_s - session.clock.seconds,
        trial_deadline_s=None if isinf(length.seconds) else session.deadline(PATIENCE * length.seconds),
        checkpoints=session.folder.checkpoints,
        stop_on_plateau=session.options.stop_on_plateau,
    )
    with JournalStore(session.folder.journal, study.identity, space) as store:
        history = run_study(study, session.executor, store, session.listen)
    return Searched(
        space,
        history,
        chosen.name,
        schedule.name,
        (*reasons, why_space, why_strategy, why_scheduler),
        interrupted=any(trial.failure == "interrupted" for trial in history.trials),
    )


def objectives_of(session: Session) -> tuple[Objective, ...]:
    """The metric first, then what the user added."""
    metric = session.task.metric
    extra = [COST_NAMES.get(name, name) for name in session.options.objectives if name != metric]
    return (Objective(metric, METRICS[metric].direction), *(Objective(name, "minimize") for name in extra))


@dataclass(frozen=True)
class Length:
    """epochs: of a trial. seconds: that a typical one takes, infinite without a clock. trials: expected.
    search_end_s: when the search must end, on the run's clock."""

    epochs: int
    seconds: float
    trials: int
    search_end_s: float


def trial_length(session: Session, speed: Speed | None) -> Length:
    """Trials of full length where enough of them fit the clock; else as short as they must be for that.

    A short schedule that anneals to the end ranks networks well; the finalists get full trainings in any case.
    """
    full, plan, options = session.recipe.epochs, session.plan, session.options
    if session.clock.budget_s is None:
        return Length(full, inf, options.trials or DEFAULT_TRIALS, inf)
    typical_s = speed.full_s if speed is not None else plan.trial_s
    left = session.clock.left_s
    kept = min(plan.reserve_s(typical_s), MOST_KEPT * left)
    room = (left - kept) * plan.workers
    seconds = min(typical_s, room / (options.trials or WANTED_TRIALS))
    epochs = max(min(full, LEAST_EPOCHS), min(full, round(full * seconds / typical_s)))
    expected = max(1, round(room / max(seconds, typical_s * epochs / full)))
    return Length(epochs, seconds, options.trials or expected, session.clock.seconds + left - kept)


def _affordable(session: Session, speed: Speed | None) -> tuple[Limits, Sequence[str]]:
    """The user's limits, and a bound on MACs where the clock cannot train slower networks even half-way."""
    limits = session.limits
    bound = inf if speed is None else 2 * speed.macs_a_second * session.plan.final_s
    if isinf(bound) or bound >= (limits.macs or AMPLE_MACS):
        return limits, ()
    sentence = (
        f"Only networks of at most {shown('macs', bound)} MACs were searched, because slower ones cannot be trained "
        "within the budget; a longer --budget allows more."
    )
    session.remark(sentence)
    return replace(limits, macs=bound), (sentence,)


def _strategy(session: Session, space: Space, length: Length) -> tuple[Strategy, str]:
    wanted = session.options.strategy
    if wanted.lower() == "auto":
        return auto(space, length.trials, 1 + len(session.options.objectives))
    return strategy(wanted, length.trials), f"The strategy {wanted} was asked for."


def _scheduler(session: Session, length: Length) -> tuple[Scheduler, str]:
    full, name = session.recipe.epochs, session.options.scheduler
    if name.lower() != "auto":
        least = max(1, full // CUT_EPOCHS)
        return scheduler(name, max_epochs=full, min_epochs=least), f"The scheduler {name} was asked for."
    if length.epochs == full:
        return scheduler("full", max_epochs=full), "Full trainings fit the budget, so every trial gets one."
    return scheduler("full", max_epochs=length.epochs), (
        f"Trials train for {length.epochs} of {full} epochs, so that about {length.trials} of them fit the budget; "
        "finalists train in full."
    )


def typical_full_s(session: Session, history: History) -> float:
    """Seconds of a full training of what the search liked, projected from its trials."""
    best = ranked(history.trials, session.task.metric)[:10]
    return median([full_s(one.seconds, one.measures, session.recipe.epochs) for one in best] or [inf])
