"""`nasturtium advise`, and a search that starts from its plan or from earlier runs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasturtium.advisor import Plan, Question
from nasturtium.blocks import counted
from nasturtium.errors import RunError, UserError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.space import Space, choice, integer
from nasturtium.strategies import strategy
from nasturtium.strategies.warm_start import WarmStart
from nasturtium.task import Signal, Task
from nasturtium.workflows.advising import AdviseOptions, advise
from nasturtium.workflows.foreseeing import foresee
from nasturtium.workflows.needs import NeedOptions
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.piloting import Pilot, Tried
from nasturtium.workflows.planned import read_plan, with_plan, with_runs
from nasturtium.workflows.transfer import FAR, brought, distance, warmed
from nasturtium.zoo import GENOTYPES, conv_macro, darts, nasbench201, published_network

Cli = Callable[..., Any]
TASK = Task("classification", Signal("image", (1, 8, 8)), 3, "accuracy", ("0", "1", "7"))


def advised(source: Any = None, *, output: str | None = None, ask: Any = None, **flags: Any) -> Plan:
    return advise(AdviseOptions(source, need=NeedOptions(flags), pilot=False, output=output), ask=ask)


@pytest.fixture(scope="module")
def plan_file(small_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    advised(str(small_digits), output=str(path), max_params="3k", budget_s=50)
    return path


def test_the_command_prints_one_json_object_and_never_waits(cli: Cli, small_digits: Path, tmp_path: Path) -> None:
    done = cli("advise", str(small_digits), "--max-params", "3k", "--no-pilot", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert {"assumptions", "questions", "baselines", "proposals", "search"} <= set(plan)
    assert plan["need"]["rows"] == {"value": 360, "origin": "measured", "where": "in three.npz"}
    assert all(one["params"] <= 3000 for one in plan["proposals"])
    assert [path.name for path in tmp_path.iterdir()] == [], "advise leaves nothing behind"


def test_a_need_alone_is_enough(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "need.toml").write_text('task = "segmentation"\ndevice = "phone"\n')
    done = cli("advise", "--requirements", "need.toml", "--markdown", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Nasturtium cannot search or train networks for it yet" in done.stdout
    assert "## Known architectures" in done.stdout


def test_a_contradiction_ends_in_exit_code_2_with_numbers_and_no_traceback(cli: Cli, tmp_path: Path) -> None:
    done = cli("advise", "--modality", "image", "--device", "microcontroller:memory=256KB,flash=256KB",
               "--min-params", "1M", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 2
    assert "At least 1M parameters are wanted, which are 1 MB at one byte each (int8)" in done.stderr
    assert "Want at most 256k parameters, or take a device with 1MB for the weights." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_without_data_and_without_a_need_there_is_nothing_to_advise_on() -> None:
    with pytest.raises(UserError, match="There is nothing to advise on"):
        advised()


def test_answers_change_the_plan_and_enter_takes_the_default(small_digits: Path) -> None:
    asked: list[Question] = []

    def answer(question: Question) -> str | None:
        asked.append(question)
        return "microcontroller" if question.field == "device" else None

    plan = advised(str(small_digits), ask=answer)
    assert 1 <= len(asked) <= 5
    assert len({one.field for one in asked}) == len(asked)
    assert plan.need.fact("device") is not None
    assert plan.need.get("device") == "microcontroller"
    assert plan.target.kind == "microcontroller"


def test_data_of_a_task_without_a_reader_are_not_read() -> None:
    plan = advised("nowhere.csv", task="detection")
    assert not plan.trains
    assert plan.remarks[0] == "nowhere.csv was not read: Nasturtium has no reader for detection yet."


def test_what_the_data_say_goes_before_what_was_said_of_them(small_digits: Path) -> None:
    plan = advised(str(small_digits), rows=5000)
    assert plan.need.get("rows") == 360
    assert plan.remarks[0] == "You said rows 5,000, and the data says 360: the data counts."


def test_an_architecture_of_the_space_stands_in_the_plan_and_is_within_the_limits(plan_file: Path) -> None:
    plan = read_plan(str(plan_file))
    own = [one for one in plan["proposals"] if one["decisions"] is not None]
    assert len(own) == 1
    assert own[0]["fits"]
    space = conv_macro(TASK, max_params=3000)
    costs = CostModel(space)(space.architecture(own[0]["decisions"]))
    assert (costs["params"], costs["macs"]) == (own[0]["params"], own[0]["macs"])


def test_a_plan_gives_a_search_what_was_not_asked_for_otherwise(plan_file: Path) -> None:
    bare = with_plan(SearchOptions("x.npz"), str(plan_file))
    assert bare.limits == {"params": 3000.0}
    assert (bare.space, bare.strategy, bare.metric, bare.budget_s) == ("conv-macro", "auto", "accuracy", 50)
    assert [one["origin"] for one in bare.first] == ["plan plan.json"]
    own = with_plan(
        SearchOptions("x.npz", limits={"params": "1k"}, strategy="random", space="nasbench201", trials=4),
        str(plan_file),
    )
    assert (own.limits, own.strategy, own.space) == ({"params": "1k"}, "random", "nasbench201")
    assert (own.trials, own.budget_s) == (4, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a plan:"),
        ('{"a": 1}', "is not a plan of advise. Write one with"),
        ("[]", "is not a plan of advise"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(RunError, match=message):
        read_plan(str(tmp_path / "p.json"))
    with pytest.raises(RunError, match="No such file"):
        read_plan(str(tmp_path / "absent.json"))


def test_a_plan_for_what_cannot_be_searched_is_refused(tmp_path: Path) -> None:
    advised(output=str(tmp_path / "p.json"), task="segmentation")
    with pytest.raises(
        RunError, match="is for segmentation on image data, which Nasturtium cannot search or train yet"
    ):
        read_plan(str(tmp_path / "p.json"))


def test_the_best_of_an_earlier_run_start_the_next(run_folder: Path) -> None:
    options = with_runs(SearchOptions("three.npz"), [str(run_folder)])
    assert 1 <= len(options.first) <= 3
    assert json.loads(json.dumps(options.first[0]))["space"] == "conv-macro"
    space = conv_macro(TASK, max_params=3000)
    candidates = LimitedCandidates(space, CostModel(space), Limits(params=3000))
    found, why = warmed(strategy("random"), options.first, candidates, 20, options.first[0]["data"])
    assert isinstance(found, WarmStart)
    assert found.most == 2
    assert why is not None
    assert "run run" in why
    assert all(candidates.feasible(one) for one in found.given)


def test_a_run_without_trials_and_what_is_no_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run directory"):
        with_runs(SearchOptions("x.npz"), [str(tmp_path)])


SMALL = {"modality": "image", "task": "classification", "rows": 1000, "shape": [1, 8, 8], "outputs": 10}


def test_the_distance_of_profiles_is_that_of_their_sizes() -> None:
    assert distance(SMALL, SMALL) == 0
    assert distance(SMALL, {**SMALL, "rows": 10_000}) == pytest.approx(np.log(10))
    assert distance({**SMALL, "rows": 10_000}, SMALL) == pytest.approx(np.log(10))
    assert distance(SMALL, {**SMALL, "modality": "table"}) == np.inf
    assert distance(SMALL, {**SMALL, "rows": 10**6, "shape": [3, 224, 224]}) > FAR


def test_of_several_runs_that_on_the_most_similar_data_comes_first_and_a_far_one_is_left_out() -> None:
    space = Space((choice(8, 16, 24), integer(1, 4)), name="s")
    candidates = LimitedCandidates(space, None, Limits())
    runs = [
        {"space": "s", "decisions": {"0": "8", "1": 1}, "origin": "run a", "data": {**SMALL, "rows": 20_000}},
        {"space": "s", "decisions": {"0": "16", "1": 2}, "origin": "run b", "data": SMALL},
        {"space": "s", "decisions": {"0": "24", "1": 3}, "origin": "run c", "data": {**SMALL, "modality": "table"}},
    ]
    found, _ = warmed(strategy("random"), runs, candidates, 100, SMALL)
    assert isinstance(found, WarmStart)
    assert [dict(one.values) for one in found.given] == [{"0": "16", "1": 2}, {"0": "8", "1": 1}]
    plain, why = warmed(strategy("random"), runs[2:], candidates, 100, SMALL)
    assert not isinstance(plain, WarmStart)
    assert why == "None of the architectures that were to start the search fits its space and limits."


def test_widths_that_a_space_has_not_become_the_nearest() -> None:
    space = Space((choice(8, 16, 24), integer(1, 4), choice("relu", "gelu")), name="s")
    made = brought(space, {"space": "s", "decisions": {"0": "20", "1": 2, "2": "swish", "7": 1}})
    assert made is not None
    assert dict(made.values) == {"0": "16", "1": 2, "2": "gelu"}
    assert brought(space, {"space": "other", "decisions": {}}) is None


def test_published_cells_are_points_of_the_cell_spaces() -> None:
    task = Task("classification", Signal("image", (3, 16, 16)), 10, "accuracy", tuple("0123456789"))
    first = with_runs(SearchOptions("x.npz"), ["known-cells"]).first
    for space in (nasbench201(task, cells=1), darts(task, width=4, cells=3)):
        made = [brought(space, one) for one in first]
        cells = [one for one in made if one is not None]
        assert len(cells) >= 3
        assert len({one.arch_id for one in cells}) == len(cells)
    found = brought(space, next(one for one in first if one["origin"].startswith("darts-v2")))
    assert found is not None
    network = found.tree
    published = published_network(task, GENOTYPES["darts-v2"], width=4, length=3)
    assert counted(network.lower(task.input), task.input) == counted(published.lower(task.input), task.input)


def pilot(seconds: float, workers: int = 2) -> Pilot:
    space = conv_macro(TASK)
    tried = tuple(
        Tried(space.sample(seed), 1e5 * (seed + 1), 0.9, 60.0, seconds * (seed + 1), False) for seed in range(6)
    )
    return Pilot("accuracy", {"svc": (0.9, 0.1)}, tried, 60, workers, 14.0, 3.0)


def test_a_run_takes_longer_with_more_trials_and_slower_trainings_and_a_clock_bounds_it() -> None:
    few, many = (foresee(pilot(1.0), TASK, Limits(), trials, None) for trials in (10, 50))
    assert many.parts["search"] == pytest.approx(5 * few.parts["search"])
    assert foresee(pilot(2.0), TASK, Limits(), 10, None).seconds > few.seconds
    assert foresee(pilot(1.0, workers=4), TASK, Limits(), 10, None).seconds < few.seconds
    clocked = foresee(pilot(5.0), TASK, Limits(), None, 120.0)
    assert clocked.seconds == pytest.approx(120.0)
    assert 4 <= clocked.epochs < 60, "trials are shortened so that enough of them fit"
    assert foresee(pilot(0.1), TASK, Limits(), None, 600.0).epochs == 60


def test_the_estimate_of_time_has_an_interval() -> None:
    told = replace(foresee(pilot(1.0), TASK, Limits(), 10, None)).estimate("here")
    assert told.low is not None
    assert told.high is not None
    assert told.expected is not None
    assert told.low < told.expected < told.high
    assert told.known == "predicted"


@pytest.mark.slow
def test_a_pilot_measures_and_the_search_starts_from_its_plan(cli: Cli, small_digits: Path, tmp_path: Path) -> None:
    done = cli("advise", str(small_digits), "--max-params", "3k", "--json", "-o", "plan.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan["pilot"]["simple"]["majority"]["score"] > 0
    assert any(one["score"] is not None for one in plan["baselines"])
    options = ("--plan", "plan.json", "--trials", "4", "-o", "run", "--json")
    run = cli("search", str(small_digits), *options, cwd=tmp_path, quick=True)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["trials"] == 4
    assert any("The search begins with" in one for one in result["search"]["reasons"])
    assert [one["name"] for one in result["limits"]] == ["params"]
