"""A scripted client does the whole job against the real server, over stdio."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import ElicitResult
from sklearn.datasets import load_digits

HERE = Path(__file__).parent


def server(root: Path, environment: dict[str, str], program: str = "quick_server.py") -> StdioServerParameters:
    arguments = [str(HERE / program), "mcp", "--root", str(root), "--max-jobs", "1"]
    return StdioServerParameters(command=sys.executable, args=arguments, cwd=root, env=environment)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_profile_questions_plan_search_report_export_predict(root: Path, environment: dict[str, str]) -> None:
    X, _ = load_digits(return_X_y=True)
    np.savez(root / "new.npz", X=X[:5].reshape(-1, 8, 8, 1).astype(np.uint8))
    asked: list[str] = []
    told: list[tuple[float, str]] = []

    async def answer(context: Any, params: Any) -> ElicitResult:
        asked.extend(params.requested_schema["properties"])
        return ElicitResult(action="accept", content=dict.fromkeys(asked, "") | {asked[0]: "laptop"})

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, message or ""))

    async def work() -> dict[str, Any]:
        found: dict[str, Any] = {}
        async with Client(server(root, environment), elicitation_callback=answer) as client:

            async def use(tool: str, **arguments: Any) -> Any:
                answered = await client.call_tool(tool, arguments, progress_callback=progress)
                assert not answered.is_error, answered.content
                return answered.structured_content

            found["profile"] = await use("profile_data", source="digits")
            found["plan"] = await use("advise", source="digits", need={"max_params": "5k"}, output="plan.json")
            job = await use("start_search", source="digits", max_params="5k", trials=3, workers=2)
            found["ended"] = job
            while found["ended"]["state"] in ("starting", "running"):
                found["ended"] = await use("search_status", job=job["job"], wait_s=60)
            found["result"] = await use("show_result", run=job["job"])
            found["why"] = await use("explain", run=job["run"])
            page = await client.read_resource(f"nasturtium://runs/{job['job']}/report.html")
            found["page"] = page.contents[0]
            found["handed"] = await use("export_model", run=job["job"], output="handed")
            found["answers"] = await use("predict", run=job["job"], inputs="new.npz")
            found["runs"] = await use("list_runs")
        return found

    found = anyio.run(work)
    assert (found["profile"]["rows"], found["profile"]["task"]) == (1797, "classification")
    assert asked
    assert found["plan"]["file"] == "plan.json"
    assert {"assumptions", "questions", "baselines", "proposals", "search"} <= set(found["plan"])
    assert (found["ended"]["state"], found["ended"]["error"]) == ("finished", None)
    assert found["ended"]["sentence"] == found["result"]["sentence"]
    assert found["result"]["trials"] == 3
    assert found["result"]["best"]["test"] > 0.5
    assert all(limit["ok"] for limit in found["result"]["limits"])
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert any("Search" in message for _, message in told)
    assert found["why"]["choice"]
    assert found["page"].text.startswith("<!doctype html>")
    assert {"model.onnx", "MODEL_CARD.md"} <= set(found["handed"]["files"])
    assert (root / "handed" / "model.onnx").stat().st_size == found["handed"]["files"]["model.onnx"]
    assert len(found["answers"]["rows"]) == found["answers"]["total"] == 5
    assert [run["run"] for run in found["runs"]["runs"]] == ["runs/digits"]
    command = json.loads((root / "runs" / "digits" / "manifest.json").read_text())["command"]
    assert command[:3] == ["nasturtium", "search", "digits"]


@pytest.mark.slow
def test_nothing_but_the_protocol_is_on_stdout(root: Path, environment: dict[str, str]) -> None:
    """By hand, in the older protocol: each line is a message."""
    asked: list[dict[str, Any]] = [
        {
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "by hand", "version": "0"},
            },
        },
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "profile_data", "arguments": {"source": "iris"}}},
        {"id": 3, "method": "tools/call", "params": {"name": "predict", "arguments": {"run": "x", "inputs": "y"}}},
    ]
    talk = server(root, environment)
    with subprocess.Popen(
        [talk.command, *talk.args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in asked:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        process.stdin.flush()
        answers = {}
        while set(answers) != {1, 2, 3}:
            line = process.stdout.readline()
            assert line, "the server ended"
            message = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            answers[message.get("id")] = message
        process.stdin.close()
        assert process.wait(60) == 0
    assert answers[2]["result"]["structuredContent"]["rows"] == 150
    assert answers[3]["result"]["isError"]


@pytest.mark.parametrize("asked", ["continue", "stop"])
def test_a_client_that_disconnects_in_mid_search(root: Path, environment: dict[str, str], asked: str) -> None:
    from nasturtium.workflows.jobs import Jobs

    async def start() -> str:
        async with Client(server(root, environment, "idle_server.py")) as client:
            job = await client.call_tool("start_search", {"source": "iris", "on_disconnect": asked})
            assert not job.is_error, job.content
            assert job.structured_content is not None
            name = str(job.structured_content["job"])
            while True:
                status = await client.call_tool("search_status", {"job": name, "wait_s": 0.5})
                if status.structured_content is not None and status.structured_content["phase"] == "Search":
                    return name

    name = anyio.run(start)
    held = Jobs(root.resolve(), 1, 60)
    if asked == "continue":
        assert held.status(name).state == "running"
        held.stop(name, "now")
        return

    async def gone() -> None:
        while held.status(name).state == "running":
            await anyio.sleep(0.02)

    anyio.run(gone)
    assert held.status(name).error == "The server ended, and the search was to stop then."
