"""The result of a run: result.json, the card and the report, from what the phases left."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nasturtium.protocol import Contender, Finalist, Tested, compare_tested
from nasturtium.protocol.wording import cost_sentence, opened_sentence
from nasturtium.workflows.finishing import Ending
from nasturtium.workflows.record import (
    baseline_record,
    control_record,
    limit_record,
    model_record,
    search_record,
)
from nasturtium.workflows.searching import Searched
from nasturtium.workflows.session import Session

SCHEMA = 1


def result_record(
    session: Session,
    baselines: Sequence[Contender],
    searched: Searched,
    ending: Ending,
    search_seconds: float,
    audited: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything of `result.json`; see `nasturtium.report` for the fields. audited: of `search`, see `auditing`."""
    choice, shipped, tested = ending.choice, ending.shipped, ending.tested
    best = shipped.contender
    found = choice.found
    verdict = "baseline" if best.role == "baseline" else "search"
    return {
        "schema": SCHEMA,
        "verdict": verdict,
        "sentence": _sentence(session, searched, ending),
        "reason": choice.decision.reason,
        "seed": session.options.seed,
        "trials": len(searched.history.trials),
        "seconds": round(session.clock.seconds, 1),
        "search_seconds": round(search_seconds, 1),
        "task": {"kind": session.task.kind, "metric": session.task.metric, "classes": list(session.task.classes)},
        "best": model_record(session, best, tested.get(best.name), shipped.measured),
        "found": None if found is None else model_record(session, found, tested.get("found")),
        "baselines": [baseline_record(session, one, tested.get(one.name)) for one in baselines],
        "control": control_record(session, searched.history, searched.control),
        "finalists": [_finalist(one) for one in choice.finalists],
        "limits": [limit_record(session, check) for check in shipped.limits],
        "comparison": _comparison(ending),
        "test_comparison": _on_test(tested, best, choice.baseline if verdict == "search" else found),
        "search": {
            **search_record(searched.history, session.task.metric),
            "space": searched.space.name,
            "space_size": None if searched.space.size is None else str(searched.space.size),
            "strategy": searched.strategy,
            "scheduler": searched.scheduler,
            "interrupted": searched.interrupted,
            "reasons": list(searched.chosen_by),
            **audited,
        },
        "export": {"checks": [asdict(check) for check in shipped.export.checks], "sizes": shipped.export.sizes},
        "test_openings": list(ending.openings),
        "notes": [*session.notes, *shipped.export.notices],
        "fingerprints": session.data.fingerprints,
        "files": {
            **{kind: f"best/{name}" for kind, name in shipped.export.files.items()},
            "report": "report.html",
            "study": "study.journal",
        },
    }


def _sentence(session: Session, searched: Searched, ending: Ending) -> str:
    """The verdict in plain words: what was gained, at what cost, how sure, and what was assumed."""
    best = ending.shipped.contender
    other = ending.choice.baseline if best.role != "baseline" else ending.choice.found
    parts = [ending.choice.decision.sentence]
    if best.name != ending.choice.decision.choice.name:
        parts.append(f"Then {ending.choice.decision.choice.name} could not ship (the notes say why): {best.name} does.")
    mine = ending.tested.get(best.name)
    theirs = ending.tested.get(other.name) if other is not None else None
    if mine is not None and theirs is not None and other is not None:
        difference = compare_tested(mine, theirs)
        parts.append(opened_sentence(best.name, session.task.metric, mine.interval, other.name, difference))
    elif mine is not None:
        parts.append(opened_sentence(best.name, session.task.metric, mine.interval))
    parts.append(cost_sentence(len(searched.history.trials), session.clock.seconds))
    return " ".join(parts)


def _finalist(one: Finalist) -> dict[str, Any]:
    return {"name": one.name, "role": one.role, "scores": list(one.scores), "violations": list(one.violations)}


def _comparison(ending: Ending) -> dict[str, Any] | None:
    """The test on which the choice rests: the search's network against the best baseline that can ship."""
    decision = ending.choice.decision
    if decision.test is None or decision.against is None or decision.network is None:
        return None
    test = decision.test
    return {
        "network": decision.network.name,
        "against": decision.against.name,
        "difference": test.mean,
        "low": test.low,
        "high": test.high,
        "p_value": test.p_value,
        "p_better": test.p_better,
        "test": test.test,
        "others": [
            {"against": one.other, "difference": one.test.mean, "p_adjusted": one.adjusted}
            for one in decision.comparisons
        ],
    }


def _on_test(tested: Mapping[str, Tested], best: Contender, other: Contender | None) -> dict[str, Any] | None:
    """The same difference on the test set: for reporting, after the choice."""
    if other is None or best.name not in tested or other.name not in tested:
        return None
    return {"first": best.name, "second": other.name, **asdict(compare_tested(tested[best.name], tested[other.name]))}
