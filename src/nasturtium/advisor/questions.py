"""Which questions are worth asking: only those whose answer would change the plan, the most decisive first.

Each unknown field is answered with everything a user might plausibly say, the plan is made anew, and what changes in it
is weighed. So no question is asked whose answer would change nothing.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from nasturtium.advisor.deciding import decide
from nasturtium.advisor.facts import Fact
from nasturtium.advisor.fields import SPECS, Field, completed
from nasturtium.advisor.plan import Plan, Question
from nasturtium.advisor.requirements import Requirements
from nasturtium.errors import UserError
from nasturtium.task import Task

MOST = 5
TOPICS: tuple[tuple[frozenset[str], int], ...] = (
    (
        frozenset(
            ("max_params", "max_macs", "max_latency_ms", "max_memory", "max_size", "max_energy_mj", "throughput")
        ),
        2,
    ),
    (frozenset(("budget_s", "hardware")), 1),
)
"""Fields that are much alike, and how many of them are asked for at once: who has answered one has said a good deal."""


@dataclass(frozen=True)
class Essence:
    """What of a plan is a recommendation; two plans that agree in it are the same to a user."""

    impossible: bool
    trains: bool
    metric: str
    searched: tuple[bool, str | None, str, str]
    first: str | None
    proposed: tuple[tuple[str, bool | None], ...]
    baselines: tuple[str, ...]
    advice: frozenset[str]
    deployment: tuple[str, ...]

    def distance(self, other: "Essence") -> float:
        """How much differs, weighed by what it means to the user; 0 only for equal ones."""
        parts = sum(weight for name, weight in WEIGHTS.items() if getattr(self, name) != getattr(other, name))
        return (
            parts
            + 2 * _apart(set(self.proposed), set(other.proposed))
            + 0.5 * (self.proposed != other.proposed)
            + 3 * _apart(self.advice, other.advice)
        )


WEIGHTS = {"impossible": 6.0, "trains": 6.0, "searched": 3.0, "first": 3.0, "metric": 2.0, "baselines": 1.5,
           "deployment": 1.0}  # fmt: skip


def _apart(mine: AbstractSet[object], theirs: AbstractSet[object]) -> float:
    """Jaccard distance; 0 for two empty sets."""
    return 1 - len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0


def essence(plan: Plan) -> Essence:
    search = plan.search
    return Essence(
        impossible=any(one.fatal for one in plan.conflicts),
        trains=plan.trains,
        metric=plan.metric,
        searched=(search.advised, search.space, search.strategy, search.scheduler),
        first=plan.proposals[0].name if plan.proposals else None,
        proposed=tuple((one.name, one.fits) for one in plan.proposals),
        baselines=tuple(one.name for one in plan.baselines),
        advice=frozenset(one.statement for one in plan.advice),
        deployment=tuple(one for one in plan.remarks if one.startswith("Deployment")),
    )


@dataclass(frozen=True)
class Weighed:
    """A question with the mean change of the plan over the plausible answers."""

    question: Question
    decisiveness: float


def questions(need: Requirements, task: Task | None = None, most: int = MOST) -> tuple[Question, ...]:
    """Up to `most` questions on fields that are unknown, most decisive first."""
    weighed = sorted(weigh(need, task), key=lambda one: -one.decisiveness)
    asked: list[Question] = []
    for one in weighed:
        if len(asked) < most and not _enough(one.question.field, asked):
            asked.append(one.question)
    return tuple(asked)


def _enough(field: str, asked: Sequence[Question]) -> bool:
    """Are so many of its like asked for already?"""
    return any(field in topic and sum(one.field in topic for one in asked) >= most for topic, most in TOPICS)


def weigh(need: Requirements, task: Task | None = None) -> Iterator[Weighed]:
    """Every question whose answer can change the plan, in the order of the fields."""
    whole = completed(need)
    now = essence(decide(need, task))
    for spec in SPECS:
        if not need.known(spec.name):
            change = _mean_change(spec, need, whole, now, task)
            if change > 0:
                default = whole.get(spec.name)
                yield Weighed(Question(spec.name, spec.question, spec.reason, default), change)


def _mean_change(spec: Field, need: Requirements, whole: Requirements, now: Essence, task: Task | None) -> float:
    answers = spec.answers(whole)
    total = sum(weight for _, weight in answers)
    changes = (weight * _change(spec.name, value, need, now, task) for value, weight in answers)
    return sum(changes) / total if answers else 0.0


def _change(name: str, value: Any, need: Requirements, now: Essence, task: Task | None) -> float:
    """Of the plan, if this were the answer. Answers that make no sense with the rest change nothing."""
    try:
        return essence(decide(answered(need, name, value), task)).distance(now)
    except UserError:
        return 0.0


def answered(need: Requirements, name: str, value: Any) -> Requirements:
    """The need with an answer."""
    held: Fact[Any] = Fact(value, "given", "answered")
    return need.having(name, held.value, held.origin, held.where)
