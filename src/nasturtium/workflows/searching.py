"""The search itself: space, candidates, strategy, scheduler and study put together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, isinf
from pathlib import Path
from statistics import median

import numpy as np

from nasturtium.errors import LimitError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits, shown
from nasturtium.protocol import Contender, ranked
from nasturtium.roles import Candidates, Scheduler, Strategy
from nasturtium.schedulers import scheduler
from nasturtium.space import Space
from nasturtium.strategies import Auto, Llm, strategy
from nasturtium.study import Ended, Event, JournalStore, Study, run_study
from nasturtium.supernet.registry import one_shot_name
from nasturtium.trial import History, Objective
from nasturtium.workflows.baselines import MACS_A_SECOND, PASSES, Speed, full_s, measured_speed
from nasturtium.workflows.length import Length, search_end_s, trial_length
from nasturtium.workflows.objectives import objectives_of
from nasturtium.workflows.one_shot import ALONE, derive
from nasturtium.workflows.proxied import proxied
from nasturtium.workflows.session import Session
from nasturtium.workflows.spaces import find_space
from nasturtium.workflows.transfer import like, usual_first, warmed

AMPLE_MACS = 1e8
USE = 2.0
"""Networks of a space may use the machine so much better than the quickest known one: 19,400 MACs a second of a full
training on Fashion-MNIST against 9,400."""
PARTS = 3
"""Of a full training, of which the clock must allow at least one. Slower networks would be searched in vain; those that
are let in are cut by the clock in the search as in the end, so that the bound need not be tight."""
LEFT = 4 / 3
"""A slow network's final training may take so many times as long as planned, for quick ones leave it their time."""
STEP_S = 1e-3
"""A training step takes so long whatever the network: smaller ones than fill it are no quicker."""
CUT_EPOCHS = 9
"""Adaptive schedulers begin with this fraction of a full training."""


@dataclass(frozen=True)
class Searched:
    """What the search left. control: the history of a random search of the same size, where it was run for real.
    chosen_by: why this space, strategy and scheduler. interrupted: by Ctrl-C."""

    candidates: Candidates
    history: History
    control: History | None
    strategy: str
    scheduler: str
    chosen_by: tuple[str, ...]
    interrupted: bool

    @property
    def space(self) -> Space:
        return self.candidates.space


def run_search(session: Session, baselines: Sequence[Contender]) -> Searched:
    """Search until the budget is used up, keeping what finalists and files need.

    The time that the known networks took says what the clock allows.
    """
    speed = measured_speed(baselines)
    candidates, reasons = _candidates(session, speed)
    chosen, why_strategy, length = _planned(session, candidates, speed)
    data = like(asdict(session.data.profile))
    first = (*session.options.first, *(usual_first(candidates) if isinstance(chosen, Auto) else ()))
    asked, why_first = warmed(chosen, first, candidates, length.trials, data)
    schedule, why_scheduler = _scheduler(session, length)
    scored = proxied(session, candidates) if session.options.proxies else None
    study = Study(
        strategy=asked,
        control=strategy("random"),
        scheduler=schedule,
        candidates=scored or candidates,
        objectives=objectives_of(session.options, session.task),
        seed=session.options.seed,
        trials=session.options.trials,
        trial_deadline_s=session.deadline(length.longest_s),
        checkpoints=None if schedule.name == "full" else session.folder.checkpoints,
        stop_on_plateau=session.options.stop_on_plateau,
    )
    history, control, interrupted = _run(session, study, length)
    reasons = (*reasons, why_strategy, why_scheduler, *_what_is_found(study.objectives), *filter(None, [why_first]))
    _tell_failures(session, history)
    if scored is not None:
        session.remark(scored.sentence())
    if isinstance(chosen, Llm):
        for sentence in chosen.remarks():
            session.remark(sentence)
    return Searched(candidates, history, control, chosen.name, schedule.name, reasons, interrupted)


def _run(session: Session, study: Study, length: Length) -> tuple[History, History | None, bool]:
    """The search, and where it was asked for a random search of the same size, each in half of the time; and whether
    either was interrupted."""
    now, full = session.clock.seconds, session.options.control == "full"
    middle = (now + length.search_end_s) / 2 if full else length.search_end_s
    history, interrupted = _recorded(session, study, middle, session.folder.journal)
    if interrupted or not full:
        return history, None, interrupted
    session.progress.phase("Random control", f"{len(history.trials)} trials, for real")
    random = replace(
        study,
        strategy=study.control,
        control_share=1.0,
        seed=session.seed("control"),
        trials=max(1, len(history.trials)),
        checkpoints=None,
        stop_on_plateau=False,
    )
    return history, *_recorded(session, random, length.search_end_s, session.folder.control_journal)


def _tell_failures(session: Session, history: History) -> None:
    """The commonest reason, where a third of the trials or more failed."""
    failures = Counter(trial.failure for trial in history.trials if trial.failure is not None)
    if 3 * failures.total() >= len(history.trials) > 0:
        (reason, count), *_ = failures.most_common(1)
        session.remark(f"{failures.total()} of {len(history.trials)} trials failed; {count} of them: {reason}.")


def _recorded(session: Session, study: Study, end_s: float, journal: Path) -> tuple[History, bool]:
    """The history, and whether Ctrl-C ended it: then what was found is validated all the same."""
    if not isinf(end_s):
        study = replace(study, seconds_left=lambda: end_s - session.clock.seconds)
    endings: list[Ended] = []

    def listen(event: Event) -> None:
        session.listen(event)
        if isinstance(event, Ended):
            endings.append(event)

    with JournalStore(journal, study.identity, study.candidates.space) as store:
        history = run_study(study, session.executor, store, listen)
    interrupted = endings[-1].interrupted
    if interrupted:
        session.remark(
            f"The search was interrupted after {len(history.scored)} trials; what they found is validated as usual. "
            "Ctrl-C again stops at once."
        )
    return history, interrupted


def _what_is_found(objectives: Sequence[Objective]) -> list[str]:
    """What becomes of the objectives besides the metric, where there are any."""
    metric, *others = [goal.name for goal in objectives]
    if not others:
        return []
    return [
        f"The search traded {metric} against {' and '.join(others)}: the front holds every trade-off. What is called "
        f"found is the best of it by {metric}; set a limit for a cheaper one."
    ]


def _candidates(session: Session, speed: Speed | None) -> tuple[LimitedCandidates, tuple[str, ...]]:
    """What is searched, and why: networks within the user's limits that the clock can train a third of the way."""
    bound = _affordable_macs(session, speed)
    if bound is None:
        return _limited(session, session.limits)
    try:
        candidates, reasons = _limited(session, replace(session.limits, macs=bound))
        sentence = (
            f"Only networks of at most {shown('macs', bound)} MACs were searched, because slower ones cannot be "
            "trained within the budget; a longer --budget allows more."
        )
    except LimitError:  # not one of the user's limits: nothing in the space is as small as that
        candidates, reasons = _limited(session, session.limits)
        sentence = (
            "No network of the space is small enough to be trained well within the budget; a longer --budget, or a "
            "space with smaller networks, gives better ones."
        )
    session.remark(sentence)
    return candidates, (sentence, *reasons)


def _limited(session: Session, limits: Limits) -> tuple[LimitedCandidates, tuple[str, ...]]:
    """Raises `LimitError` if the space has nothing within these limits."""
    space, why = find_space(session.options.space, session.task, limits)
    candidates = LimitedCandidates(space, CostModel(space), limits)
    candidates.sample(np.random.default_rng([session.options.seed]))
    return candidates, (why,)


def _affordable_macs(session: Session, speed: Speed | None) -> float | None:
    """MACs above which the clock cannot train a third of the way; None where that excludes nothing of use."""
    least = STEP_S * MACS_A_SECOND / (PASSES * session.recipe.batch_size)
    bound = inf if speed is None else max(least, PARTS * LEFT * USE * speed.macs_a_second * session.plan.late_s)
    return None if isinf(bound) or bound >= (session.limits.macs or AMPLE_MACS) else bound


def _planned(session: Session, candidates: LimitedCandidates, speed: Speed | None) -> tuple[Strategy, str, Length]:
    """The strategy, why, and the length of its trials. A one-shot search runs here: its trials are what it derived."""
    if one_shot_name(session.options.strategy) is None:
        length = trial_length(session, speed)
        return *_strategy(session, length), length
    given, why = derive(session, candidates, search_end_s(session, speed))
    session.progress.phase("Search", "what was derived, and the random control, trained alone")
    return given, why, trial_length(session, speed, ALONE)


def _strategy(session: Session, length: Length) -> tuple[Strategy, str]:
    wanted = session.options.strategy
    chosen = strategy(wanted, length.trials)
    if isinstance(chosen, Llm):
        chosen = chosen.kept_in(session.folder.answers, about(session))
    if wanted.lower() == "auto":
        return chosen, (
            "The strategy is auto: after a few trials, a model of what architectures are (decisions, graph, costs) "
            "proposes those that it expects to improve most."
        )
    return chosen, f"The strategy {wanted} was asked for."


def about(session: Session) -> str:
    """The task and the limits in words, for a language model: no rows and no names of the data."""
    task, rows = session.task, len(session.data.development.fold("search")[0])
    limits = ", ".join(f"{name} at most {shown(name, value)}" for name, value in session.limits.items()) or "none"
    return (
        f"Task: {task.kind} of {task.modality} data, rows of shape {task.input.tensor_shape}, {task.outputs} outputs, "
        f"{rows} training rows. Limits: {limits}."
    )


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
