"""A language model as proposer, against a scripted endpoint on this machine."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nasturtium.errors import RunError
from nasturtium.space import Architecture, Space, choice, integer, optional, real
from nasturtium.strategies import Llm, Random, strategy
from nasturtium.strategies._llm_endpoint import Endpoint, NoReply
from nasturtium.strategies._llm_record import Record
from nasturtium.strategies._llm_reply import proposals
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, simulate
from nasturtium.trial import History, Objective

SPACE = Space((choice("relu", "silu"), integer(1, 8), optional((choice(3, 5, 7), real(0.1, 1.0)))), name="small")
CANDIDATES = SpaceCandidates(SPACE)
EMPTY = History((Objective("loss0", "minimize"),))
GOOD = {"0": "silu", "1": 7, "2": "off"}


def said(*decisions: Any) -> str:
    return json.dumps({"architectures": [{"reason": "why not", "decisions": one} for one in decisions]})


@dataclass
class Script:
    """What the endpoint answers: a text, a status, raw bytes, or a function that writes by itself."""

    answers: list[Any]
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def endpoint(self, timeout_s: float = 5.0) -> Endpoint:
        return Endpoint(self.url, "tiny", "secret", timeout_s)


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    servers = []

    def start(*answers: Any) -> Script:
        held = Script(list(answers))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                held.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                held.headers.append({name.lower(): value for name, value in self.headers.items()})
                answer = held.answers[min(len(held.asked), len(held.answers)) - 1]
                if callable(answer):
                    answer(self)
                    return
                status = answer if isinstance(answer, int) else 200
                text = answer if isinstance(answer, str) else ""
                body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
                body = answer if isinstance(answer, bytes) else body
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *given: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        held.url = f"http://127.0.0.1:{server.server_port}/v1"
        return held

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def always(script: Script, **more: Any) -> Llm:
    """Every trial is the model's."""
    return Llm(script.endpoint(), fallback=Random(), share=1.0, **more)


def values(found: list[Architecture]) -> list[dict[str, Any]]:
    return [dict(one.values) for one in found]


def test_what_the_model_proposes_is_proposed(script: Callable[..., Script]) -> None:
    held = script(said(GOOD))
    assert values(always(held).ask(EMPTY, 1, 0, CANDIDATES)) == [dict(SPACE.architecture(GOOD).values)]
    assert held.asked[0]["model"] == "tiny"
    assert held.headers[0]["authorization"] == "Bearer secret"


def test_the_prompt_holds_the_space_the_history_and_the_limits(script: Callable[..., Script]) -> None:
    held = script(said(GOOD))
    history = simulate(Random(), CANDIDATES, lambda one: (0.25 + int(one.tree[1]),), 9)
    always(held, about="Limits: params at most 20k.").ask(history, 1, 0, CANDIDATES)
    text = held.asked[0]["messages"][1]["content"]
    assert "Limits: params at most 20k." in text
    assert "minimize loss0" in text
    assert "relu | silu" in text
    assert "1 … 8" in text
    best = min(trial.measures["loss0"] for trial in history.scored)
    listed = text.partition("The best trials so far, the best first:\n")[2].splitlines()
    assert json.loads(listed[0])["loss0"] == best
    assert '"failure": "simulated"' in text


def test_each_proposal_is_validated_deduplicated_and_held_to_the_limits(script: Callable[..., Script]) -> None:
    known = SPACE.architecture(GOOD)
    dear = {"0": "relu", "1": 8, "2": "off"}
    fine = {"0": "relu", "1": "3", "2": "off"}  # a number as text is understood
    held = script(said(GOOD, {"0": "gelu", "1": 1}, {"nowhere": 1}, {"0": "relu", "1": 99}, dear, fine, fine))
    within = SpaceCandidates(SPACE, lambda one: one.tree[1] < 8)
    history = simulate(Listed([known]), within, lambda one: (1.0,), 1, failing=0)
    found = always(held).ask(history, 2, 0, within)
    assert found[0].values["1"] == 3
    assert len({known.arch_id, *(one.arch_id for one in found)}) == 3
    assert all(within.feasible(one) for one in found)


def test_decisions_that_are_left_out_are_the_best_trials(script: Callable[..., Script]) -> None:
    held = script(said({"1": 2}))
    history = simulate(Listed([SPACE.architecture(GOOD)]), CANDIDATES, lambda one: (1.0,), 1, failing=0)
    [found] = always(held).ask(history, 1, 0, CANDIDATES)
    assert dict(found.values) == {**dict(SPACE.architecture(GOOD).values), "1": 2}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (503, "it answered 503 Service Unavailable"),
        (b"<html>", "its answer is not that of a chat endpoint"),
        (b'{"choices": []}', "its answer is not that of a chat endpoint"),
        ("", "its answer is empty"),
        (b"x" * 1_100_000, "its answer is longer than 1,000,000 bytes"),
    ],
)
def test_an_endpoint_that_answers_nonsense_is_replaced_with_a_remark(
    script: Callable[..., Script], answer: Any, why: str
) -> None:
    asked = always(script(answer))
    assert values(asked.ask(EMPTY, 2, 3, CANDIDATES)) == values(Random().ask(EMPTY, 2, 3, CANDIDATES))
    assert asked.remarks() == [f"tiny at 127.0.0.1 gave no reply to 1 of 1 questions ({why}); random proposed instead."]


def test_an_endpoint_that_is_down_is_asked_three_times_and_no_more() -> None:
    asked = Llm(Endpoint("http://127.0.0.1:9/v1", "tiny", timeout_s=2), fallback=Random(), share=1.0)
    history = simulate(asked, CANDIDATES, lambda one: (1.0,), 8)
    assert len(history.trials) == 8
    [told] = asked.remarks()
    assert told.startswith("tiny at 127.0.0.1 gave no reply to 3 of 3 questions (it cannot be reached")
    assert told.endswith("It was then not asked again.")


@pytest.mark.parametrize("drops", [False, True])
def test_a_slow_endpoint_costs_the_timeout_and_no_more(script: Callable[..., Script], drops: bool) -> None:
    def dawdle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(40):
            if drops:  # each byte comes in time, the whole does not
                handler.wfile.write(b" ")
                handler.wfile.flush()
            time.sleep(0.1)

    held = script(dawdle)
    began = time.monotonic()
    with pytest.raises(NoReply, match=r"no answer within 0\.5 s"):
        held.endpoint(0.5).reply([{"role": "user", "content": "?"}])
    assert time.monotonic() - began < 3


def test_a_redirection_does_not_carry_the_key_away(script: Callable[..., Script]) -> None:
    other = script(said(GOOD))

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("Location", f"{other.url}/chat/completions")
        handler.end_headers()

    with pytest.raises(NoReply, match="it answered 307"):
        script(redirect).endpoint().reply([{"role": "user", "content": "?"}])
    assert other.asked == []


def test_a_resumed_search_does_not_ask_again(script: Callable[..., Script], tmp_path: Path) -> None:
    held = script(said(GOOD, {"0": "relu", "1": 4, "2": "off"}))
    file = tmp_path / "llm.jsonl"
    first = replace(always(held), record=Record(file))
    before = values(first.ask(EMPTY, 1, 0, CANDIDATES))
    held.answers = [said({"0": "relu", "1": 1, "2": "off"})]  # the model has changed its mind
    again = replace(always(held), record=Record(file))
    assert values(again.ask(EMPTY, 1, 0, CANDIDATES)) == before
    assert len(held.asked) == 1
    assert "secret" not in file.read_text()
    whole = simulate(again, CANDIDATES, lambda one: (float(one.tree[1]),), 6)
    asked = len(held.asked)
    replayed = simulate(replace(always(held), record=Record(file)), CANDIDATES, lambda one: (float(one.tree[1]),), 6)
    assert [one.architecture for one in replayed.trials] == [one.architecture for one in whole.trials]
    assert len(held.asked) == asked


def test_failures_are_recorded_too(script: Callable[..., Script], tmp_path: Path) -> None:
    held = script(500)
    file = tmp_path / "llm.jsonl"
    replace(always(held), record=Record(file)).ask(EMPTY, 1, 0, CANDIDATES)
    held.answers = [said(GOOD)]
    again = replace(always(held), record=Record(file))
    assert values(again.ask(EMPTY, 1, 0, CANDIDATES)) == values(Random().ask(EMPTY, 1, 0, CANDIDATES))
    assert len(held.asked) == 1


def test_a_torn_record_is_read_as_far_as_it_goes(script: Callable[..., Script], tmp_path: Path) -> None:
    held = script(said(GOOD))
    file = tmp_path / "llm.jsonl"
    replace(always(held), record=Record(file)).ask(EMPTY, 1, 0, CANDIDATES)
    file.write_text(file.read_text() + '{"prompt": "ab')
    assert len(Record(file).answers) == 1


def test_a_record_that_cannot_be_written_does_not_end_the_search(script: Callable[..., Script], tmp_path: Path) -> None:
    asked = replace(always(script(said(GOOD))), record=Record(tmp_path / "nowhere" / "llm.jsonl"))
    assert len(asked.ask(EMPTY, 1, 0, CANDIDATES)) == 1


def test_every_second_trial_is_the_models(script: Callable[..., Script]) -> None:
    held = script(said(GOOD))
    simulate(replace(always(held), share=0.5), CANDIDATES, lambda one: (1.0,), 8)
    assert len(held.asked) == 4


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"Sure!\n```json\n{said(GOOD)}\n```\nHope it helps {{}}.", 1),
        (json.dumps([GOOD, GOOD]), 2),
        (json.dumps({"decisions": GOOD}), 1),
        ("I think {deeper} is better [1].", 0),
        ("[" * 5000, 0),
        ('{"architectures": "many"}', 0),
        ('{"architectures": [7, null, {"decisions": {"1": [2]}}, {"decisions": {"1": NaN}}]}', 0),
        ('{"architectures": [{"decisions": {"0": "\\ud800", "1": 1}}]}', 0),
    ],
)
def test_architectures_are_found_in_whatever_is_written(text: str, count: int) -> None:
    found = list(proposals(text, SPACE, {}))
    assert sum(isinstance(one, Architecture) for one in found) == count
    assert all(isinstance(one, Architecture) or one for one in found)


def test_without_an_endpoint_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASTURTIUM_LLM_URL", raising=False)
    alone = strategy("llm")
    assert values(list(alone.ask(EMPTY, 2, 1, CANDIDATES))) == values(
        list(strategy("auto").ask(EMPTY, 2, 1, CANDIDATES))
    )
    assert isinstance(alone, Llm)
    assert alone.remarks() == [
        "The strategy llm has no model (NASTURTIUM_LLM_URL is not set): auto proposed every trial."
    ]


def test_the_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASTURTIUM_LLM_URL", "http://localhost:1234/v1/")
    monkeypatch.delenv("NASTURTIUM_LLM_MODEL", raising=False)
    with pytest.raises(RunError, match="NASTURTIUM_LLM_MODEL is not: name the model to ask"):
        strategy("llm")
    monkeypatch.setenv("NASTURTIUM_LLM_MODEL", "tiny")
    monkeypatch.setenv("NASTURTIUM_LLM_KEY", "secret")
    made = strategy("llm")
    assert isinstance(made, Llm)
    assert made.endpoint == Endpoint("http://localhost:1234/v1", "tiny", "secret", 30.0)
    assert "secret" not in repr(made)
    monkeypatch.setenv("NASTURTIUM_LLM_TIMEOUT", "soon")
    with pytest.raises(RunError, match="NASTURTIUM_LLM_TIMEOUT is 'soon': give seconds, such as 30"):
        strategy("llm")
    monkeypatch.setenv("NASTURTIUM_LLM_TIMEOUT", "30")
    monkeypatch.setenv("NASTURTIUM_LLM_URL", "localhost:1234")
    with pytest.raises(RunError, match="NASTURTIUM_LLM_URL is 'localhost:1234': it must be like http"):
        strategy("llm")


@dataclass(frozen=True)
class Listed:
    """Proposes what it was given."""

    architectures: list[Architecture]
    name: str = "listed"

    def ask(self, history: History, count: int, seed: int, candidates: Any) -> list[Architecture]:
        return self.architectures[len(history.trials) :][:count]


class TestLlmWithoutAnEndpoint(StrategySuite):
    def strategy(self) -> Llm:
        return Llm(None, fallback=Random())
