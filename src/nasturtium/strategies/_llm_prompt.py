"""What a language model is told of a search: the space, the objectives, the limits, the history."""

import json
from collections.abc import Sequence

from nasturtium import pareto
from nasturtium.space import Space
from nasturtium.strategies._llm_endpoint import Message
from nasturtium.trial import History, Trial

BEST, LATEST, FAILED = 12, 6, 4
"""Trials that are shown of each kind."""
COSTS = ("params", "macs", "latency_ms", "memory")
LINES = 160
"""Lines of the space that are shown: more than any ready one has."""

ROLE = (
    "You propose neural architectures inside an automatic search. Each is trained and measured; you are judged by the "
    "best score that your proposals reach within the limits. Answer with JSON and nothing else."
)


def messages(history: History, space: Space, about: str, wanted: int) -> list[Message]:
    """The same for the same history, so that a reply can be kept by what was asked. about: data and limits in words."""
    goals = ", ".join(f"{goal.direction} {goal.name}" for goal in history.objectives)
    parts = [
        about,
        f"Objectives: {goals}.",
        "The space (a decision's path is made of the labels on the way, joined by dots; options after a colon):",
        "\n".join(space.lines(120)[:LINES]),
        "Decisions by path:",
        "\n".join(f"{named.path}: {named.decision.describe()}" for named in space.decisions[:LINES]),
        *_trials(history),
        f"Propose {wanted} new architectures, the most promising first, each different from all above. Give every live "
        "decision, or only those that differ from the best trial. Answer exactly in this form:\n"
        '{"architectures": [{"reason": "a few words", "decisions": {"path": value}}]}',
    ]
    return [
        {"role": "system", "content": ROLE},
        {"role": "user", "content": "\n\n".join(part for part in parts if part)},
    ]


def ranked(history: History) -> list[Trial]:
    """The scored trials, best first, at the highest fidelity first."""
    trials = list(history.scored)
    if not trials:
        return []
    order = pareto.order(history.losses())
    places = {trials[row].number: place for place, row in enumerate(order)}
    return sorted(trials, key=lambda one: (-one.fidelity.epochs, -one.fidelity.share, places[one.number]))


def _trials(history: History) -> list[str]:
    best = ranked(history)
    top = best[:BEST]
    shown = {trial.number for trial in top}
    latest = [one for one in history.scored if one.number not in shown][-LATEST:]
    failed = [one for one in history.trials if one.state == "failed"][-FAILED:]
    running = list(history.running)
    return [
        _listed("The best trials so far, the best first:", top, history),
        _listed("Others of late:", latest, history),
        _listed("Failed:", failed, history),
        _listed("Being trained now:", running, history),
    ]


def _listed(title: str, trials: Sequence[Trial], history: History) -> str:
    return "\n".join([title, *(_trial(one, history) for one in trials)]) if trials else ""


def _trial(trial: Trial, history: History) -> str:
    names = dict.fromkeys([goal.name for goal in history.objectives] + [*COSTS])
    facts: dict[str, object] = {name: trial.measures[name] for name in names if name in trial.measures}
    if trial.failure is not None:
        facts["failure"] = trial.failure
    elif trial.fidelity.epochs:
        facts["epochs"] = trial.fidelity.epochs
    return json.dumps({"decisions": dict(trial.architecture.values), **facts}, ensure_ascii=False)
