"""Up to five architectures to try: known networks that fit, in the order in which the rules like them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nasturtium.advisor.advice import Advice
from nasturtium.advisor.catalogue import Member, sized
from nasturtium.advisor.catalogue import smallest as first
from nasturtium.advisor.expectation import expectation, published
from nasturtium.advisor.knowledge import Known
from nasturtium.advisor.plan import Proposal
from nasturtium.advisor.situation import Situation
from nasturtium.hardware.limits import Limits

MOST = 5
MACS_A_SECOND = {"cpu": 15e9, "gpu": 1e12}
"""Of a small network in training: one thread as `workflows.baselines` has it; a GPU that is well used."""
PASSES = 3
"""A training step costs about three times the MACs of a prediction."""
TRAINING_SHARE = 0.25
"""Of the time, that one full training of a proposal may take."""


@dataclass(frozen=True)
class Choice:
    """One family's member. over: what it breaks; empty where it fits."""

    member: Member
    over: tuple[str, ...]
    points: float
    why: tuple[str, ...]


def proposals(situation: Situation, advice: Sequence[Advice]) -> tuple[Proposal, ...]:
    """Those that fit, best first; where nothing fits, the nearest, marked as not fitting."""
    if not situation.trains:
        return tuple(_of_knowledge(situation, known) for known in suited(situation)[:MOST])
    points, why = _liking(advice)
    chosen = [
        Choice(member, over, points.get(name, 0.0) + _by_device(situation, member), tuple(why.get(name, ())))
        for name in situation.families
        for member, over in [_member(name, situation)]
    ]
    fitting = [one for one in chosen if not one.over]
    order = sorted(
        fitting or chosen,
        key=lambda one: (
            len(one.over),
            not _quick(one.member, situation),
            -one.points,
            -one.member.costs["params"],
        ),
    )
    return tuple(_proposal(situation, one) for one in order[:MOST])


def training_s(situation: Situation, macs: float) -> float:
    """Seconds of a full training, from the MACs alone: rough, and only where nothing was measured."""
    rate = MACS_A_SECOND[situation.need.get("hardware")]
    return PASSES * macs * situation.train_rows * situation.epochs / rate


def _liking(advice: Iterable[Advice]) -> tuple[dict[str, float], dict[str, list[str]]]:
    points: dict[str, float] = {}
    why: dict[str, list[str]] = {}
    for piece in advice:
        for family, amount in piece.prefers.items():
            points[family] = points.get(family, 0.0) + amount
            if amount > 0:
                why.setdefault(family, []).append(piece.reason)
    return points, why


def _by_device(situation: Situation, member: Member) -> float:
    return 0.5 if member.known is not None and situation.target.kind in member.known.devices else 0.0


def _member(name: str, situation: Situation) -> tuple[Member, tuple[str, ...]]:
    """The published size, or the largest below it that fits and can be trained in the time; where none does, the
    smallest, and what it breaks. Where a least number of parameters is wanted, larger sizes count, too."""
    least = situation.bounds.least_params
    found = sized(name, situation.task, lambda one: not _over(one, situation) and _quick(one, situation), least > 0)
    if found is None:
        found = first(name, situation.task)
    over = _over(found, situation)
    if found.costs["params"] < least:
        over = (*over, f"{found.costs['params']:,} params are fewer than the {least:,.0f} wanted")
    return found, over


def _over(member: Member, situation: Situation) -> tuple[str, ...]:
    """Limits that it breaks."""
    return tuple(str(one) for one in situation.bounds.limits.check(member.costs))


def _quick(member: Member, situation: Situation) -> bool:
    """Can it be trained in its share of the time?"""
    return training_s(situation, member.costs["macs"]) <= TRAINING_SHARE * situation.need.get("budget_s")


def _proposal(situation: Situation, choice: Choice) -> Proposal:
    member, known = choice.member, choice.member.known
    costs = {name: float(value) for name, value in member.costs.items()}
    parts = [known.why] if known is not None else []
    if not _quick(member, situation):
        seconds = training_s(situation, costs["macs"])
        parts.append(f"One training takes about {seconds:,.0f} s, more than a quarter of the time that is given.")
    return Proposal(
        name=member.name,
        title=member.name if known is None else known.title,
        params=costs["params"],
        macs=costs["macs"],
        memory=costs["memory"],
        size=costs["size"],
        builds=True,
        fits=not choice.over,
        over=choice.over,
        metric=situation.metric,
        expected=expectation(situation, known),
        reason=" ".join(dict.fromkeys([*choice.why, *parts])) or "A known network of the right kind and size.",
        source=member.citation,
        examples=published(known),
    )


def suited(situation: Situation) -> list[Known]:
    """Known architectures of the task and input, those that fit and suit the device first, then the newest."""
    fit = [
        one
        for one in situation.knowledge.architectures
        if situation.kind in one.tasks and situation.modality in one.modalities
    ]
    limits = situation.bounds.limits
    return sorted(
        fit,
        key=lambda one: (
            _known_over(one, limits) != [],
            situation.target.kind not in one.devices,
            -len(one.results),
            -one.year,
        ),
    )


def _known_over(known: Known, limits: Limits) -> list[str]:
    costs = {"params": known.params, "macs": known.macs, "size": None if known.params is None else 4 * known.params}
    return [str(one) for one in limits.check({name: value for name, value in costs.items() if value is not None})]


def _of_knowledge(situation: Situation, known: Known) -> Proposal:
    over = tuple(_known_over(known, situation.bounds.limits))
    return Proposal(
        name=known.name,
        title=known.title,
        params=known.params,
        macs=known.macs,
        memory=None,
        size=None if known.params is None else 4 * known.params,
        builds=False,
        fits=None if known.params is None else not over,
        over=over,
        metric=situation.metric,
        expected=expectation(situation, known),
        reason=f"{known.why} Not where: {known.when_not}",
        source=known.source,
        examples=published(known),
    )
