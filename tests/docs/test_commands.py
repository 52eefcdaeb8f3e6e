"""The commands in the documents are those of the command line."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from nasturtium.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OF_OTHER_TOOLS = {"--check"}
"""Options that the prose or commands name and that belong to ruff, git and the like."""


def commands() -> dict[str, Any]:
    """Every command that does something, by its words: "search", "space show" …"""
    root = get_command(app)
    found: dict[str, Any] = {}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        parts = getattr(command, "commands", None)
        found |= {f"{name} {part}": inner for part, inner in parts.items()} if parts else {name: command}
    return found


COMMANDS = commands()


def options(command: Any) -> dict[str, Any]:
    """The options of a command by every way to write them."""
    listed = [one for one in command.params if one.param_type_name == "option"]
    return {spelled: one for one in listed for spelled in (*one.opts, *one.secondary_opts)} | {"--help": None}


def shell_lines(document: Path) -> Iterator[list[str]]:
    """Every `nasturtium` command in the document, as words without the program."""
    for block in SHELL.findall(document.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|\|", line):
                words = shlex.split(part, comments=True)
                if words and Path(words[0]).name == "nasturtium":
                    yield words[1:]


LINES = [(document.name, words) for document in DOCUMENTS for words in shell_lines(document)]


@pytest.mark.parametrize(("document", "words"), LINES, ids=[f"{name}: {' '.join(words)}" for name, words in LINES])
def test_a_command_in_the_documents_is_one(document: str, words: list[str]) -> None:
    name = " ".join(words[:2]) if words[0] == "space" else words[0]
    assert name in COMMANDS
    known = options(COMMANDS[name])
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    assert [word for word in given if word not in known] == []


@pytest.mark.parametrize(("document", "words"), LINES, ids=[f"{name}: {' '.join(words)}" for name, words in LINES])
def test_the_values_of_a_command_are_understood(document: str, words: list[str]) -> None:
    """Types of options by the command line itself; names of strategies, schedulers, limits and spaces by ours."""
    from nasturtium.bench.contenders import contenders
    from nasturtium.hardware import Limits
    from nasturtium.schedulers import SCHEDULERS
    from nasturtium.strategies import STRATEGIES
    from nasturtium.supernet.registry import ONE_SHOT
    from nasturtium.workflows.family import listed_limits
    from nasturtium.workflows.options import parse_duration

    count = 2 if words[0] == "space" else 1
    context = COMMANDS[" ".join(words[:count])].make_context("nasturtium", list(words[count:]))
    given = context.params
    limits = {name: given.get(f"max_{name}") for name in ("params", "macs", "latency", "memory", "size")}
    if words[0] == "family":  # with commas, an amount for each member
        assert listed_limits({name: amounts for name, amounts in limits.items() if amounts})
    else:
        Limits.parse(**limits)
    assert given.get("budget") is None or parse_duration(given["budget"]) > 0
    named = {one.name for one in contenders(given.get("strategy") or "auto")}  # `bench` takes several, with settings
    assert named <= {"auto", "bohb", *STRATEGIES, *(ONE_SHOT if words[0] == "search" else ())}
    assert given.get("scheduler", "auto") in ("auto", *SCHEDULERS)
    space = given.get("space")
    assert space is None or re.fullmatch(r"\w+\.py:\w+|\w+\.json", space) or space in ready_spaces()


def ready_spaces() -> list[str]:
    from nasturtium.zoo import SPACES

    return list(SPACES)


def test_options_named_in_prose_exist_in_some_command() -> None:
    every = {spelled for command in COMMANDS.values() for spelled in options(command)} | {"--version"} | OF_OTHER_TOOLS
    for document in DOCUMENTS:
        prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", prose))
        assert named - every == set(), document.name


def test_every_option_and_argument_has_a_help_text() -> None:
    silent = [
        f"{name} {one.name}"
        for name, command in COMMANDS.items()
        for one in command.params
        if not (getattr(one, "help", None) or "").strip()
    ]
    assert silent == []


def test_every_option_of_search_is_told_in_the_documents() -> None:
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    untold = [
        one.opts[0]
        for one in COMMANDS["search"].params
        if one.param_type_name == "option" and not any(spelled in text for spelled in one.opts)
    ]
    assert untold == []


def test_every_strategy_scheduler_and_ready_space_is_told() -> None:
    from nasturtium.schedulers import SCHEDULERS
    from nasturtium.strategies import STRATEGIES

    strategies = (ROOT / "docs" / "strategies.md").read_text()
    spaces = (ROOT / "docs" / "spaces.md").read_text()
    assert [name for name in (*STRATEGIES, *SCHEDULERS) if f"| `{name}` |" not in strategies] == []
    assert [name for name in ready_spaces() if f"| `{name}` |" not in spaces] == []


def test_the_readme_shows_a_command_that_runs_within_its_first_thirty_lines() -> None:
    top = "\n".join((ROOT / "README.md").read_text().splitlines()[:30])
    first = SHELL.findall(top)
    assert ".venv/bin/nasturtium search digits --max-params 20k --budget 3m" in first[0]
    assert "-m venv" in first[0], "the command makes its own environment"
    assert ".venv-test/bin/pytest" in first[1]
    assert all(len(block.strip().splitlines()) == 1 for block in first[:2])


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
