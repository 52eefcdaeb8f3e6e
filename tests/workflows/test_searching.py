"""What is searched: a bound on MACs that the user never gave must not end a run, nor does a space without decisions."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nasturtium.blocks import ConvBN, Head, sequence
from nasturtium.errors import LimitError, UserError
from nasturtium.hardware import Limits
from nasturtium.protocol import Plan
from nasturtium.space import Space
from nasturtium.task import Signal, Task
from nasturtium.workflows import search, searching
from nasturtium.workflows.baselines import Speed
from nasturtium.workflows.objectives import check_objectives, objectives_of
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.search import run_search_workflow
from nasturtium.zoo import mlp

TASK = Task("classification", Signal("table", (30,)), 2, "accuracy", ("no", "yes"))


def session(limits: Limits) -> tuple[Any, list[str]]:
    told: list[str] = []
    options = SimpleNamespace(space=mlp(TASK), seed=0)
    made = SimpleNamespace(options=options, task=TASK, limits=limits, plan=Plan(60, 2), remark=told.append)
    made.recipe = SimpleNamespace(batch_size=10**9)
    return made, told


def test_a_space_of_slow_networks_is_searched_all_the_same() -> None:
    made, told = session(Limits(params=1e6))
    candidates, reasons = searching._candidates(made, Speed(full_s=1e9, macs_a_second=1e-9))
    assert candidates.limits == made.limits
    assert told[0].startswith("No network of the space is small enough to be trained well within the budget")
    assert reasons[0] == told[0]


def test_networks_that_the_clock_cannot_train_are_left_out() -> None:
    made, told = session(Limits())
    candidates, _ = searching._candidates(made, Speed(full_s=10, macs_a_second=1000.0))
    assert candidates.limits.macs == pytest.approx(
        1000 * searching.PARTS * searching.LEFT * searching.USE * made.plan.late_s
    )
    assert told[0].startswith("Only networks of at most")


def test_a_limit_of_the_users_is_never_given_up() -> None:
    made, _ = session(Limits(params=3))
    with pytest.raises(LimitError, match="3 params"):
        searching._candidates(made, Speed(full_s=1e9, macs_a_second=1e-9))


def test_the_metric_among_the_objectives_counts_once_and_no_other_metric_is_taken() -> None:
    options = SearchOptions("wine", objectives=("accuracy", "params", "latency", "params"))
    check_objectives(options, TASK)
    told = [(goal.name, goal.direction) for goal in objectives_of(options, TASK)]
    assert told == [("accuracy", "maximize"), ("params", "minimize"), ("latency_ms", "minimize")]
    with pytest.raises(UserError, match=r"--objective macro-f1 is a metric, and this run's is accuracy\. "):
        check_objectives(SearchOptions("wine", objectives=("macro-f1",)), TASK)


def test_a_space_without_decisions_is_searched_and_its_one_network_judged(
    small_digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = search.choose_recipe
    monkeypatch.setattr(search, "choose_recipe", lambda *given: replace(usual(*given), epochs=3, patience=None))

    def fixed(task: Task) -> Space:
        return Space(sequence(stem=ConvBN(8), head=Head(task)), task, "fixed")

    where = tmp_path / "run"
    options = SearchOptions(str(small_digits), trials=3, space=fixed, proxies=("nwot",), workers=1, output=str(where))
    result = run_search_workflow(options)
    [trial] = json.loads((where / "report.json").read_text())["trials"]
    assert trial["origin"] == "random"  # the control is asked first, and after it there is nothing left
    assert trial["params"] == result.record["found"]["params"] == 72 + 16 + 27  # kernels, norm, head
