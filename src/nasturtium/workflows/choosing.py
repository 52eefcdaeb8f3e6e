"""Finalists and choice: who is compared on fresh resplits, and what the verdict is. The test set is not touched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isinf

from nasturtium.classical import Classical
from nasturtium.protocol import (
    COMPARED,
    LISTED,
    RESPLITS,
    SEEDS,
    SHIPPED,
    Contender,
    Decision,
    Finalist,
    Setting,
    begun,
    best_listed,
    best_random,
    compared_baselines,
    decide,
    final_epochs,
    finalist,
    named_found,
    resplit_jobs,
    shortlist,
)
from nasturtium.protocol.plan import MORE_ROWS
from nasturtium.protocol.statistics.row_values import MEANS, SCALES
from nasturtium.space import Architecture
from nasturtium.training import METRICS
from nasturtium.trial import History
from nasturtium.workflows.baselines import full_s
from nasturtium.workflows.searching import typical_full_s
from nasturtium.workflows.session import Session

QUICK_SHARE = 0.03
"""Of the time that is left: simple models that fit into it are all compared."""


@dataclass(frozen=True)
class Choice:
    """Who was compared, and what was decided.

    baseline: that the decision is against. order: who ships, and who after them if their file breaks a limit.
    """

    found: Contender | None
    random: Contender | None
    baseline: Contender | None
    finalists: tuple[Finalist, ...]
    decision: Decision
    order: tuple[Contender, ...]


def choose(session: Session, baselines: Sequence[Contender], history: History, control: History | None) -> Choice:
    """Find the search's best network, compare it on fresh resplits, decide."""
    metric = session.task.metric
    listed = _shortlist(session, history)
    found = listed[0] if listed else None
    if len(listed) > 1:
        session.progress.phase("Shortlist", f"the {len(listed)} best networks of the search, trained again")
        outcomes = session.run(resplit_jobs(listed, LISTED, session.seed, _each_s(session, history)))
        found = best_listed(listed, outcomes, metric)
    random = best_random((*history.trials, *(control.trials if control else ())), metric, session.recipe.epochs)
    found = named_found(found) if found is not None else None
    if random is not None and found is not None and _same(random, found):
        random = None
    networks = [one for one in (found, random) if one is not None]
    contenders = [*networks, *_compared(session, baselines)]
    session.progress.phase("Finalists", f"{', '.join(one.name for one in contenders)} on {RESPLITS} fresh resplits")
    each_s = _each_s(session, history, contenders)
    folder = None if each_s is None or session.recipe.patience is not None else session.folder.checkpoints
    outcomes = session.run(resplit_jobs(contenders, COMPARED, session.seed, each_s, folder))
    finalists = tuple(finalist(one, outcomes, metric, one.broken) for one in contenders)
    decision = decide(finalists, _setting(session))
    lengths = {one.name: final_epochs(one, outcomes) for one in contenders}
    going_on = {one.name: begun(one, outcomes) for one in contenders if folder is not None}
    order = tuple(
        replace(going_on.get(one.name, one), epochs=lengths.get(one.name, one.epochs))
        for one in _order(decision, contenders, listed)
    )
    against = next((one for one in contenders if decision.against and one.name == decision.against.name), None)
    return Choice(found, random, against, finalists, decision, order)


def _shortlist(session: Session, history: History) -> list[Contender]:
    return shortlist(
        history, session.task.metric, session.recipe.epochs, session.plan.shortlist(typical_full_s(session, history))
    )


def _compared(session: Session, baselines: Sequence[Contender]) -> list[Contender]:
    room_s = QUICK_SHARE * session.clock.left_s * session.plan.workers / RESPLITS
    return compared_baselines(baselines, session.task.metric, room_s)


def _each_s(session: Session, history: History, contenders: Sequence[Contender] = ()) -> float | None:
    """Deadline of one training in the comparison. contenders: all in it, where they are known; simple models take no
    time worth counting, so that the networks are given theirs."""
    if isinf(session.clock.left_s):
        return None
    networks = [one for one in contenders if not isinstance(one.subject, Classical)]
    typical = typical_full_s(session, history)
    each = [full_s(one.seconds, one.measures, one.epochs) for one in networks]
    needs = RESPLITS * each or [typical] * session.plan.comparisons(typical)
    shipping = [need for one, need in zip(networks, each, strict=True) if one.ships and one.role != "random"]
    finals = SEEDS * [MORE_ROWS * need for need in shipping or [typical] * SHIPPED]
    return session.deadline(session.plan.comparing_s(session.clock.left_s, needs, finals))


def _setting(session: Session) -> Setting:
    task, data = session.task, session.data.development
    train, score = data.fold("resplit-0")
    scale = MEANS.get(task.metric) or SCALES.get(task.metric)
    return Setting(
        metric=task.metric,
        direction=METRICS[task.metric].direction,
        train_rows=len(train),
        score_rows=len(score),
        share=scale == "share",
        limited=tuple(name for name, _ in session.limits.items()),
    )


def _order(decision: Decision, contenders: Sequence[Contender], listed: Sequence[Contender]) -> tuple[Contender, ...]:
    """The choice first, then the other side's best, then whoever may ship at all."""
    able = [one for one in contenders if one.ships]
    chosen = [one for one in able if one.name == decision.choice.name]
    other = [one for one in able if (one.role == "baseline") != (decision.verdict == "baseline") and one not in chosen]
    rest = [one for one in (*able, *listed) if one not in chosen and one not in other]
    return (*chosen, *other, *rest)


def _same(one: Contender, other: Contender) -> bool:
    first, second = one.subject, other.subject
    return isinstance(first, Architecture) and isinstance(second, Architecture) and first.arch_id == second.arch_id
