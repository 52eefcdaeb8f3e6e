"""The run directory: never another run's, and the record of each opening of the test set."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nasturtium.data import SealedTest
from nasturtium.errors import RunError
from nasturtium.task import Signal, Task
from nasturtium.workflows import finishing
from nasturtium.workflows.folder import RunFolder, new_folder
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.search import resumable


def test_a_run_that_begins_at_the_same_moment_leaves_the_other_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "run")
    first, second = new_folder(path, "digits"), new_folder(path, "digits")
    first.start({"seed": 0})
    with pytest.raises(RunError, match="Another run has just begun in"):
        second.start({"seed": 1})
    assert '"seed": 0' in first.manifest.read_text()
    assert first.checkpoints.is_dir()


def test_an_opening_of_the_test_set_is_kept_where_the_run_is_killed_after_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.work.mkdir()
    remarks: list[str] = []

    def part_of_a_run() -> None:
        """From its data on: a resumed run reads and seals them anew."""
        sealed = SealedTest(np.zeros((2, 3)), np.zeros(2), "f")
        task = Task("classification", Signal("table", (3,)), 2, "accuracy")
        session: Any = SimpleNamespace(
            folder=folder, data=SimpleNamespace(sealed=sealed), task=task, remark=remarks.append
        )
        assert finishing._test(session, [], {}) == {}

    part_of_a_run()
    assert folder.openings == (finishing.OPENED_FOR,)
    assert not remarks
    part_of_a_run()
    assert folder.openings == (finishing.OPENED_FOR, f"again, in a resumed run: {finishing.OPENED_FOR}")
    assert len(remarks) == 1


def test_a_run_whose_options_hold_arrays_is_not_resumable() -> None:
    assert resumable(SearchOptions("data.npz"))
    assert resumable(SearchOptions("data.npz", group=[1, 2]))
    assert not resumable(SearchOptions("data.npz", group=np.array([1, 2])))


def test_a_run_that_is_running_cannot_be_resumed_beside_it(tmp_path: Path) -> None:
    folder = new_folder(str(tmp_path / "run"), "digits")
    folder.start({})
    with (
        folder.owned(),
        pytest.raises(RunError, match=r"Another process is running the search in '.*run'\. Wait for it"),
        RunFolder(folder.path).owned(),
    ):
        pass
    with folder.owned():
        assert folder.manifest.exists()
