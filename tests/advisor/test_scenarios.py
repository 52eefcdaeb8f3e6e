"""The plan of every scenario has the properties that were written down for it, and those that every plan has."""

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nasturtium.advisor import Plan, Requirements, check_possible, decide, questions
from nasturtium.advisor.catalogue import family
from nasturtium.advisor.rendering import markdown, text
from nasturtium.advisor.situation import situation
from nasturtium.advisor.words import DEVICES, TASKS
from nasturtium.blocks import counted
from nasturtium.errors import LimitError

SCENARIOS = runpy.run_path(str(Path(__file__).with_name("scenarios.py")))["SCENARIOS"]
BY_NAME = {one.name: one for one in SCENARIOS}
NAMES = sorted(BY_NAME)


@cache
def plan_of(name: str) -> Plan:
    need = BY_NAME[name].requirements
    return decide(need).asking(questions(need))


def expected(name: str, key: str) -> Any:
    return BY_NAME[name].expect.get(key)


def those_with(key: str) -> list[str]:
    found = [name for name in NAMES if key in BY_NAME[name].expect]
    assert found, f"no scenario expects {key!r}"
    return found


def test_the_suite_is_large_enough_and_has_every_kind_of_task_and_device() -> None:
    assert len(SCENARIOS) >= 60
    assert len(BY_NAME) == len(SCENARIOS)
    needs = [one.requirements for one in SCENARIOS]
    assert {need.get("task") for need in needs} >= set(TASKS)
    assert {str(need.get("device")).partition(":")[0] for need in needs} >= set(DEVICES)


def test_every_expectation_is_checked_by_some_test() -> None:
    source = Path(__file__).read_text()
    keys = {key for one in SCENARIOS for key in one.expect}
    assert [key for key in sorted(keys) if f'"{key}"' not in source] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_is_complete(name: str) -> None:
    plan = plan_of(name)
    assert plan.baselines
    assert len(plan.proposals) <= 5
    assert all(one.reason and one.source for one in plan.proposals)
    assert all(one.why and one.source for one in plan.baselines)
    assert all(one.reason and one.source for one in plan.advice)
    assert all(one.nearest for one in plan.conflicts)
    assert plan.search.reason
    assert plan.remarks
    record = json.loads(json.dumps(plan.to_json()))
    assert {"assumptions", "questions", "baselines", "proposals", "search"} <= set(record)
    for one in record["proposals"]:
        assert {"name", "params", "macs", "fits", "expected", "reason", "source"} <= set(one)
    for one in record["questions"]:
        assert {"field", "question", "reason", "default"} <= set(one)


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_is_readable_in_a_terminal_of_80_columns_and_as_markdown(name: str) -> None:
    lines = text(plan_of(name))
    assert [line for line in lines if len(line) > 80] == []
    for heading in ("Baselines first", "Search", "Remarks"):
        assert heading in lines
        assert f"## {heading}" in markdown(plan_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_to_build_builds_and_costs_what_is_said(name: str) -> None:
    plan = plan_of(name)
    now = situation(BY_NAME[name].requirements)
    for one in plan.proposals:
        assert one.builds is plan.trains
        if one.builds:
            made, _, label = one.name.rpartition("-")
            kin = family(made, now.task)
            value = next(value for value, known in kin.labels.items() if known == label)
            counts = counted(kin.size(value).tree.lower(now.task.input), now.task.input)
            assert (counts.params, counts.macs, counts.memory) == (one.params, one.macs, one.memory)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_to_fit_is_within_every_limit(name: str) -> None:
    plan = plan_of(name)
    for one in plan.proposals:
        costs = {cost: getattr(one, cost) for cost in ("params", "macs", "memory", "size")}
        broken = plan.bounds.limits.check({cost: value for cost, value in costs.items() if value is not None})
        least = plan.bounds.least_params
        if one.builds:
            assert one.fits is (not broken and (one.params or 0) >= least)
        assert not (one.fits and broken)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_says_where_it_comes_from(name: str) -> None:
    plan = plan_of(name)
    said = dict(BY_NAME[name].requirements.items())
    for field, fact in plan.need.items():
        assert fact.origin == ("given" if field in said else "assumed")
        assert fact.where
    assert {one["field"] for one in plan.assumptions} == {field for field, _ in plan.need.items()} - set(said)


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_that_cannot_exist_is_refused_with_numbers_and_the_nearest_change(name: str) -> None:
    plan = plan_of(name)
    if any(one.fatal for one in plan.conflicts):
        with pytest.raises(LimitError) as error:
            check_possible(plan)
        assert any(letter.isdigit() for letter in str(error.value))
    else:
        check_possible(plan)


@pytest.mark.parametrize("name", those_with("fatal"))
def test_contradictions_are_told(name: str) -> None:
    plan = plan_of(name)
    wanted = expected(name, "conflict")
    found = [one for one in plan.conflicts if wanted in one.statement]
    assert found, [one.statement for one in plan.conflicts]
    assert found[0].fatal is expected(name, "fatal")
    assert (expected(name, "nearest") or "") in found[0].nearest


@pytest.mark.parametrize("name", [name for name in NAMES if "fatal" not in BY_NAME[name].expect])
def test_where_none_is_expected_no_plan_is_impossible(name: str) -> None:
    assert [one.statement for one in plan_of(name).conflicts if one.fatal] == []


@pytest.mark.parametrize("name", those_with("trains"))
def test_what_can_be_trained_here_is_said(name: str) -> None:
    plan = plan_of(name)
    assert plan.trains is expected(name, "trains")
    assert plan.proposals
    if not plan.trains:
        assert "cannot search or train" in plan.search.reason


@pytest.mark.parametrize("name", those_with("search"))
def test_to_search_or_not(name: str) -> None:
    search = plan_of(name).search
    assert search.advised is expected(name, "search"), search.reason
    assert (expected(name, "reason") or "") in search.reason
    assert expected(name, "space") in (None, search.space)
    if search.advised:
        assert search.space is not None
        assert search.trials is not None
        assert search.seconds is not None


@pytest.mark.parametrize("name", those_with("first_of"))
def test_the_first_proposal_is_of_a_family_that_suits(name: str) -> None:
    first = plan_of(name).proposals[0]
    assert first.name.rpartition("-")[0] in expected(name, "first_of"), first.name
    assert first.fits


@pytest.mark.parametrize("name", [*those_with("proposals"), *those_with("all_fit"), *those_with("none_fit")])
def test_proposals_are_those_that_were_expected(name: str) -> None:
    proposals = plan_of(name).proposals
    assert set(expected(name, "proposals") or ()) <= {one.name for one in proposals}, [one.name for one in proposals]
    if expected(name, "all_fit"):
        assert all(one.fits for one in proposals)
    if expected(name, "none_fit"):
        assert not any(one.fits for one in proposals)


@pytest.mark.parametrize("name", those_with("most_params"))
def test_proposals_are_small_enough(name: str) -> None:
    fitting = [one.params or 0 for one in plan_of(name).proposals if one.fits]
    assert fitting
    assert max(fitting) <= expected(name, "most_params")


@pytest.mark.parametrize(
    "name", [*those_with("baselines"), *those_with("baselines_not"), *those_with("baselines_begin")]
)
def test_baselines_are_those_that_were_expected(name: str) -> None:
    names = [one.name for one in plan_of(name).baselines]
    assert set(expected(name, "baselines") or ()) <= set(names), names
    assert not set(expected(name, "baselines_not") or ()) & set(names), names
    begin = expected(name, "baselines_begin") or []
    assert names[: len(begin)] == begin


@pytest.mark.parametrize("name", those_with("metric"))
def test_the_metric_suits(name: str) -> None:
    assert plan_of(name).metric == expected(name, "metric")


@pytest.mark.parametrize(
    "name",
    sorted({*those_with("advice"), *those_with("advice_not"), *those_with("resolved"), *those_with("remarks")}),
)
def test_advice_is_given_weighed_and_told(name: str) -> None:
    plan = plan_of(name)
    told = " ".join(f"{one.statement} {one.reason}" for one in plan.advice)
    for words in expected(name, "advice") or ():
        assert words in told
    for words in expected(name, "advice_not") or ():
        assert words not in " ".join(one.statement for one in plan.advice)
    for words in expected(name, "resolved") or ():
        assert any(words in one.dropped.statement for one in plan.resolved)
    for words in expected(name, "remarks") or ():
        assert any(words in one for one in plan.remarks), plan.remarks


@pytest.mark.parametrize("name", those_with("limit_reason"))
def test_derived_limits_say_where_they_come_from(name: str) -> None:
    assert any(expected(name, "limit_reason") in one for one in plan_of(name).bounds.reasons)


@pytest.mark.parametrize("name", those_with("asks"))
def test_the_expected_questions_are_asked(name: str) -> None:
    asked = [one.field for one in plan_of(name).questions]
    assert set(expected(name, "asks")) <= set(asked), asked


@pytest.mark.parametrize("name", those_with("assumes"))
def test_what_is_unknown_is_assumed_and_said_to_be(name: str) -> None:
    assert set(expected(name, "assumes")) <= {one["field"] for one in plan_of(name).assumptions}


@pytest.mark.parametrize("name", [name for name in those_with("decisive") if BY_NAME[name].expect["decisive"]])
def test_without_a_decisive_field_its_question_is_asked(name: str) -> None:
    need: Requirements = BY_NAME[name].requirements
    for field in expected(name, "decisive"):
        assert field in [one.field for one in questions(need.without(field))]
        assert field not in [one.field for one in plan_of(name).questions]
