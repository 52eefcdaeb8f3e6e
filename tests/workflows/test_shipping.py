"""What ships where a finalist cannot: the next one, and the result says why."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nasturtium.errors import RunError
from nasturtium.hardware import Limits
from nasturtium.protocol import Contender
from nasturtium.workflows import shipping


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[Contender]:
    monkeypatch.setattr(shipping, "deployable_of", lambda session, one, checkpoint: one.name)
    monkeypatch.setattr(shipping, "measure_file", lambda path, signal: {"params": 10.0})
    return [Contender(name, "found", object(), {"params": 10.0}) for name in ("untrained", "odd", "sound")]


def session(told: list[str], best: Path) -> Any:
    task, folder = SimpleNamespace(input=None), SimpleNamespace(best=best)
    return SimpleNamespace(task=task, folder=folder, limits=Limits(params=20), remark=told.append)


def test_a_model_that_cannot_be_exported_is_passed_over(
    order: list[Contender], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def export(session: Any, contender: Contender, deployable: Any) -> str:
        if contender.name == "odd":
            raise RunError("no form for aten::odd")
        return "report"

    monkeypatch.setattr(shipping, "export", export)
    told: list[str] = []
    shipped = shipping.ship(session(told, tmp_path), order, {"odd": ["a"], "sound": ["b"]})
    assert shipped is not None
    assert shipped.contender.name == "sound"
    assert told == [
        "No final training of untrained ended well; the next one is taken.",
        "odd cannot be exported; the next one is taken. no form for aten::odd",
    ]


def test_a_full_disk_is_not_the_models_fault(
    order: list[Contender], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def export(session: Any, contender: Contender, deployable: Any) -> str:
        raise RunError("Cannot write") from OSError("full")

    monkeypatch.setattr(shipping, "export", export)
    with pytest.raises(RunError, match="Cannot write"):
        shipping.ship(session([], tmp_path), order, {"sound": ["b"]})
