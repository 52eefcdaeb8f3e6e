"""Architectures of the recommended space that a search can begin with: in the plan beside known networks."""

from dataclasses import replace
from typing import Any

import numpy as np

from nasturtium.advisor import Estimate, Plan, Proposal
from nasturtium.advisor.proposals import MOST
from nasturtium.errors import LimitError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.space import Architecture
from nasturtium.workflows.preparation import Prepared
from nasturtium.workflows.spaces import find_space

DRAWN = 50
"""As many as `strategies.auto` looks at for its beginning."""


def with_starts(plan: Plan, prepared: Prepared, seed: int) -> Plan:
    """The plan with a large one within the limits. Unchanged where no search is advised, or nothing fits."""
    if not plan.search.advised:
        return plan
    try:
        candidates, costs = space_of(plan, prepared)
        first = _largest(candidates, costs, seed)
    except LimitError:
        return plan
    expected = plan.proposals[0].expected if plan.proposals else Estimate(None, None, None, "assumed", "")
    reason = f"Of {DRAWN} random architectures of the space within the limits the one with most parameters and MACs."
    start = of_space(plan, first, dict(costs(first)), "start", expected, reason)
    return replace(plan, proposals=(*plan.proposals[: MOST - 1], start))


def _largest(candidates: LimitedCandidates, costs: CostModel, seed: int) -> Architecture:
    rng = np.random.default_rng([seed, DRAWN])
    drawn = [candidates.sample(rng) for _ in range(DRAWN)]
    counts = [costs.sums(candidates.space.codes(one)) for one in drawn]
    logs = np.log([[1 + count["params"], 1 + count["macs"]] for count in counts])
    return drawn[int(np.argmax((logs / np.maximum(logs.std(0), 1e-9)).sum(1)))]


def space_of(plan: Plan, prepared: Prepared) -> tuple[LimitedCandidates, CostModel]:
    """What the search would search. Raises `LimitError` where nothing in the space is within the limits."""
    limits: Limits = plan.bounds.limits
    space, _ = find_space(plan.search.space, prepared.task, limits)
    costs = CostModel(space)
    candidates = LimitedCandidates(space, costs, limits)
    candidates.sample(np.random.default_rng(0))
    return candidates, costs


def of_space(
    plan: Plan, one: Architecture, costs: dict[str, Any], name: str, expected: Estimate, reason: str
) -> Proposal:
    """An architecture of the space as a proposal, with its decisions, so that a search can begin with it."""
    return Proposal(
        name=f"{one.space_name}-{name}",
        title=f"An architecture of the space {one.space_name}",
        params=costs["params"],
        macs=costs["macs"],
        memory=costs["memory"],
        size=costs["size"],
        builds=True,
        fits=not plan.bounds.limits.check(costs),
        over=tuple(str(broken) for broken in plan.bounds.limits.check(costs)),
        metric=plan.metric,
        expected=expected,
        reason=reason,
        source="counted here; docs/spaces.md",
        space=one.space_name,
        decisions=dict(one.values),
    )
