"""Questions: only those whose answers change the plan, the most decisive first."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from nasturtium.advisor import BY_NAME, Plan, Requirements, answered, completed, decide, given, questions
from nasturtium.advisor.questions import MOST, TOPICS, essence, weigh
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
        "impossible": any(one["fatal"] for one in record["conflicts"]),
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
def test_a_decisive_field_that_is_taken_from_a_full_need_is_asked_for(scenario: Any) -> None:
    """Everything is answered but one field: it is asked for if, and only if, an answer changes what is recommended."""
    full = answered_in_full(scenario.requirements)
    for field, _ in scenario.requirements.items():
        less = full.without(field)
        asked = [one.field for one in questions(less)]
        assert asked == ([field] if changes(less, field) else []), field


def answered_in_full(need: Requirements) -> Requirements:
    known = Requirements()
    for name, fact in completed(need).items():
        known = known.having(name, fact.value)
    return known


def test_the_most_decisive_come_first() -> None:
    need = given({"modality": "image"}, "here")
    weighed = {one.question.field: one.decisiveness for one in weigh(need)}
    asked = [one.field for one in questions(need)]
    assert [weighed[field] for field in asked] == sorted((weighed[field] for field in asked), reverse=True)
    alike = {field for topic, _ in TOPICS for field in topic}
    left = [value for field, value in weighed.items() if field not in asked and field not in alike]
    assert weighed[asked[-1]] >= max(left)


def test_of_limits_that_are_much_alike_two_are_asked_for_at_most() -> None:
    need = given({"task": "classification", "modality": "image", "rows": 20000, "budget_s": 36000}, "here")
    topic, most = TOPICS[0]
    assert sum(one.question.field in topic for one in weigh(need)) > most
    assert sum(one.field in topic for one in questions(need)) <= most


def test_an_answer_takes_the_question_away() -> None:
    need = given({"task": "classification", "modality": "image", "rows": 5000}, "here")
    first = questions(need)[0]
    told = answered(need, first.field, first.default)
    assert first.field not in [one.field for one in questions(told)]
    assert essence(decide(told)) == essence(decide(need)), "the default is what was assumed"


def test_with_everything_known_nothing_is_asked() -> None:
    assert questions(answered_in_full(given({"task": "classification", "modality": "table"}, "here"))) == ()
