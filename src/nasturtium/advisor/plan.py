"""The plan: what to try first and why, what a search would cost and could gain. Plain records, and their JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from nasturtium.advisor.advice import Advice, Resolution
from nasturtium.advisor.bounds import Bounds
from nasturtium.advisor.fields import BY_NAME, fact_shown
from nasturtium.advisor.requirements import Requirements
from nasturtium.advisor.targets import Target

SCHEMA = 1
Known = Literal["measured", "predicted", "published", "assumed"]


@dataclass(frozen=True)
class Estimate:
    """expected, low, high: in nine of ten cases, where `known` is measured or predicted. how: what it rests on."""

    expected: float | None
    low: float | None
    high: float | None
    known: Known
    how: str


@dataclass(frozen=True)
class Start:
    """A baseline to run first. score: of the pilot, by the plan's metric."""

    name: str
    why: str
    source: str
    score: float | None = None


@dataclass(frozen=True)
class Proposal:
    """An architecture to try. params, macs (of one row), memory, size (bytes): counted on this data where it `builds`
    here, else as published; None where nobody says.

    fits: is it within the limits? None where that cannot be said. over: what it breaks, in words. expected: score by
    `metric`. space, decisions: of an architecture of a space, so that a search can begin with it.
    """

    name: str
    title: str
    params: float | None
    macs: float | None
    memory: float | None
    size: float | None
    builds: bool
    fits: bool | None
    over: tuple[str, ...]
    metric: str
    expected: Estimate
    reason: str
    source: str
    examples: tuple[str, ...] = ()
    space: str | None = None
    decisions: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Conflict:
    """Requirements that cannot all be met. nearest: the smallest change that mends it. fatal: no plan can exist."""

    statement: str
    nearest: str
    fatal: bool = False


@dataclass(frozen=True)
class SearchAdvice:
    """advised: is a search worth its time? seconds: of a run of `trials`. gain: of the metric, over the best that is
    known beforehand. limits: as `search` takes them."""

    advised: bool
    reason: str
    space: str | None = None
    strategy: str = "auto"
    scheduler: str = "auto"
    trials: int | None = None
    budget_s: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict, hash=False)
    seconds: Estimate | None = None
    gain: Estimate | None = None
    command: str | None = None


@dataclass(frozen=True)
class Question:
    """field: of `Requirements`. default: what is assumed unless it is answered."""

    field: str
    question: str
    reason: str
    default: Any


@dataclass(frozen=True)
class Plan:
    """need: completed. trains: can Nasturtium train and search it? recipe: how networks are trained. examples: what has
    succeeded on the like. remarks: on training time, deployment and maintenance. pilot: what it measured, or None."""

    need: Requirements
    trains: bool
    metric: str
    target: Target
    bounds: Bounds
    conflicts: tuple[Conflict, ...]
    baselines: tuple[Start, ...]
    proposals: tuple[Proposal, ...]
    search: SearchAdvice
    advice: tuple[Advice, ...]
    resolved: tuple[Resolution, ...]
    remarks: tuple[str, ...]
    examples: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict, hash=False)
    source: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    pilot: Mapping[str, Any] | None = field(default=None, hash=False)

    def asking(self, questions: tuple[Question, ...]) -> "Plan":
        return replace(self, questions=questions)

    @property
    def assumptions(self) -> tuple[dict[str, Any], ...]:
        """Every field of the need that nobody gave or measured."""
        return tuple(
            {"field": name, "value": fact.to_json()["value"], "text": fact_shown(name, fact)}
            for name, fact in self.need.items()
            if not fact.known
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; `from` this, `search --plan` starts."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "options": dict(self.options),
            "need": self.need.to_json(),
            "assumptions": list(self.assumptions),
            "questions": [_question(one) for one in self.questions],
            "conflicts": [asdict(one) for one in self.conflicts],
            "trains": self.trains,
            "metric": self.metric,
            "device": {"name": self.target.name, "title": self.target.title, "source": self.target.source},
            "limits": {**dict(self.bounds.limits.items()), "reasons": list(self.bounds.reasons)},
            "baselines": [asdict(one) for one in self.baselines],
            "proposals": [_proposal(one) for one in self.proposals],
            "search": _search(self.search),
            "recipe": dict(self.recipe),
            "advice": [one.to_json() for one in self.advice],
            "resolved": [one.sentence for one in self.resolved],
            "remarks": list(self.remarks),
            "examples": list(self.examples),
            "pilot": None if self.pilot is None else dict(self.pilot),
        }


def _question(one: Question) -> dict[str, Any]:
    default = list(one.default) if isinstance(one.default, tuple) else one.default
    shown = BY_NAME[one.field].show(one.default)
    return {"field": one.field, "question": one.question, "reason": one.reason, "default": default, "shown": shown}


def _proposal(one: Proposal) -> dict[str, Any]:
    decisions = None if one.decisions is None else dict(one.decisions)
    record = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return {**record, "over": list(one.over), "examples": list(one.examples), "decisions": decisions,
            "expected": {"metric": one.metric, **asdict(one.expected)}}  # fmt: skip


def _search(one: SearchAdvice) -> dict[str, Any]:
    record = {name: getattr(one, name) for name in one.__dataclass_fields__}
    estimates = {name: None if record[name] is None else asdict(record[name]) for name in ("seconds", "gain")}
    return {**record, **estimates, "limits": dict(one.limits)}
