"""A desk over an empty folder, whose searches are idle ones."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult

from nasturtium.serving.desk import Desk
from nasturtium.serving.roots import Roots
from nasturtium.serving.server import make_server
from nasturtium.workflows import jobs
from nasturtium.workflows.jobs import Jobs

HERE = Path(__file__).parent
Call = Callable[..., CallToolResult]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "root"
    place.mkdir()
    return place


@pytest.fixture
def desk(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(jobs, "PROGRAM", (str(HERE / "idle_job.py"),))
    made = Desk(Roots.of([str(root)]), Jobs(root.resolve(), most=2, ceiling_s=600), max_budget_s=600)
    yield made
    for job in made.jobs.listed():
        if job.state in ("starting", "running"):
            made.jobs.stop(job.job, "now")
    made.jobs.close()


@pytest.fixture
def call(desk: Desk) -> Call:
    """Call one tool of a server in this process: `call("predict", run="x")`."""

    def called(name: str, **arguments: Any) -> CallToolResult:
        async def talk() -> CallToolResult:
            async with Client(make_server(desk)) as client:
                return await client.call_tool(name, arguments)

        return anyio.run(talk)

    return called


@pytest.fixture
def refused(call: Call) -> Callable[..., str]:
    """The text with which a call is refused; it must be."""

    def text(name: str, **arguments: Any) -> str:
        answer = call(name, **arguments)
        assert answer.is_error
        [content] = answer.content
        said = getattr(content, "text", "")
        assert "Traceback" not in said
        return str(said)

    return text


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}
