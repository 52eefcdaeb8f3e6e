"""From a need to a plan: everything but what has to be measured on the data."""

from nasturtium.advisor.conflicts import conflicts
from nasturtium.advisor.expectation import published
from nasturtium.advisor.plan import Plan
from nasturtium.advisor.proposals import proposals, suited
from nasturtium.advisor.remarks import remarks
from nasturtium.advisor.requirements import Requirements
from nasturtium.advisor.rules import advised
from nasturtium.advisor.searching import search_advice
from nasturtium.advisor.situation import situation
from nasturtium.advisor.starts import starts
from nasturtium.errors import LimitError
from nasturtium.task import Task

MOST_EXAMPLES = 3


def decide(need: Requirements, task: Task | None = None) -> Plan:
    """The plan for a need, unknown fields assumed; without questions. task: of the data, where there are any.

    A contradiction is in the plan's `conflicts`, the fatal ones first. Raises `UserError` for an unknown device.
    """
    now = situation(need, task)
    advice, resolved = advised(now)
    contradictions = conflicts(now)
    proposed = proposals(now, advice)
    examples = tuple(f"{one.title}: {figure}" for one in suited(now) for figure in published(one)[:1])[:MOST_EXAMPLES]
    return Plan(
        need=now.need,
        trains=now.trains,
        metric=now.metric,
        target=now.target,
        bounds=now.bounds,
        conflicts=contradictions,
        baselines=starts(now),
        proposals=proposed,
        search=search_advice(now, proposed, contradictions),
        advice=advice,
        resolved=resolved,
        remarks=remarks(now, proposed),
        examples=examples,
    )


def check_possible(plan: Plan) -> None:
    """Raise `LimitError` where no plan can exist, with the numbers and the nearest change that mends it."""
    fatal = [one for one in plan.conflicts if one.fatal]
    if fatal:
        raise LimitError(" ".join(f"{one.statement} {one.nearest}" for one in fatal))
