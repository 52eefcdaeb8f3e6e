"""The search itself: space, candidates, strategy, scheduler and study put together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.protocol import Contender
from nasturtium.roles import Scheduler, Strategy
from nasturtium.schedulers import scheduler
from nasturtium.space import Space
from nasturtium.strategies import auto, strategy
from nasturtium.study import JournalStore, Study, run_study
from nasturtium.training import METRICS
from nasturtium.trial import History, Objective
from nasturtium.workflows.baselines import slowest_network
from nasturtium.workflows.session import Session
from nasturtium.workflows.spaces import find_space

COST_NAMES = {"latency": "latency_ms"}
DEFAULT_TRIALS = 100
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
    full_s, reference_macs = slowest_network(baselines) or (None, None)
    limits, reasons = _affordable(session, full_s, reference_macs)
    space, why_space = find_space(session.options.space, session.task, limits)
    candidates = LimitedCandidates(space, CostModel(space), limits)
    chosen, why_strategy = _strategy(session, space, full_s)
    schedule, why_scheduler = _scheduler(session, full_s)
    study = Study(
        strategy=chosen,
        control=strategy("random"),
        scheduler=schedule,
        candidates=candidates,
        objectives=objectives_of(session),
        seed=session.options.seed,
        trials=session.options.trials,
        seconds_left=None if session.clock.budget_s is None else lambda: _seconds_left(session, store),
        trial_deadline_s=session.deadline(2 * session.plan.trial_s),
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


def _seconds_left(session: Session, store: JournalStore) -> float:
    """Of the search: what the clock has left beyond the reserve for the end."""
    return session.clock.left_s - session.plan.reserve_s(full_seconds(session, store.history))


def full_seconds(session: Session, history: History) -> list[float]:
    """Seconds of the full trainings so far."""
    return [trial.seconds for trial in history.scored if trial.fidelity.epochs == session.recipe.epochs]


def _affordable(session: Session, full_s: float | None, macs: float | None) -> tuple[Limits, Sequence[str]]:
    """The user's limits, and a bound on MACs where the clock cannot train slower networks to the end."""
    limits, most_s = session.limits, session.plan.final_s
    if full_s is None or not macs or full_s <= most_s:
        return limits, ()
    bound = macs * most_s / full_s
    if limits.macs is not None and limits.macs <= bound:
        return limits, ()
    sentence = (
        f"Only networks of at most {bound:,.0f} MACs were searched, because slower ones cannot be trained within the "
        "budget; a longer --budget allows more."
    )
    session.remark(sentence)
    return replace(limits, macs=bound), (sentence,)


def _strategy(session: Session, space: Space, full_s: float | None) -> tuple[Strategy, str]:
    options = session.options
    trials = options.trials or _expected_trials(session, full_s)
    if options.strategy.lower() == "auto":
        return auto(space, trials, 1 + len(options.objectives))
    return strategy(options.strategy, trials), f"The strategy {options.strategy} was asked for."


def _expected_trials(session: Session, full_s: float | None) -> int:
    """How many full trainings the clock has room for."""
    if session.clock.budget_s is None or not full_s:
        return DEFAULT_TRIALS
    left = session.clock.left_s - session.plan.reserve_s([full_s])
    return max(1, round(left * session.plan.workers / full_s))


def _scheduler(session: Session, full_s: float | None) -> tuple[Scheduler, str]:
    epochs, name = session.recipe.epochs, session.options.scheduler
    least = max(1, epochs // CUT_EPOCHS)
    if name.lower() != "auto":
        return scheduler(name, max_epochs=epochs, min_epochs=least), f"The scheduler {name} was asked for."
    if full_s is None or full_s <= session.plan.trial_s or least == epochs:
        return scheduler("full", max_epochs=epochs), "Full trainings fit the budget, so every trial gets one."
    return (
        scheduler("asha", max_epochs=epochs, min_epochs=least),
        f"A full training takes about {full_s:.0f} s, too long for many of them, so ASHA trains most trials briefly.",
    )
