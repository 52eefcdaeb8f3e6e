"""A search for another device: its limits, where they come from, and what of it cannot be measured here."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nasturtium.advisor import decide, given
from nasturtium.errors import LimitError, UserError
from nasturtium.hardware import find_device
from nasturtium.hardware.limits import parse_amount
from nasturtium.task import Signal, Task
from nasturtium.workflows.advising import AdviseOptions, advise
from nasturtium.workflows.bounding import Bounded, bounded
from nasturtium.workflows.checking import check_options, check_space
from nasturtium.workflows.command import search_command
from nasturtium.workflows.needs import NeedOptions
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.planned import with_plan
from nasturtium.workflows.record import limit_record
from nasturtium.workflows.resume import kept_options
from nasturtium.workflows.shipping import LimitCheck

Cli = Callable[..., subprocess.CompletedProcess[str]]
IN_INT8 = 4
"""What a device that computes in int8 holds counts so many times more in float32."""
SHARE = 0.75
"""Of a microcontroller that a network may have."""


def of(device: str, *objectives: str, **limits: str | float) -> Bounded:
    return bounded(SearchOptions("digits", device=device, limits=limits, objectives=objectives))


def test_what_a_device_holds_becomes_a_limit_with_its_source() -> None:
    board, found = find_device("stm32f746"), of("stm32f746")
    assert board.flash_bytes is not None
    assert dict(found.limits.items()) == {
        "memory": board.memory_bytes * SHARE * IN_INT8,
        "size": board.flash_bytes * SHARE * IN_INT8,
    }
    assert set(found.derived) == {"memory", "size"}
    assert found.derived["memory"] == (
        "STM32F746 (Cortex-M7 at 216 MHz) has 246 KB of memory for the network; in int8 that holds what counts 983 KB "
        f"in float32 ({board.source})"
    )
    assert found.sentences()[0].startswith("The limit of 983 KB memory follows from --device stm32f746: STM32F746")
    assert "Latency in this result is that of this machine, not of stm32f746" in found.sentences()[-1]


@pytest.mark.parametrize("device", ["stm32f746", "esp32_s3", "microcontroller", "phone", "raspberry-pi-5", "coral-usb",
                                    "microcontroller:memory=64KB,flash=256KB", "this-machine"])  # fmt: skip
def test_a_search_has_the_limits_that_advice_derives(device: str) -> None:
    need = given({"task": "classification", "modality": "image", "device": device, "max_size": "200KB"}, "here")
    assert of(device, size="200KB").limits == decide(need).bounds.limits


def test_a_tighter_limit_of_the_users_stays_and_a_looser_one_gives_way() -> None:
    found = of("stm32f746", memory="64KB", size="1GB", params="20k")
    assert dict(found.limits.items()) == {"params": 20e3, "memory": 64e3, "size": 2**20 * SHARE * IN_INT8}
    assert [(one["name"], one["origin"]) for one in found.to_json()] == [
        ("params", "given"),
        ("memory", "given"),
        ("size", "derived"),
    ]
    assert found.to_json()[0]["reason"] is None
    assert "datasheet" in found.to_json()[2]["reason"]
    all_given = of("stm32f746", memory="64KB", size="64KB")
    assert all_given.derived == {}
    assert all_given.sentences()[0] == (
        "--device stm32f746 sets no limit of its own: those that were given are tighter."
    )


def test_this_machine_bounds_nothing_and_an_ample_device_says_so() -> None:
    for name in ("this-machine", "this_machine"):
        found = of(name, latency="2ms")
        assert dict(found.limits.items()) == {"latency_ms": 2.0}
        assert found.sentences() == []
    assert of("raspberry-pi-5").sentences()[0] == (
        "--device raspberry-pi-5 sets no limit of its own: what it holds is ample for a network."
    )


def test_a_latency_of_another_device_is_refused_with_the_macs_that_its_speed_makes_of_it() -> None:
    reached = 0.2 * max(find_device("stm32f746").macs_a_second.values())
    with pytest.raises(LimitError) as caught:
        check_options(SearchOptions("digits", device="stm32f746", limits={"latency": "2ms"}))
    words = str(caught.value)
    assert words == (
        "--max-latency is measured on this machine, and the latency of stm32f746 cannot be measured here. Give "
        "--max-macs 173k instead: 2 ms at the 86.4M MACs a second that a small network may reach there, an estimate."
    )
    assert parse_amount("macs", "173k") == pytest.approx(2e-3 * reached, rel=0.005)
    assert of("laptop", latency="2ms").limits.latency_ms == 2.0, "a class that is like this machine"
    with pytest.raises(LimitError, match="the latency of phone cannot be measured here"):
        of("phone", latency="2ms")


def test_latency_is_no_objective_for_another_device() -> None:
    with pytest.raises(UserError, match=r"--objective latency is measured on this machine.* Give --objective macs"):
        of("stm32f746", "latency")
    assert of("this-machine", "latency").limits.items() == ()


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("stm32f747", "Unknown device 'stm32f747'. Did you mean 'stm32f746'"),
        ("this-machin", "Unknown device 'this-machin'. Did you mean 'this-machine'?"),
        ("fridge:memory=1MB", "A device that is described begins with its class, not 'fridge'."),
        ("phone:ram=1", "A device has no figure 'ram=1'."),
        (" ", "The field 'device' is empty."),
    ],
)
def test_an_unknown_device_gets_the_nearest_names(device: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        check_options(SearchOptions("digits", device=device))
    assert str(caught.value).startswith(words)


def test_where_nothing_fits_the_device_the_refusal_names_it() -> None:
    task = Task("classification", Signal("image", (3, 512, 512)), 2, "accuracy", ("a", "b"))
    options = SearchOptions("pets", device="microcontroller:memory=256KB,flash=1MB")
    with pytest.raises(LimitError, match=r"limits on memory and size follow from --device microcontroller:mem.*more\."):
        check_space(options, task, check_options(options))
    own = SearchOptions("pets", limits={"memory": "256KB"})
    with pytest.raises(LimitError, match=r"fewer blocks\.$"):
        check_space(own, task, check_options(own))


def test_the_result_says_of_each_limit_where_it_is_from() -> None:
    session: Any = SimpleNamespace(options=SearchOptions("digits", device="stm32f746", limits={"params": "20k"}))
    own = limit_record(session, LimitCheck("params", 20e3, 4210.0, "counted"))
    assert (own["origin"], own["reason"], own["ok"]) == ("given", None, True)
    derived = limit_record(session, LimitCheck("size", 3145728.0, 4e6, "measured"))
    assert (derived["origin"], derived["ok"]) == ("derived", False)
    assert "786 KB of flash" in derived["reason"]


def test_a_resumed_run_keeps_its_device() -> None:
    options = SearchOptions("digits", device="stm32f746", limits={"params": "20k"})
    held = json.loads(json.dumps({one.name: getattr(options, one.name) for one in fields(options)}))
    again = kept_options(held)
    assert again.device == "stm32f746"
    assert bounded(again) == bounded(options)
    assert search_command(options)[3:] == ["--max-params", "20k", "--device", "stm32f746"]


@pytest.fixture
def plan_file(tmp_path: Path) -> Callable[..., str]:
    """Write a plan for images of 8 x 8 with these flags; its path."""

    def write(**flags: Any) -> str:
        path = str(tmp_path / "plan.json")
        need = {"task": "classification", "modality": "image", "input": "1x8x8", "rows": 1797, **flags}
        advise(AdviseOptions(None, need=NeedOptions(need), pilot=False, output=path))
        return path

    return write


def test_a_plan_gives_a_search_its_device(plan_file: Callable[..., str]) -> None:
    path = plan_file(device="stm32f746", max_latency="2ms", max_params="20k")
    options = with_plan(SearchOptions("digits"), path)
    assert options.device == "stm32f746"
    assert {name: one["origin"] for one in bounded(options).to_json() for name in [one["name"]]} == {
        "params": "given",
        "macs": "given",  # by the plan, which made it of the latency
        "memory": "derived",
        "size": "derived",
    }
    assert bounded(options).limits.macs == pytest.approx(2e-3 * 0.2 * 432e6)


def test_another_device_than_the_plans_has_its_own_limits(plan_file: Callable[..., str]) -> None:
    path = plan_file(device="stm32f746", max_latency="2ms", max_params="20k")
    options = with_plan(SearchOptions("digits", device="raspberry-pi-5"), path)
    assert options.device == "raspberry-pi-5"
    assert dict(bounded(options).limits.items()) == {"params": 20e3, "macs": pytest.approx(2e-3 * 0.2 * 76.8e9)}
    here = with_plan(SearchOptions("digits", device="laptop", limits={"params": "5k"}), path)
    assert bounded(here).limits == replace(bounded(here).limits, params=5e3, latency_ms=2.0, memory=None, size=None)


def test_a_device_that_was_only_assumed_is_not_taken(plan_file: Callable[..., str]) -> None:
    options = with_plan(SearchOptions("digits"), plan_file(max_params="20k"))
    assert options.device == "this-machine"
    assert options.limits == {"params": 20e3}


@pytest.mark.slow
def test_a_run_for_a_device_tells_its_limits_from_the_beginning_to_the_end(
    cli: Cli, small_digits: Path, tmp_path: Path
) -> None:
    done = cli("search", str(small_digits), "--device", "microcontroller:memory=64KB,flash=12KB", "--max-params", "3k",
               "--trials", "2", "-o", "run", cwd=tmp_path, quick=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["options"]["device"] == "microcontroller:memory=64KB,flash=12KB"
    assert [(one["name"], one["limit"], one["origin"]) for one in manifest["limits"]] == [
        ("params", 3000.0, "given"),
        ("memory", 256e3, "derived"),
        ("size", 48e3, "derived"),
    ]
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert [(one["name"], one["limit"], one["origin"]) for one in result["limits"]] == [
        (one["name"], one["limit"], one["origin"]) for one in manifest["limits"]
    ]
    assert all(one["ok"] for one in result["limits"])
    assert result["best"]["size"] <= 48e3
    assert any(note.startswith("The limit of 48 KB size follows from --device microcontroller:") for note in
               result["notes"])  # fmt: skip
    assert "your description" in result["limits"][2]["reason"]
