"""The supernet audit inside a run: do inherited scores rank what was trained alone as its own scores do?

Both scores of an architecture are on the validation rows of the search, which trained neither the shared weights nor
its own; the test rows stay sealed. What was trained alone is what the search derived and its random control, so the
sample costs nothing, but it is no even one: the record and the report say how much of it was derived.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite, nan
from time import perf_counter
from typing import Any

import numpy as np

from nasturtium.evaluators import Inherited
from nasturtium.roles import Job
from nasturtium.space import Space
from nasturtium.supernet.audit import LEAST, Audit, correlated
from nasturtium.supernet.registry import GRADIENT, one_shot_name
from nasturtium.trial import Objective, Trial
from nasturtium.workflows.auditing import comparable, room_s
from nasturtium.workflows.folder import write_json
from nasturtium.workflows.searching import Searched
from nasturtium.workflows.session import Session


def audit_supernet(session: Session, searched: Searched) -> None:
    """Say what the audit came to, and record it as "audit" of `one_shot.json`; a resumed run takes what is there.

    Nothing where the search trained no supernet. What goes wrong in here is a remark, never the run's end.
    """
    name, kept = one_shot_name(session.options.strategy), session.folder.one_shot
    if name is None:
        return
    facts = json.loads(kept.read_text(encoding="utf-8"))
    if "audit" not in facts:
        session.progress.phase("Supernet audit", "do inherited scores rank as those of networks trained alone do?")
        try:
            facts["audit"] = audited(session, searched, facts["derived"], name)
        except Exception as error:
            session.remark(f"The supernet could not be audited ({type(error).__name__}: {error}).")
            return
        write_json(kept, facts)
    session.remark(facts["audit"]["sentence"])


def audited(session: Session, searched: Searched, derived: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """The record: "sentence", "seconds", "points" (both scores of each trial, in the metric's unit, and whether it was
    derived), and "correlation", which is None where fewer than 10 trials have both scores.

    derived: decisions of each architecture. name: of the search. About 2 % of the budget, as for other audits: what it
    has no room for is left out at random.
    """
    began, trials, space = perf_counter(), comparable(searched.history), searched.space
    goal = searched.history.objectives[0]
    scores = inherited(session, space, trials, goal.name, room_s(session)) if len(trials) >= LEAST else {}
    chosen = {space.architecture(values).arch_id for values in derived}
    points = [
        {
            "trial": trial.number,
            "inherited": scores[trial.number],
            "alone": trial.measures[goal.name],
            "derived": space.attach(trial.architecture).arch_id in chosen,
        }
        for trial in trials
        if isfinite(scores.get(trial.number, nan))
    ]
    found = _correlation(points, goal, session.seed("supernet audit")) if len(points) >= LEAST else None
    return {
        "sentence": _few(len(trials), len(scores), len(points)) if found is None else _meaning(found, points, name),
        "correlation": None if found is None else _plain(found),
        "points": points,
        "seconds": round(perf_counter() - began, 2),
    }


def inherited(session: Session, space: Space, trials: Sequence[Trial], metric: str, room_s: float) -> dict[int, float]:
    """Inherited scores by number of the trial, in a random order for as long as there is room; NaN where the weights
    give no numbers."""
    began = perf_counter()
    score = Inherited(str(session.data.development.folder), space, str(session.folder.supernet)).open()
    found: dict[int, float] = {}
    for place in np.random.default_rng(session.seed("supernet audit")).permutation(len(trials)):
        if perf_counter() - began > room_s:
            break
        trial = trials[place]
        job = Job(f"inherited-{trial.number}", space.attach(trial.architecture), trial.fidelity, trial.seed)
        found[trial.number] = score(job, lambda curve: False).measures.get(metric, nan)
        session.progress.jobs(len(found), len(trials), "inherited scores")
    return found


def _correlation(points: Sequence[Mapping[str, Any]], goal: Objective, seed: int) -> Audit:
    """Of the scores, turned so that larger is better."""
    shared, alone = (np.array([-goal.sign * one[key] for one in points], dtype=float) for key in ("inherited", "alone"))
    return correlated((), shared, alone, seed)


def _plain(found: Audit) -> dict[str, Any]:
    """The figures as JSON, NaN as None."""
    given = {key: value for key, value in asdict(found).items() if isinstance(value, int | float)}
    return {key: round(value, 4) if isfinite(value) else None for key, value in given.items()}


def _few(trained: int, scored: int, points: int) -> str:
    if trained < LEAST:
        return (
            f"The supernet was not audited: {trained} architectures were trained alone to the end, and fewer than "
            f"{LEAST} say nothing about how inherited scores rank."
        )
    why = (
        f"the budget had room for the inherited scores of {scored} of {trained} architectures"
        if scored < trained
        else f"the shared weights give numbers for {points} of {trained} architectures"
    )
    return f"The supernet was not audited: {why}, and fewer than {LEAST} say nothing about how they rank."


def _meaning(found: Audit, points: Sequence[Mapping[str, Any]], name: str) -> str:
    """What the audit says, and of what sample."""
    derived = sum(one["derived"] for one in points)
    if name in GRADIENT:
        sample = f"{derived} of them were derived, which {name} does by the weights of the options, not by these scores"
    else:
        sample = f"{derived} of them were chosen by their inherited score on other rows"
    return f"Supernet audit: {found.sentence} {sample}; the others are random, so this is no even sample of the space."
