"""report.html: written at the end of a run, or anew from its files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.blocks import Block
from nasturtium.errors import RunError
from nasturtium.protocol.statistics import expected_best
from nasturtium.report import ReportContent, read_result, write_report
from nasturtium.training import METRICS
from nasturtium.trial import History
from nasturtium.workflows.drawing import drawing
from nasturtium.workflows.folder import RunFolder, open_folder, write_json

FACTS = "report.json"
"""What the report shows beyond result.json; kept in the run directory, so that a report can be written anew."""


def keep_facts(
    folder: RunFolder, *, history: History, profile_lines: list[str], space_lines: list[str], drawn: Any
) -> None:
    """Write down what `rewrite_report` needs."""
    metric = history.objectives[0].name
    facts = {
        "trials": trial_records(history, metric),
        "expected_random": expected_curve(history, metric),
        "second": next((goal.name for goal in history.objectives[1:]), "params"),
        "profile_lines": profile_lines,
        "space_lines": space_lines,
        "drawing": drawn,
    }
    write_json(folder.path / FACTS, facts)


def rewrite_report(run: str) -> str:
    """Write the report of a run that has ended; returns its path."""
    folder, manifest = open_folder(run)
    if not folder.result.is_file():
        raise RunError(f"{run!r} has no result yet. Finish it with: nasturtium resume {run}")
    return str(render(folder, manifest))


def render(folder: RunFolder, manifest: Mapping[str, Any]) -> Path:
    """The report, from result.json, the kept facts and the manifest."""
    result = read_result(folder.result).model_dump(by_alias=True)
    try:
        facts = json.loads((folder.path / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"The report needs {folder.path / FACTS}, which cannot be read: {error}.") from error
    metric = manifest["profile"]["metric"]
    content = ReportContent(
        data=manifest["name"],
        metric=metric,
        direction=METRICS[metric].direction,
        result=result,
        profile=manifest["profile"],
        warnings=result["notes"],
        command=" ".join(manifest["command"]),
        surroundings=_surroundings(manifest),
        one_shot=json.loads(folder.one_shot.read_text(encoding="utf-8")) if folder.one_shot.exists() else None,
        **facts,
    )
    write_report(folder.report, content)
    return folder.report


def trial_records(history: History, metric: str) -> list[dict[str, Any]]:
    """Every trial in brief."""
    return [
        {
            "number": trial.number,
            "origin": trial.origin,
            "state": trial.state,
            "score": trial.measures.get(metric),
            "params": trial.measures.get("params"),
            "macs": trial.measures.get("macs"),
            "epochs": trial.fidelity.epochs,
            "seconds": round(trial.seconds, 3),
            "failure": trial.failure,
            **{goal.name: trial.measures.get(goal.name) for goal in history.objectives[1:]},
        }
        for trial in history.trials
    ]


def expected_curve(history: History, metric: str) -> list[float]:
    """Expected best score of 1, 2 … random trials, as far as there are random trials at the highest fidelity."""
    top = max((trial.fidelity for trial in history.scored), default=None)
    scores = [t.measures[metric] for t in history.scored if t.origin == "random" and t.fidelity == top]
    direction = METRICS[metric].direction
    draws = range(1, len(scores) + 1)
    return [expected_best(np.array(scores), count, direction=direction).expected for count in draws]


def winner(subject: object, task_input: Any) -> dict[str, Any] | None:
    """The drawing of what ships; None for simple models."""
    root = getattr(subject, "tree", subject)
    return drawing(root, task_input) if isinstance(root, Block) else None


def _surroundings(manifest: Mapping[str, Any]) -> dict[str, str]:
    hardware = manifest["hardware"]
    versions = {name: str(value) for name, value in manifest["versions"].items() if value is not None}
    return {"processor": f"{hardware['processor']}, {hardware['cores']} cores", **versions}
