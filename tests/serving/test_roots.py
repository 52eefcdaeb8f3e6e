"""Paths that a client may reach, and those that it may not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nasturtium.errors import UserError
from nasturtium.serving.desk import Desk
from nasturtium.serving.roots import OutsideRoots, Roots


@pytest.mark.parametrize(
    "path", ["..", "../secret.csv", "/etc/passwd", "a/../../secret.csv", "out", "out/secret.csv", "loop/../../x"]
)
def test_a_path_outside_is_refused(path: str, root: Path) -> None:
    (root.parent / "secret.csv").write_text("x,y\n1,2\n")
    (root / "out").symlink_to(root.parent)
    (root / "a").mkdir()
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(UserError):
        Roots.of([str(root)]).path(path, "The source")


def test_the_message_names_the_path_the_roots_and_the_mend(root: Path) -> None:
    with pytest.raises(OutsideRoots) as caught:
        Roots.of([str(root)]).path("../x.csv", "The source")
    assert str(caught.value) == (
        f"The source '../x.csv' leads outside the folders that this server may reach ({root}). Copy it there, or ask "
        "the user to start the server with another --root."
    )


def test_a_path_that_is_none_is_refused(root: Path) -> None:
    with pytest.raises(UserError, match="is not a path"):
        Roots.of([str(root)]).path("a\0b", "The source")


def test_a_link_inside_a_folder_may_not_lead_out(root: Path) -> None:
    (root / "photos" / "cat").mkdir(parents=True)
    (root / "photos" / "cat" / "1.png").symlink_to("/etc/passwd")
    with pytest.raises(OutsideRoots, match=r"holds a link: 'photos/cat/1.png' leads outside"):
        Roots.of([str(root)]).tree("photos", "The source")


def test_links_inside_and_second_roots_are_fine(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (root / "data.csv").write_text("")
    (root / "same.csv").symlink_to(root / "data.csv")
    (root / "there").symlink_to(other)
    roots = Roots.of([str(root), str(other)])
    assert roots.path("same.csv", "The source") == root.resolve() / "data.csv"
    assert roots.path("there", "The source") == other.resolve()
    assert roots.shown(root.resolve() / "runs" / "x") == "runs/x"


def test_a_root_must_be_a_folder(root: Path) -> None:
    with pytest.raises(UserError, match="--root '/nowhere' is not a folder"):
        Roots.of(["/nowhere"])


@pytest.mark.parametrize("space", ["own.py:small", "own.json", "/tmp/own.py:small"])
def test_a_space_that_is_a_file_is_code(space: str, desk: Desk) -> None:
    with pytest.raises(UserError, match="reading one can run code, which this server does not allow"):
        desk.space(space)


def test_a_run_may_not_smuggle_in_a_source_or_a_space(desk: Desk, root: Path) -> None:
    run = root / "runs" / "x"
    run.mkdir(parents=True)
    smuggled = [({"source": "/etc/passwd"}, "leads outside"), ({"source": "digits", "space": "x.py:y"}, "run code")]
    smuggled.append(({"source": "digits", "budget_s": 1e6}, "this server allows 600 s"))
    for options, why in smuggled:
        (run / "manifest.json").write_text(f'{{"schema": 1, "options": {json.dumps(options)}}}')
        with pytest.raises(UserError, match=why):
            desk.may_resume(str(run))


def test_every_tool_that_takes_a_path_refuses_one_outside(refused: Callable[..., str]) -> None:
    outside = "../x"
    calls = {
        "profile_data": {"source": outside},
        "advise": {"source": outside},
        "start_search": {"source": outside},
        "resume_search": {"run": outside},
        "show_result": {"run": outside},
        "explain": {"run": outside},
        "compare": {"runs": [outside, outside]},
        "export_model": {"run": "runs/x", "output": outside},
        "predict": {"run": outside, "inputs": "x.csv"},
    }
    for name, arguments in calls.items():
        assert "leads outside the folders that this server may reach" in refused(name, **arguments), name
    assert "leads outside" in refused("start_search", source="digits", output=outside)
    assert "leads outside" in refused("advise", source="digits", output=outside)
