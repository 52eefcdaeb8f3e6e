"""The server's tools, resources and prompts, in memory: what they answer and what they refuse."""

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, ElicitResult

from nasturtium.errors import MissingExtra, UserError
from nasturtium.serving.desk import Desk
from nasturtium.serving.server import make_server
from nasturtium.workflows.options import SearchOptions

Call = Callable[..., CallToolResult]
Refused = Callable[..., str]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def made_run(root: Path) -> Callable[..., Path]:
    """A finished run, as far as it can be read."""

    def make(name: str, validation: float, *, seed: int = 0, data: str = "abc", metric: str = "accuracy") -> Path:
        run = root / "runs" / name
        (run / "best").mkdir(parents=True)
        score = {"metric": metric, "mean": validation}
        model = {"name": f"net-{name}", "params": 100, "macs": 900, "validation": score, "test": score}
        prints = {"data": data, "split": f"s{seed}", "test": f"t{seed}"}
        manifest = {"schema": 1, "name": "flowers", "created": f"2026-01-0{len(name)}", "fingerprints": prints}
        result = {
            "schema": 1, "verdict": "search", "sentence": f"{name} won.", "seed": seed, "trials": 4, "seconds": 9.0,
            "best": model, "baselines": [{"name": "linear", "validation": {"metric": metric, "mean": 0.5}}],
            "finalists": [{"name": "found", "role": "found", "scores": [0.8, 0.9, None]}],
            "comparison": {"network": "found", "against": "linear", "difference": 0.3, "low": 0.1, "high": 0.5,
                           "p_value": 0.01, "test": "corrected t-test"},
            "limits": [{"name": "params", "limit": 200.0, "value": 100.0, "known": "counted", "ok": True}],
            "notes": ["A note."], "search": {"reasons": ["The strategy is auto."], "trials": 4, "scored": 3},
            "files": {"onnx": "best/model.onnx"},
        }  # fmt: skip
        (run / "manifest.json").write_text(json.dumps(manifest))
        (run / "result.json").write_text(json.dumps(result))
        (run / "best" / "model.onnx").write_bytes(b"onnx")
        (run / "best" / "MODEL_CARD.md").write_text("# card\n")
        return run

    return make


def content(answer: CallToolResult) -> dict[str, Any]:
    assert not answer.is_error, answer.content
    assert answer.structured_content is not None
    return answer.structured_content


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("profile_data", {"source": 7}, r"source\n  Input should be a valid string"),
        ("profile_data", {}, r"source\n  Field required"),
        ("start_search", {"source": "digits", "trials": "many"}, r"trials\n  Input should be a valid integer"),
        ("start_search", {"source": "digits", "trials": 0}, "greater than or equal to 1"),
        ("start_search", {"source": "digits", "trials": 10**6}, r"1,000,000 trials are asked for; this server allows"),
        ("start_search", {"source": "digits", "max_param": "20k"}, r"max_param\n  Extra inputs are not permitted"),
        ("start_search", {"source": "digits", "objectives": ["beauty"]}, "Input should be 'params'"),
        ("start_search", {"source": "digits", "budget": "soon"}, "--budget 'soon' is not a duration"),
        ("start_search", {"source": "digits", "budget": "3h"}, r"The budget is 10800 s, and this server allows 600 s"),
        ("start_search", {"source": "digits", "strategy": "magic"}, "There is no strategy 'magic'"),
        ("start_search", {"source": "digits", "max_params": "few"}, "'few' is not understood; write"),
        ("start_search", {"source": "digits", "device": "stm32f747"}, "Unknown device 'stm32f747'. Did you mean"),
        (
            "start_search",
            {"source": "digits", "device": "stm32f746", "max_latency": "2ms"},
            "the latency of stm32f746 cannot be measured here. Give --max-macs 173k",
        ),
        ("start_search", {"source": "digits", "space": "own.py:x"}, "reading one can run code"),
        ("start_search", {"source": "digits", "proxies": ["nwott"]}, "which there is not. Did you mean 'nwot'"),
        ("start_search", {"source": "digits", "proxies": ["nwot"], "strategy": "tpe"}, "is for the strategy auto"),
        ("start_search", {"source": "digits", "plan": "none.json"}, "The plan .* cannot be read"),
        (
            "profile_data",
            {"source": "digitz"},
            r"There is no file, folder or bundled data set 'digitz'\. Did you mean 'digits'",
        ),
        ("search_status", {"job": "digits"}, "There is no job 'digits'"),
        ("search_status", {"job": "digits", "wait_s": 10**6}, "less than or equal to 600"),
        ("stop_search", {"job": "x", "how": "gently"}, "Input should be 'finish' or 'now'"),
        ("show_result", {"run": "runs/none"}, "is not a run directory: it has no manifest.json"),
        ("resume_search", {"run": "runs/none"}, "is not a run directory"),
        ("compare", {"runs": ["a"]}, "at least 2 items"),
        ("export_model", {"run": "runs/none", "output": "x", "form": "keras"}, "Input should be 'onnx', 'pytorch' or"),
        ("predict", {"run": "runs/none"}, "Give either `inputs`, a path, or `records`"),
        ("advise", {}, "There is nothing to advise on"),
        ("advise", {"source": "iris", "data": {"targt": "y"}}, r"`data` has no 'targt'\. Did you mean 'target'"),
        ("advise", {"need": {"colour": "red"}}, "colour"),
        ("fly", {}, "Unknown tool: fly"),
    ],
)
def test_bad_input_is_refused_in_words(name: str, arguments: dict[str, Any], said: str, refused: Refused) -> None:
    assert re.search(said, refused(name, **arguments))


def test_too_many_searches(call: Call, refused: Refused) -> None:
    jobs = [content(call("start_search", source="iris"))["job"] for _ in range(2)]
    assert jobs == ["iris", "iris-2"]
    assert "2 searches run already (iris-2, iris) and the server allows 2 at once" in refused(
        "start_search", source="iris"
    )
    assert {job["state"] for job in content(call("list_jobs"))["jobs"]} <= {"starting", "running"}
    assert content(call("stop_search", job="iris", how="now"))["state"] == "stopped"


def test_what_is_asked_of_a_search_reaches_its_job(call: Call, root: Path) -> None:
    call("start_search", source="iris", proxies=["nwot", "synflow"], objectives=["params"], drop=["petal"], trials=3)
    spec = json.loads((root / ".nasturtium" / "jobs" / "iris" / "spec.json").read_text())
    assert spec["options"]["proxies"] == ["nwot", "synflow"]
    assert spec["options"]["objectives"] == ["params"]
    assert " ".join(spec["command"]).endswith("--objective params --proxies nwot,synflow")


def test_a_defect_of_ours_tells_the_client_nothing_of_it(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    from nasturtium.workflows import profiling

    def broken(options: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(profiling, "profile_source", broken)
    assert refused("profile_data", source="iris") == "Error executing tool profile_data"


def test_a_profile(call: Call) -> None:
    found = content(call("profile_data", source="iris"))
    assert (found["rows"], found["task"], found["metric"]) == (150, "classification", "accuracy")
    assert found["duplicates"] >= 1


def test_what_a_run_found_and_why(call: Call, made_run: Callable[..., Path]) -> None:
    made_run("a", 0.9)
    found = content(call("show_result", run="runs/a"))
    assert (found["run"], found["metric"], found["best"]["test"]) == ("runs/a", "accuracy", 0.9)
    assert found["files"] == {"onnx": "runs/a/best/model.onnx"}
    why = content(call("explain", run="runs/a"))
    assert why["choice"] == [
        "found (found): mean 0.85 over 2 resplits.",
        "found against linear: +0.3 (0.1 … 0.5), p = 0.01; corrected t-test.",
    ]
    assert why["limits"] == ["params: 100 of at most 200, counted"]
    assert why["warnings"] == ["A note."]
    [run] = content(call("list_runs"))["runs"]
    assert (run["run"], run["finished"], run["validation"]) == ("runs/a", True, 0.9)


def test_runs_on_the_same_rows_are_compared_by_validation_scores(call: Call, made_run: Callable[..., Path]) -> None:
    made_run("a", 0.8)
    made_run("bb", 0.9)
    found = content(call("compare", runs=["runs/a", "runs/bb"]))
    assert found["comparable"]
    assert [one["run"] for one in found["runs"]] == ["runs/bb", "runs/a"]
    assert found["sentence"].startswith(
        "runs/bb has the best validation score (accuracy 0.9 against 0.8). Choose by val"
    )


def test_of_an_error_the_smaller_is_better(call: Call, made_run: Callable[..., Path]) -> None:
    made_run("a", 0.8, metric="rmse")
    made_run("bb", 0.9, metric="rmse")
    assert content(call("compare", runs=["runs/a", "runs/bb"]))["runs"][0]["run"] == "runs/a"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"seed": 1}, "They split the data differently (another seed or split), so their rows differ."),
        ({"data": "xyz"}, "They saw different data."),
        ({"metric": "macro-f1"}, "They were judged by different metrics: accuracy, macro-f1."),
    ],
)
def test_other_runs_are_not_comparable(
    other: dict[str, Any], why: str, call: Call, made_run: Callable[..., Path]
) -> None:
    made_run("a", 0.8)
    made_run("bb", 0.9, **other)
    found = content(call("compare", runs=["runs/a", "runs/bb"]))
    assert (found["comparable"], found["sentence"]) == (False, f"These scores may not be compared: {why}")


def test_a_model_is_handed_over_and_nothing_overwritten(
    call: Call, refused: Refused, made_run: Callable[..., Path], root: Path
) -> None:
    made_run("a", 0.8)
    found = content(call("export_model", run="runs/a", output="handed", form="onnx"))
    assert found["files"] == {"model.onnx": 4, "MODEL_CARD.md": 7}
    assert (root / "handed" / "model.onnx").read_bytes() == b"onnx"
    assert "holds something, which is never overwritten" in refused("export_model", run="runs/a", output="handed")
    assert "has no best/model.py" in refused("export_model", run="runs/a", output="other", form="pytorch")


def test_the_evidence_is_handed_over_with_the_model(call: Call, made_run: Callable[..., Path], root: Path) -> None:
    run = made_run("a", 0.8)
    bare = content(call("export_model", run="runs/a", output="bare"))
    assert set(bare["files"]) == {"model.onnx", "MODEL_CARD.md", "result.json"}
    assert any("There is no report.html; write it with: nasturtium report" in note for note in bare["notes"])
    (run / "report.html").write_text("<!doctype html>")
    whole = content(call("export_model", run="runs/a", output="whole"))
    assert set(whole["files"]) == {"model.onnx", "MODEL_CARD.md", "result.json", "report.html"}
    for name in ("report.html", "result.json"):
        assert (root / "whole" / name).read_bytes() == (run / name).read_bytes()
    assert not any("no report.html" in note for note in whole["notes"])


def ask(desk: Desk, mode: str, answer: Any, **arguments: Any) -> CallToolResult:
    async def talk() -> CallToolResult:
        async with Client(make_server(desk), elicitation_callback=answer, mode=mode) as client:
            return await client.call_tool("advise", arguments)

    return anyio.run(talk)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("action", ["accept", "decline", None])
def test_questions_are_put_to_the_user_where_the_client_can(desk: Desk, mode: str, action: Any) -> None:
    forms: list[dict[str, Any]] = []

    async def answer(context: Any, params: Any) -> ElicitResult:
        forms.append(params.requested_schema["properties"])
        return ElicitResult(action=action, content={"device": "phone"} if action == "accept" else None)

    need = {"task": "classification", "modality": "image", "rows": 5000}
    plan = content(ask(desk, mode, None if action is None else answer, need=need))
    assert len(forms) == (0 if action is None else 1)
    assumed = {one["field"]: one["value"] for one in plan["assumptions"]}
    if forms:
        assert 1 <= len(forms[0]) <= 5
        assert all(question["title"].endswith("?") for question in forms[0].values())
    assert ("device" in assumed) == (action != "accept")


def test_an_answer_that_makes_no_sense_is_told(desk: Desk) -> None:
    async def answer(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"device": "toaster"})

    need = {"task": "classification", "modality": "image", "rows": 5000}
    answered = ask(desk, "auto", answer, need=need)
    assert answered.is_error
    assert "toaster" in str(answered.content)


def test_resources(desk: Desk, made_run: Callable[..., Path], root: Path) -> None:
    made_run("a", 0.8)
    made_run("bad", 0.8)
    (root / "runs" / "bad" / "report.html").symlink_to("/etc/passwd")

    async def read() -> None:
        async with Client(make_server(desk)) as client:
            card = await client.read_resource("nasturtium://runs/runs%2Fa/MODEL_CARD.md")
            assert getattr(card.contents[0], "text", "") == "# card\n"
            known = {str(one.uri) for one in (await client.list_resources()).resources}
            assert "nasturtium://knowledge/architectures" in known
            entries = await client.read_resource("nasturtium://knowledge/architectures")
            assert json.loads(getattr(entries.contents[0], "text", ""))["architectures"][0]["source"]
            with pytest.raises(MCPError, match="leads outside"):
                await client.read_resource("nasturtium://runs/runs%2Fbad/report.html")
            with pytest.raises(MCPError, match="Unknown resource"):
                await client.read_resource("nasturtium://runs/..%2F..%2Fetc/result.json")

    anyio.run(read)


def test_prompts_name_tools_that_exist(desk: Desk) -> None:
    async def read() -> tuple[list[str], set[str]]:
        async with Client(make_server(desk)) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            texts = [client.instructions or ""]
            for prompt in (await client.list_prompts()).prompts:
                given = {one.name: "x" for one in prompt.arguments or []}
                got = await client.get_prompt(prompt.name, given)
                texts.append(getattr(got.messages[0].content, "text", ""))
            return texts, tools

    texts, tools = anyio.run(read)
    assert len(texts) == 5
    named = set(re.findall(r"\b[a-z]+_[a-z]+\b", " ".join(texts))) - {"wait_s"}
    assert named <= tools


def test_the_agents_file_and_the_documents_name_every_tool(desk: Desk) -> None:
    async def read() -> set[str]:
        async with Client(make_server(desk)) as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    tools = anyio.run(read)
    agent = (ROOT / "agents" / "neural-architecture-optimizer.md").read_text()
    front, _, text = agent.removeprefix("---\n").partition("\n---\n")
    fields = dict(line.split(": ", 1) for line in front.splitlines())
    assert fields["name"] == "neural-architecture-optimizer"
    assert len(fields["description"]) > 100
    assert set(re.findall(r"mcp__nasturtium__(\w+)", fields["tools"])) == tools
    assert set(re.findall(r"`([a-z]+_[a-z]+)`", text)) <= tools | {"wait_s"}
    page = (ROOT / "docs" / "assistants.md").read_text()
    assert set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)) == tools


def test_every_tool_and_argument_is_described(desk: Desk) -> None:
    async def read() -> list[Any]:
        async with Client(make_server(desk)) as client:
            return (await client.list_tools()).tools

    for tool in anyio.run(read):
        assert tool.description, tool.name
        assert tool.output_schema, tool.name
        assert not tool.input_schema["additionalProperties"], tool.name
        silent = [name for name, one in tool.input_schema["properties"].items() if not one.get("description")]
        assert silent == [], tool.name


def test_a_search_takes_what_the_command_line_takes_but_two_options(desk: Desk) -> None:
    async def read() -> set[str]:
        async with Client(make_server(desk)) as client:
            [tool] = [one for one in (await client.list_tools()).tools if one.name == "start_search"]
            return set(tool.input_schema["properties"])

    spelled = {"limits": "max_params", "budget_s": "budget", "first": "earlier"}
    wanted = {spelled.get(one.name, one.name) for one in fields(SearchOptions)}
    assert wanted - anyio.run(read) == {"accelerator", "control"}


def test_the_configuration_snippets_start_a_command_that_exists() -> None:
    import tomllib

    from typer.main import get_command

    from nasturtium.cli import app

    page = (ROOT / "docs" / "assistants.md").read_text()
    held = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    held += [tomllib.loads(one) for one in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    assert len(held) == 3
    command = get_command(app).commands["mcp"]  # type: ignore[attr-defined]
    for one in held:
        [servers] = one.values()
        assert servers["nasturtium"]["command"] == "nasturtium"
        first, *rest = servers["nasturtium"]["args"]
        assert first == "mcp"
        command.make_context("mcp", rest)


def test_options_of_the_server_are_checked() -> None:
    from nasturtium.mcp_server import serve

    with pytest.raises(UserError, match="--max-jobs is 0: at least 1 is needed"):
        serve(max_jobs=0)
    with pytest.raises(UserError, match="--root '/nowhere' is not a folder"):
        serve(["/nowhere"])
    with pytest.raises(UserError, match=r"--http is 99999: a port lies between 1 and 65535"):
        serve(http=99999)
    with pytest.raises(UserError, match="'soon' is not a duration"):
        serve(max_budget="soon")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from nasturtium import mcp_server

    monkeypatch.setattr(mcp_server, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"The MCP server needs mcp\. .* pip install 'nasturtium\[mcp\]'"):
        mcp_server.serve()
