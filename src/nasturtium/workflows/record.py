"""The content of result.json, put together from what the phases left."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from nasturtium.pareto import fronts
from nasturtium.protocol import Contender, Tested, ranked
from nasturtium.protocol.statistics import expected_best
from nasturtium.space import Architecture
from nasturtium.training import METRICS
from nasturtium.trial import History
from nasturtium.workflows.bounding import bounded
from nasturtium.workflows.session import Session
from nasturtium.workflows.shipping import LimitCheck

LEAST_RANDOM = 3
BEST_POSSIBLE = {"accuracy": 1.0, "balanced-accuracy": 1.0, "macro-f1": 1.0, "auc": 1.0, "r2": 1.0}


def model_record(
    session: Session, contender: Contender, tested: Tested | None, measured: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """One model of the result: name, costs, validation and test scores."""
    metric = session.task.metric
    subject = contender.subject
    record: dict[str, Any] = {
        "name": contender.name,
        "arch_id": subject.arch_id if isinstance(subject, Architecture) else None,
        "params": _count(contender.measures, "params"),
        "macs": _count(contender.measures, "macs"),
        "memory": _count(contender.measures, "memory"),
        "validation": {"metric": metric, "mean": contender.measures.get(metric)},
        "test": None if tested is None else test_record(metric, tested),
    }
    if measured is not None:
        record["latency_ms"] = {"p50": measured["latency_ms"], "p95": measured["latency_p95_ms"]}
        record["size"] = measured["size"]
    return record


def test_record(metric: str, tested: Tested) -> dict[str, Any]:
    """Test score with its interval over rows and seeds."""
    return {"metric": metric, **asdict(tested.interval), "rows": tested.rows.rows}


def baseline_record(session: Session, contender: Contender, tested: Tested | None) -> dict[str, Any]:
    """A baseline, shown whether or not it may ship."""
    return {
        **model_record(session, contender, tested),
        "over": [violation.name for violation in session.limits.check(contender.measures)],
        "barred": list(contender.broken),
        "failure": contender.failure,
        "seconds": round(contender.seconds, 2),
    }


def control_record(session: Session, history: History, control: History | None) -> dict[str, Any] | None:
    """What random search alone would have found with as many trainings; None with too few random trials.

    control: a random search that was run for real; its trials then join those of the search's own control.
    """
    metric = session.task.metric
    full = max((trial.fidelity.epochs for trial in history.scored), default=0)
    complete = [trial for trial in history.scored if trial.fidelity.epochs == full]
    extra = () if control is None else control.scored
    random = [trial for trial in complete if trial.origin == "random"] + list(extra)
    scores = [trial.measures[metric] for trial in random if trial.fidelity.epochs == full]
    if len(scores) < LEAST_RANDOM:
        return None
    direction = METRICS[metric].direction
    best = expected_best(np.array(scores), len(complete), direction=direction, best_possible=BEST_POSSIBLE.get(metric))
    ran = None if control is None or not control.scored else ranked(control.trials, metric)[0].measures[metric]
    return {"name": "random", "metric": metric, **asdict(best), "ran_for_real": ran}


def limit_record(session: Session, check: LimitCheck) -> dict[str, Any]:
    """One limit on the exported file, and whether the user gave it or it follows from the device."""
    return {**asdict(check), "ok": check.ok, **bounded(session.options).origin(check.name)}


def search_record(history: History, metric: str) -> dict[str, Any]:
    """Trials, failures by reason, and the front where there are several objectives."""
    failures = Counter(trial.failure for trial in history.trials if trial.failure is not None)
    best = ranked(history.trials, metric)
    return {
        "trials": len(history.trials),
        "scored": len(history.scored),
        "random": sum(trial.origin == "random" for trial in history.trials),
        "failures": dict(failures.most_common()),
        "best_trial": best[0].number if best else None,
        "worker_seconds": round(sum(trial.seconds for trial in history.trials), 1),
        "front": front_record(history),
    }


def front_record(history: History) -> list[dict[str, Any]]:
    """The networks that no other beats everywhere, best score first; empty with one objective.

    Each network once: of several trials that have trained it, the longest.
    """
    goals = history.objectives
    longest = max((trial.fidelity for trial in history.scored), default=None)
    trials = list({trial.architecture.arch_id: trial for trial in history.scored if trial.fidelity == longest}.values())
    if len(goals) < 2 or not trials:
        return []
    losses = np.array([[goal.sign * trial.measures[goal.name] for goal in goals] for trial in trials])
    members = [trials[row] for row in np.flatnonzero(fronts(losses) == 0)]
    return [
        {
            "trial": trial.number,
            "arch_id": trial.architecture.arch_id,
            "scores": {goal.name: trial.measures[goal.name] for goal in goals},
            "architecture": json.loads(trial.architecture.to_json()),
        }
        for trial in sorted(members, key=lambda trial: goals[0].sign * trial.measures[goals[0].name])
    ]


def _count(measures: Mapping[str, float], name: str) -> int | None:
    return int(measures[name]) if name in measures else None
