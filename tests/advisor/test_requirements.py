"""Needs as people write them: fields, values, files, and what is said about mistakes."""

import json
from pathlib import Path
from typing import Any

import pytest

from nasturtium.advisor import Fact, Requirements, completed, decide, given
from nasturtium.advisor.targets import find_target
from nasturtium.errors import UserError
from nasturtium.workflows.needs import NeedOptions, differences, gather, read_needs


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("task", "Multi_Label", "multi-label"),
        ("task", "language modeling", "language-modelling"),
        ("rows", "10k", 10_000),
        ("input", "3x32x32", (3, 32, 32)),
        ("input", [9, 128], (9, 128)),
        ("input", 20, (20,)),
        ("max-params", "20k", 20_000.0),
        ("latency", "500us", 0.5),
        ("flash", "1MB", 1e6),
        ("max_energy", "300uJ", 0.3),
        ("noise", "10%", 0.1),
        ("interpretability", "required", True),
        ("license", "any", "any"),
        ("max_memory", "none", None),
        ("min_score", 0.9, 0.9),
    ],
)
def test_a_field_is_read_as_it_is_written(name: str, text: Any, value: Any) -> None:
    ((_, fact),) = given({name: text}, "here").items()
    assert fact == Fact(value, "given", "here")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tsak": "x"}, "A need has no field 'tsak'. Did you mean 'task'?"),
        (
            {"task": "clasification"},
            "The field 'task' cannot be 'clasification'. Did you mean 'classification' or 'forecasting'?",
        ),
        ({"rows": "many"}, "The field 'rows' is 'many': it must be a number."),
        ({"rows": 0}, "The field 'rows' is 0: it must be a whole number, 1 at least."),
        ({"input": "big"}, "The field 'input' is 'big': write channels x height x width as 3x32x32, or 1x128, or 20."),
        ({"noise": 1.5}, "The field 'noise' is 1.5: it is a share, 0 or more and below 1 (or 10%)."),
        ({"pretrained": "maybe"}, "The field 'pretrained' is 'maybe': write yes or no."),
        ({"max_energy": "-1mJ"}, "The field 'max_energy_mj' is -1: it must be above 0."),
        ({"imbalance": 0.5}, "The field 'imbalance' is 0.5: it must be 1 or more."),
    ],
)
def test_mistakes_are_named_with_the_mend(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        given(fields, "here")
    assert str(error.value) == message


def test_an_unknown_device_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(UserError, match=r"Unknown device 'raspbery-pi-4'\. Did you mean 'raspberry-pi-4'"):
        decide(given({"device": "Raspbery Pi 4"}, "here"))
    with pytest.raises(UserError, match="Or describe it by its figures: microcontroller:memory=256KB,flash=1MB"):
        decide(given({"device": "toaster"}, "here"))


def test_a_device_may_be_described_by_its_figures() -> None:
    target = find_target("microcontroller:memory=64KB,flash=256KB,macs=10M,power=0.02")
    assert (target.memory, target.flash, target.macs_a_second, target.power_w) == (64e3, 256e3, 10e6, 0.02)
    with pytest.raises(UserError, match=r"A device has no figure 'ram=1'\. "):
        find_target("phone:ram=1")
    with pytest.raises(UserError, match="begins with its class, not 'fridge'"):
        find_target("fridge:memory=1MB")


def test_a_shape_that_is_not_of_the_input_is_refused() -> None:
    with pytest.raises(UserError, match="The shape 32x32 is not one of the input 'image': it has 2 numbers"):
        decide(given({"modality": "image", "input": "32x32"}, "here"))


def test_what_was_given_measured_and_assumed_is_told_apart() -> None:
    need = given({"rows": 500}, "--rows").having("modality", "table", "measured", "in a.csv")
    whole = completed(need)
    assert whole.fact("rows") == Fact(500, "given", "--rows")
    assert whole.fact("modality") == Fact("table", "measured", "in a.csv")
    assert whole.fact("task") == Fact("classification", "assumed", "the usual case")
    assert Requirements.from_json(json.loads(json.dumps(whole.to_json()))) == whole


FILES = {
    "need.toml": 'task = "regression"\nrows = 500\nbudget = "10m"\n[device]\nkind = "phone"\nmemory = "1MB"\n',
    "need.yaml": 'task: regression\nrows: 500\nbudget: "10m"\ndevice:\n  kind: phone\n  memory: 1MB\n',
    "need.json": '{"task": "regression", "rows": 500, "budget": "10m", "device": {"kind": "phone", "memory": "1MB"}}',
}


@pytest.mark.parametrize("name", FILES)
def test_a_need_is_read_from_toml_yaml_and_json(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name])
    need = gather(NeedOptions({"rows": 700, "max_params": None}, requirements=str(tmp_path / name)))
    assert need.get("rows") == 700, "what is on the command line goes before a file"
    assert need.get("task") == "regression"
    assert need.get("budget_s") == 600.0
    assert need.get("device") == "phone:memory=1mb"
    assert need.fact("task") == Fact("regression", "given", f"in requirements {name}")


def test_answers_go_before_requirements(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('device = "phone"\n')
    (tmp_path / "r.toml").write_text('device = "gpu"\nrows = 10\n')
    need = gather(NeedOptions({}, str(tmp_path / "r.toml"), str(tmp_path / "a.toml")))
    assert (need.get("device"), need.get("rows")) == ("phone", 10)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bad.toml", "task = \n", "cannot be read: Invalid value"),
        ("bad.yaml", "task: [\n", "cannot be read: while parsing"),
        ("bad.json", "{", "cannot be read: Expecting property name"),
        ("list.json", "[1]", "must hold fields and values"),
    ],
)
def test_a_file_that_is_no_need_is_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        read_needs(str(tmp_path / name))
    with pytest.raises(UserError, match="No such file"):
        read_needs(str(tmp_path / "absent.toml"))


def test_where_the_data_say_otherwise_it_is_told() -> None:
    said = given({"rows": 10_000, "task": "classification"}, "here")
    seen = Requirements().having("rows", 1797, "measured").having("task", "classification", "measured")
    assert differences(said, seen) == ("You said rows 10,000, and the data says 1,797: the data counts.",)
