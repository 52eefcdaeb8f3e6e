"""Several runs side by side: what may be compared, and what may not."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nasturtium.errors import RunError
from nasturtium.report.result_schema import Limit, RunResult
from nasturtium.workflows.runs import ModelBrief, brief, higher_is_better, metric_of, open_result


class ComparedRun(BaseModel):
    """One run of a comparison."""

    model_config = ConfigDict(frozen=True)

    run: str = Field(description="The run directory.")
    data: str = Field(description="Name of the data.")
    metric: str | None = Field(description="Name of the metric.")
    verdict: str = Field(description='"search" or "baseline".')
    best: ModelBrief = Field(description="What it ships.")
    limits: list[Limit] = Field(description="Its limits, on the exported file.")
    strategy: str | None = Field(description="How it searched.")
    trials: int = Field(description="Trials started.")
    seconds: float = Field(description="Duration of the whole run.")


class RunComparison(BaseModel):
    """Runs side by side."""

    model_config = ConfigDict(frozen=True)

    runs: list[ComparedRun] = Field(description="The runs, the best validation score first where they are comparable.")
    comparable: bool = Field(description="Were all judged by one metric on the same rows?")
    differences: list[str] = Field(description="Why they are not comparable, or what else differs.")
    sentence: str = Field(description="What may be concluded.")


def compare_runs(paths: Sequence[str], shown: Callable[[str], str] = str) -> RunComparison:
    """Two finished runs or more. shown: how a path is named in the answer.

    Raises `RunError` for fewer runs, for the same one twice, and for one without a result.
    """
    if len(paths) < 2:
        raise RunError(f"A comparison takes two runs or more, not {len(paths)}.")
    if len(set(paths)) < len(paths):
        raise RunError("A run is named twice: a comparison takes different ones.")
    opened = [open_result(path) for path in paths]
    runs = [_compared(shown(path), manifest, result) for path, (_, manifest, result) in zip(paths, opened, strict=True)]
    reasons = _obstacles([manifest for _, manifest, _ in opened], runs)
    if reasons:
        sentence = "These scores may not be compared: " + " ".join(reasons)
        return RunComparison(runs=runs, comparable=False, differences=reasons, sentence=sentence)
    better = higher_is_better(runs[0].metric)
    unknown = float("-inf") if better else float("inf")
    scores = {one.run: unknown if one.best.validation is None else one.best.validation for one in runs}
    ordered = sorted(runs, key=lambda one: scores[one.run], reverse=better)
    return RunComparison(
        runs=ordered, comparable=True, differences=_other_differences(runs), sentence=_sentence(ordered)
    )


def _compared(path: str, manifest: dict[str, Any], result: RunResult) -> ComparedRun:
    return ComparedRun(
        run=path,
        data=str(manifest.get("name", "")),
        metric=metric_of(result),
        verdict=result.verdict,
        best=brief(result.best),
        limits=result.limits,
        strategy=None if result.search is None else result.search.strategy,
        trials=result.trials,
        seconds=result.seconds,
    )


def _obstacles(manifests: Sequence[dict[str, Any]], runs: Sequence[ComparedRun]) -> list[str]:
    found = []
    metrics = sorted({str(one.metric) for one in runs})
    if len(metrics) > 1:
        found.append(f"They were judged by different metrics: {', '.join(metrics)}.")
    prints = [manifest.get("fingerprints", {}) for manifest in manifests]
    if len({one.get("data") for one in prints}) > 1:
        found.append("They saw different data.")
    elif len({(one.get("split"), one.get("test")) for one in prints}) > 1:
        found.append("They split the data differently (another seed or split), so their rows differ.")
    return found


def _other_differences(runs: Sequence[ComparedRun]) -> list[str]:
    """What the runs do not share besides their result."""
    told = []
    limits = {tuple((one.name, one.limit) for one in run.limits) for run in runs}
    if len(limits) > 1:
        told.append("They had different limits.")
    if len({round(run.seconds, -2) for run in runs}) > 1:
        told.append("They took different times, so some had more to search with.")
    return told


def _sentence(ordered: Sequence[ComparedRun]) -> str:
    first, second = ordered[0], ordered[1]
    if first.best.validation == second.best.validation:
        told = f"{first.run} and {second.run} have the same validation score"
    else:
        told = f"{first.run} has the best validation score"
    return (
        f"{told} ({first.metric} {_shown(first.best.validation)} against {_shown(second.best.validation)}). Choose by "
        "validation scores and costs; test scores are for reporting, and choosing by them would spoil them."
    )


def _shown(score: float | None) -> str:
    return "unknown" if score is None else f"{score:.4g}"
