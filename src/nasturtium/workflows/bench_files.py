"""What a bench leaves in its folder: figures, curves and a page."""

import csv
import io
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nasturtium.bench.curves import Curve, curves
from nasturtium.bench.page import page
from nasturtium.bench.summary import Summary
from nasturtium.errors import RunError
from nasturtium.workflows.bench_table import lines

SCHEMA = 1
LIBRARIES = ("nasturtium", "numpy", "scipy", "torch", "optuna")
NAMES = ("benchmark", "protocol", "problem", "strategy", "shown", "clock", "at", "mean", "low", "high", "n")


def save(folder: Path, summary: Summary, code: str) -> None:
    """Write bench.json, curves.csv and bench.html, each whole or not at all. Raises `RunError` where that fails."""
    made = list(curves(summary.results))
    title = "Bench: " + ", ".join(one.name for one in summary.benchmarks)
    _write(folder / "bench.json", json.dumps(record(summary, made, code), indent=1, ensure_ascii=False))
    _write(folder / "curves.csv", table(made))
    _write(folder / "bench.html", page(title, "\n".join(lines(summary)), made))


def record(summary: Summary, made: Sequence[Curve], code: str) -> dict[str, Any]:
    """Everything that was found, as JSON."""
    ranking = summary.ranking
    return {
        "schema": SCHEMA,
        "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version(), "code": code},
        "rows": [{**row.to_json(), "direction": row.direction} for row in summary.rows],
        "published": [
            {"benchmark": one.name, "protocol": one.protocol, **vars(figure)}
            for one in summary.benchmarks
            for figure in one.figures
        ],
        "notes": {one.name: list(one.notes) for one in summary.benchmarks},
        "settings": {f"{one.label} on {one.problem.name}": one.settings for one in summary.results},
        "ranking": None if ranking is None else vars(ranking),
        "ask_ms": dict(summary.ask_ms),
        "curves": [
            {name: value.tolist() if hasattr(value, "tolist") else value for name, value in vars(curve).items()}
            for curve in made
        ],
    }


def table(made: Sequence[Curve]) -> str:
    """The curves as CSV, one row a point."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(NAMES)
    for one in made:
        head = (one.benchmark, one.protocol, one.problem, one.strategy, one.shown, one.clock)
        for at, mean, low, high in zip(one.at, one.mean, one.low, one.high, strict=True):
            writer.writerow((*head, f"{at:g}", f"{mean:.6g}", f"{low:.6g}", f"{high:.6g}", one.n))
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise RunError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
