"""What a search gives the strategy `llm`: a file for its answers, and the task in words."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nasturtium.hardware import Limits
from nasturtium.strategies import Llm
from nasturtium.task import Signal, Task
from nasturtium.workflows import searching
from nasturtium.workflows.folder import RunFolder

TASK = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")


def session(folder: Path) -> Any:
    development = SimpleNamespace(fold=lambda name: (range(1078), range(360)))
    return SimpleNamespace(
        options=SimpleNamespace(strategy="llm"),
        folder=RunFolder(folder),
        task=TASK,
        limits=Limits(params=20_000),
        data=SimpleNamespace(development=development, name="patients of Dr Smith"),
    )


def test_the_model_is_told_the_task_and_the_limits_and_nothing_of_the_data(tmp_path: Path) -> None:
    assert searching.about(session(tmp_path)) == (
        "Task: classification of image data, rows of shape (1, 8, 8), 10 outputs, 1078 training rows. Limits: params "
        "at most 20k."
    )


def test_answers_are_kept_in_the_run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASTURTIUM_LLM_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("NASTURTIUM_LLM_MODEL", "tiny")
    chosen, why = searching._strategy(session(tmp_path), SimpleNamespace(trials=9))  # type: ignore[arg-type]
    assert isinstance(chosen, Llm)
    assert chosen.record.path == tmp_path / "llm.jsonl"
    assert chosen.about.startswith("Task: classification")
    assert why == "The strategy llm was asked for."
