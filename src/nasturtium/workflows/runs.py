"""Runs on disk: which there are, and what each found."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nasturtium.errors import RunError
from nasturtium.report.result_schema import Comparison, Control, Limit, Model, RunResult, read_result
from nasturtium.workflows.folder import RunFolder, open_folder

DEPTH = 3
MOST = 200


class RunBrief(BaseModel):
    """A run directory in one line."""

    model_config = ConfigDict(frozen=True)

    run: str = Field(description="The run directory.")
    data: str = Field(description="Name of the data.")
    created: str = Field(default="", description="When it began.")
    finished: bool = Field(description="Has it a result?")
    verdict: str | None = Field(default=None, description='"search" or "baseline".')
    metric: str | None = Field(default=None, description="Name of the metric.")
    validation: float | None = Field(default=None, description="Validation score of what ships.")
    sentence: str | None = Field(default=None, description="The verdict in plain words.")


class ModelBrief(BaseModel):
    """A model: what it costs and how good it is."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="What people call it.")
    params: int | None = Field(default=None, description="Stored parameters.")
    macs: int | None = Field(default=None, description="Multiply-accumulates of one row.")
    size: int | None = Field(default=None, description="Bytes of the exported ONNX file.")
    latency_ms: float | None = Field(default=None, description="Median time of one row, on the exported file.")
    validation: float | None = Field(default=None, description="Score by which choices were made: flattering.")
    test: float | None = Field(default=None, description="Score on the sealed rows, opened once after every choice.")
    test_low: float | None = Field(default=None, description="Lower end of the 95 % interval of the test score.")
    test_high: float | None = Field(default=None, description="Upper end.")


class RunSummary(BaseModel):
    """What a run found. Everything else is in its result.json."""

    model_config = ConfigDict(frozen=True)

    run: str = Field(description="The run directory.")
    verdict: str = Field(description='What ships: "search", a searched network, or "baseline".')
    sentence: str = Field(description="The verdict in plain words.")
    metric: str | None = Field(description="Name of the metric.")
    seed: int = Field(description="Seed of the run.")
    trials: int = Field(description="Trials started.")
    seconds: float = Field(description="Duration of the whole run.")
    best: ModelBrief = Field(description="What ships.")
    found: ModelBrief | None = Field(default=None, description="The best searched network, shipped or not.")
    baselines: list[ModelBrief] = Field(description="Models that were tried without a search, the best first.")
    control: Control | None = Field(default=None, description="What random search alone would have found.")
    comparison: Comparison | None = Field(default=None, description="The searched network against the best baseline.")
    limits: list[Limit] = Field(description="Every limit, measured again on the exported file.")
    notes: list[str] = Field(description="Assumptions and warnings.")
    files: dict[str, str] = Field(description="Paths by kind.")


def open_result(run: str) -> tuple[RunFolder, dict[str, Any], RunResult]:
    """A finished run: its folder, manifest and result. Raises `RunError` where there is no result yet."""
    folder, manifest = open_folder(run)
    if not folder.result.is_file():
        raise RunError(f"{run!r} has no result yet. Wait for it, or finish it with: nasturtium resume {run}")
    return folder, manifest, read_result(folder.result)


def summary(run: str) -> RunSummary:
    """What a finished run found."""
    folder, _, result = open_result(run)
    metric = metric_of(result)
    baselines = [brief(one) for one in result.baselines]
    known = [one for one in baselines if one.validation is not None]
    known.sort(key=lambda one: one.validation or 0.0, reverse=higher_is_better(metric))
    return RunSummary(
        run=str(folder.path),
        verdict=result.verdict,
        sentence=result.sentence,
        metric=metric,
        seed=result.seed,
        trials=result.trials,
        seconds=result.seconds,
        best=brief(result.best),
        found=None if result.found is None else brief(result.found),
        baselines=[*known, *(one for one in baselines if one.validation is None)],
        control=result.control,
        comparison=result.comparison,
        limits=result.limits,
        notes=result.notes,
        files={kind: str(folder.path / file) for kind, file in result.files.items()},
    )


def brief(model: Model) -> ModelBrief:
    """The figures that matter."""
    validation, test = model.validation, model.test
    return ModelBrief(
        name=model.name,
        params=model.params,
        macs=model.macs,
        size=model.size,
        latency_ms=None if model.latency_ms is None else model.latency_ms.p50,
        validation=None if validation is None else validation.mean,
        test=None if test is None else test.mean,
        test_low=None if test is None else test.low,
        test_high=None if test is None else test.high,
    )


def metric_of(result: RunResult) -> str | None:
    """The metric by which the run judged."""
    scores = (result.best.validation, result.best.test)
    return next((score.metric for score in scores if score is not None and score.metric), None)


def higher_is_better(metric: str | None) -> bool:
    """The direction of a metric; of an unknown one, higher."""
    from nasturtium.training import METRICS

    return metric not in METRICS or METRICS[metric].direction == "maximize"


def find_runs(places: Iterable[Path]) -> list[RunBrief]:
    """Runs at most three folders below the places, the newest first, 200 at most. Links are not followed."""
    found = [_brief(path) for place in places for path in _run_folders(place, DEPTH)]
    return sorted(found, key=lambda one: one.created, reverse=True)[:MOST]


def _run_folders(place: Path, depth: int) -> Iterator[Path]:
    if (place / "manifest.json").is_file():
        yield place
        return
    if depth == 0:
        return
    with os.scandir(place) as entries:
        inside = [Path(one.path) for one in entries if one.is_dir(follow_symlinks=False) and one.name[0] != "."]
    for path in sorted(inside):
        if os.access(path, os.R_OK | os.X_OK):
            yield from _run_folders(path, depth - 1)


def _brief(path: Path) -> RunBrief:
    try:
        folder, manifest = open_folder(str(path))
        result = read_result(folder.result) if folder.result.is_file() else None
    except RunError as error:
        return RunBrief(run=str(path), data="", finished=False, sentence=str(error))
    facts: dict[str, Any] = {}
    if result is not None:
        score = brief(result.best).validation
        facts = {"verdict": result.verdict, "metric": metric_of(result), "validation": score}
        facts["sentence"] = result.sentence
    created, data = str(manifest.get("created", "")), str(manifest.get("name", ""))
    return RunBrief(run=str(path), data=data, created=created, finished=result is not None, **facts)
