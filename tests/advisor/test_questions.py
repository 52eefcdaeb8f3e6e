"""Questions: only those whose answers change the plan, the most decisive first."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from nasturtium.advisor import BY_NAME, Plan, Requirements, answered, completed, decide, given, questions
from nasturtium.advisor.questions import MOST, essence, weigh
from nasturtium.errors import UserError

SCENARIOS = runpy.run_path(str(Path(__file__).with_name("scenarios.py")))["SCENARIOS"]


def recommendation(plan: Plan) -> str:
    """What of the plan's JSON a user would act on: an independent look at it, not the one that questions use."""
    record = plan.to_json()
    held: dict[str, Any] = {
        "trains": record["trains"],
        "metric": record["metric"],
        "baselines": [one["name"] for one in record["baselines"]],
        "proposals": [(one["name"], one["fits"]) for one in record["proposals"]],
        "search": {name: record["search"][name] for name in ("advised", "space", "strategy", "scheduler")},
        "advice": sorted(one["statement"] for one in record["advice"]),
        "impossible": [one["statement"] for one in record["conflicts"] if one["fatal"]],
        "deployment": [one for one in record["remarks"] if one.startswith("Deployment")],
    }
    return json.dumps(held, sort_keys=True)


def changes(need: Requirements, field: str) -> bool:
    """Does any plausible answer change the recommendation?"""
    now = recommendation(decide(need))
    for value, _ in BY_NAME[field].answers(completed(need)):
        try:
            if recommendation(decide(answered(need, field, value))) != now:
                return True
        except UserError:
            continue
    return False


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_no_question_is_asked_whose_answer_changes_nothing(scenario: Any) -> None:
    need = scenario.requirements
    asked = questions(need)
    assert len(asked) <= MOST
    for one in asked:
        assert changes(need, one.field), one.field


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_what_is_known_is_not_asked_and_the_default_is_what_is_assumed(scenario: Any) -> None:
    need = scenario.requirements
    whole = completed(need)
    for one in questions(need):
        assert not need.known(one.field)
        assert one.default == whole.get(one.field)
        assert one.question.endswith("?")
        assert one.reason


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_a_given_field_that_decides_is_asked_for_when_it_is_missing(scenario: Any) -> None:
    """Of every field of every scenario: where the plan without it differs in what the questions weigh, or a plausible
    answer would change it, it is among the questions that are weighed; and among the first five where it weighs as much
    as any of those."""
    need = scenario.requirements
    for field, _ in need.items():
        less = need.without(field)
        weighed = sorted(weigh(less), key=lambda one: -one.decisiveness)
        if changes_essence(less, field):
            names = [one.question.field for one in weighed]
            assert field in names
            own = next(one.decisiveness for one in weighed if one.question.field == field)
            last = weighed[min(MOST, len(weighed)) - 1].decisiveness
            assert own < last or field in [one.field for one in questions(less)] or own == last


def changes_essence(need: Requirements, field: str) -> bool:
    now = essence(decide(need))
    for value, _ in BY_NAME[field].answers(completed(need)):
        try:
            if essence(decide(answered(need, field, value))) != now:
                return True
        except UserError:
            continue
    return False


def test_the_most_decisive_come_first() -> None:
    need = given({"modality": "image"}, "here")
    weighed = {one.question.field: one.decisiveness for one in weigh(need)}
    asked = [weighed[one.field] for one in questions(need)]
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] >= max(
        value for field, value in weighed.items() if field not in {o.field for o in questions(need)}
    )


def test_an_answer_takes_the_question_away() -> None:
    need = given({"task": "classification", "modality": "image", "rows": 5000}, "here")
    first = questions(need)[0]
    told = answered(need, first.field, first.default)
    assert first.field not in [one.field for one in questions(told)]
    assert essence(decide(told)) == essence(decide(need)), "the default is what was assumed"


def test_with_everything_known_nothing_is_asked() -> None:
    whole = completed(given({"task": "classification", "modality": "table"}, "here"))
    known = Requirements()
    for name, fact in whole.items():
        known = known.having(name, fact.value)
    assert questions(known) == ()
