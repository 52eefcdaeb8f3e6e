"""Who may import whom (see the design): read from the source, so that lazy imports count as well as others."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import nasturtium

SOURCE = Path(nasturtium.__file__).parent
VOCABULARY = {"errors", "task", "trial", "pareto", "space"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "task": set(),
    "space": {"errors", "task"},
    "trial": {"space"},
    "pareto": set(),
    "roles": {"space", "trial"},
    "blocks": {"space", "errors", "task"},
    "zoo": {"blocks", "space", "errors", "task"},
    "data": {"errors", "task"},
    "classical": {"errors", "task", "blocks"},
    "hardware": {"blocks", "space", "errors", "task", "roles", "trial"},
    "training": {"data", "blocks", "errors", "task"},
    "predictors": VOCABULARY | {"roles"},
    "proxies": {"blocks", "training", "data", "roles", "task", "errors", "space"},
    "strategies": VOCABULARY | {"roles", "predictors"},
    "schedulers": VOCABULARY | {"roles", "predictors"},
    "supernet": {"blocks", "training", "proxies", "data", "hardware", "space", "trial", "roles", "errors", "task"},
    "evaluators": VOCABULARY | {"roles", "blocks", "training", "data", "hardware", "classical", "supernet"},
    "study": VOCABULARY | {"roles"},
    "protocol": VOCABULARY | {"roles", "study", "data", "training", "hardware", "classical"},
    "bench": VOCABULARY | {"roles", "blocks", "zoo", "hardware", "study", "evaluators"},
    "report": VOCABULARY,
    "export": {"blocks", "hardware", "training", "errors", "task", "classical"},
    "advisor": {"zoo", "hardware", "analysis", "blocks", "space", "errors", "task", "classical", "training"},
    "testing": VOCABULARY | {"roles", "study", "predictors"},
    "terminal": {"workflows", "errors", "trial", "pareto", "study"},
    "serving": {"workflows", "errors"},
    "mcp_server": {"serving", "workflows", "errors"},
    "cli": {"workflows", "errors", "terminal", "mcp_server"},
    "api": {"workflows", "errors", "space", "trial"},
}
EVERYTHING = {"workflows", "__init__"}


def imports(file: Path, top_level_only: bool = False) -> Iterator[str]:
    """Modules of ours that a file imports, as dotted names below `nasturtium`."""
    tree = ast.parse(file.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "nasturtium":
            for alias in node.names:
                # `from nasturtium.room import part` may name a module of the room or something inside it.
                whole = f"{node.module}.{alias.name}".partition(".")[2]
                yield whole if whole in MODULES else whole.rpartition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (a.name.partition(".")[2] for a in node.names if a.name.startswith("nasturtium."))


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def room(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


FILES = sorted(SOURCE.rglob("*.py"))
MODULES = {dotted(file) for file in FILES}


def test_there_are_files_to_check() -> None:
    assert len(FILES) > 50


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_file_imports_only_what_its_room_may(file: Path) -> None:
    mine = room(file)
    if mine in EVERYTHING:
        return
    allowed = ALLOWED[mine] | {mine}
    wrong = {name for name in imports(file) if name.split(".")[0] not in allowed}
    assert not wrong, f"{file.name} is in the room {mine!r}, which may not import {sorted(wrong)}"


def test_there_are_no_cycles_of_module_level_imports() -> None:
    graph = {dotted(file): {i for i in imports(file, top_level_only=True) if i in MODULES} for file in FILES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join((*path[path.index(name) :], name))}"
        if name not in done:
            for child in graph[name]:
                visit(child, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())
