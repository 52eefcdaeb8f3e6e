"""Spaces in a user's own file."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from nasturtium.errors import SpaceError
from nasturtium.space import import_file, load_space
from nasturtium.task import Signal, Task

TASK = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")

GOOD = """
from dataclasses import dataclass
from nasturtium.space import Open, Space, choice, register
from beside import WIDTHS

@register
@dataclass(frozen=True)
class OwnBlock:
    width: Open[int]
    outputs: int = 1

def small(task):
    return OwnBlock(choice(*WIDTHS), task.outputs)

tree = OwnBlock(choice(1, 2, 3))
ready = Space(tree, name="mine")
number = 3.5j
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    home = tmp_path / "my spaces v1.2"
    home.mkdir()
    (home / "own.py").write_text(GOOD)
    (home / "beside.py").write_text("WIDTHS = (8, 16)")
    yield home
    sys.modules.pop("beside", None)


def test_a_function_a_tree_and_a_space_can_be_named(folder: Path) -> None:
    small = load_space(f"{folder}/own.py:small", TASK)
    assert (small.name, small.size, small.sample(0).tree.outputs) == ("small", 2, 10)
    assert load_space(f"{folder}/own.py:tree", TASK).size == 3
    assert load_space(f"{folder}/own.py:ready").name == "mine"


def test_a_json_file_is_a_space_by_the_name_of_the_file(folder: Path) -> None:
    (folder / "declared.json").write_text('[{"$choice": [1, 2]}, {"$task": "outputs"}]')
    space = load_space(f"{folder}/declared.json", TASK)
    assert (space.name, space.sample(0).tree[1]) == ("declared", 10)
    (folder / "wrong.json").write_text('{"$chioce": []}')
    with pytest.raises(SpaceError, match=r"wrong.json: tree: unknown tag '\$chioce'. Did you mean '\$choice'"):
        load_space(f"{folder}/wrong.json", TASK)


def test_another_process_can_unpickle_what_a_file_defines(folder: Path) -> None:
    space = load_space(f"{folder}/own.py:small", TASK)
    code = dedent("""
        import pickle, sys
        import nasturtium.space
        architecture = pickle.load(sys.stdin.buffer)
        print(type(architecture.tree).__name__, architecture.tree.width, architecture.arch_id)
    """)
    import pickle

    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(space.sample(0)), capture_output=True, check=True, cwd="/"
    )
    sample = space.sample(0)
    assert done.stdout.decode().split() == ["OwnBlock", str(sample.tree.width), sample.arch_id]


def test_a_file_runs_once_until_it_changes(folder: Path) -> None:
    first = import_file(folder / "own.py")
    assert import_file(os.path.relpath(folder / "own.py")) is first
    (folder / "own.py").write_text(GOOD.replace("choice(1, 2, 3)", "choice(1, 2)"))
    assert load_space(f"{folder}/own.py:tree").size == 2


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("own.py", "needs the form file.py:NAME or file.json"),
        ("own:small", "needs the form file.py:NAME or file.json"),
        ("onw.py:small", "does not exist. Did you mean"),
        ("nowhere/own.py:small", "does not exist, nor does its folder"),
        ("own.py:smal", "has no 'smal'. Did you mean 'small'?"),
        (
            "own.py:number",
            "'number' in {folder}/own.py is 3.5j, not a space: a function of the task, a tree",
        ),
        ("own.py:OwnBlock", "not a space"),
    ],
)
def test_a_wrong_reference_is_refused_with_the_nearest(folder: Path, reference: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        load_space(f"{folder}/{reference}", TASK)
    assert message.format(folder=folder) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nspace = 1 / 0\n", "line 2: `space = 1 / 0`: ZeroDivisionError: division by zero"),
        ("def space(task)\n    return 1\n", "line 1: `def space(task)`: expected ':'"),
        (
            "from nasturtium.space import choice\ndef space(task):\n    return choice(task.otputs)\n",
            "line 3: `return choice(task.otputs)`: AttributeError: 'Task' object has no attribute 'otputs'",
        ),
        (
            "from nasturtium.space import choice\ndef space(task):\n    return choice(1, 1)\n",
            "line 3: `return choice(1, 1)`: two options of choice(1, 1) have the key '1'",
        ),
        ("def space(task):\n    return [1]\n", "a list cannot be part of a space"),
        ("import nasturtium_missing\nspace = 1\n", "line 1: `import nasturtium_missing`: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "line 1: `raise SystemExit(3)`: SystemExit: 3"),
    ],
)
def test_a_file_that_raises_is_shown_with_its_line(folder: Path, text: str, message: str) -> None:
    path = folder / "bad.py"
    path.write_text(text)
    with pytest.raises(SpaceError) as caught:
        load_space(f"{path}:space", TASK)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
