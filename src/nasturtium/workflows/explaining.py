"""Why a run ended as it did: what its result and the facts of its report say, in order."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nasturtium.report.result_schema import RunResult
from nasturtium.workflows.runs import higher_is_better, metric_of, open_result

TOLD = 5


class Explanation(BaseModel):
    """Why a run ended as it did."""

    model_config = ConfigDict(frozen=True)

    run: str = Field(description="The run directory.")
    verdict: str = Field(description='"search" or "baseline".')
    sentence: str = Field(description="The verdict in plain words.")
    choice: list[str] = Field(description="On what the choice rests: resplits, differences, tests.")
    search: list[str] = Field(description="Why this space, strategy and scheduler, and what the search did.")
    signals: list[str] = Field(description="What ranked the trials before training, and how well.")
    limits: list[str] = Field(description="Each limit and how it was met.")
    trials: list[str] = Field(description="The best trials, by validation score.")
    data: list[str] = Field(description="The profile of the data.")
    warnings: list[str] = Field(description="Assumptions and warnings.")


def explain_run(path: str) -> Explanation:
    """Of a finished run. Raises `RunError` for one without a result."""
    from nasturtium.workflows.reporting import FACTS

    folder, _, result = open_result(path)
    try:
        facts: dict[str, Any] = json.loads((folder.path / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        facts = {}
    return Explanation(
        run=path,
        verdict=result.verdict,
        sentence=result.sentence,
        choice=_choice(result),
        search=_search(result),
        signals=_signals(result),
        limits=[
            f"{one.name}: {_number(one.value)} of at most {_number(one.limit)}, {one.known}"
            + ("" if one.ok else " — not met")
            for one in result.limits
        ],
        trials=_best_trials(facts, higher_is_better(metric_of(result))),
        data=[str(line) for line in facts.get("profile_lines", [])],
        warnings=result.notes,
    )


def _choice(result: RunResult) -> list[str]:
    told = [str(getattr(result, "reason", "") or "")]
    for one in result.finalists:
        scores = [score for score in one.scores if score is not None]
        mean = f"mean {sum(scores) / len(scores):.4g} over {len(scores)} resplits" if scores else "no score"
        broken = f"; breaks {', '.join(one.violations)}, so it cannot ship" if one.violations else ""
        told.append(f"{one.name} ({one.role}): {mean}{broken}.")
    test = result.comparison
    if test is not None and test.difference is not None:
        interval = f" ({test.low:.4g} … {test.high:.4g})" if test.low is not None and test.high is not None else ""
        chance = "" if test.p_value is None else f", p = {test.p_value:.3g}"
        told.append(f"{test.network} against {test.against}: {test.difference:+.4g}{interval}{chance}; {test.test}.")
    control = result.control
    if control is not None and control.expected is not None:
        told.append(f"Random search alone would have been expected to reach {control.expected:.4g}.")
    return [line for line in told if line]


def _search(result: RunResult) -> list[str]:
    search = result.search
    if search is None:
        return []
    told = [*search.reasons, f"{search.trials} trials were started and {search.scored} scored; {search.random} random."]
    told += [f"{count} trials failed: {reason}." for reason, count in search.failures.items()]
    return told


def _signals(result: RunResult) -> list[str]:
    search = result.search
    if search is None or search.audit is None:
        return []
    ranked = [
        f"{one.name} ({one.kind}): rank correlation {one.spearman:.2f} over {one.n} trials"
        for one in search.predictors[:TOLD]
        if one.spearman is not None
    ]
    return [search.audit.sentence, *ranked] if search.audit.sentence else ranked


def _best_trials(facts: dict[str, Any], higher: bool) -> list[str]:
    """The longest trained first, then the best scores."""
    scored = [trial for trial in facts.get("trials", []) if trial.get("score") is not None]
    scored.sort(key=lambda one: (-(one.get("epochs") or 0), -one["score"] if higher else one["score"]))
    return [
        f"trial {one['number']}: {one['score']:.4g}, {_number(one.get('params'))} params, "
        f"{one.get('epochs')} epochs ({one.get('origin')})"
        for one in scored[:TOLD]
    ]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.6g}"
