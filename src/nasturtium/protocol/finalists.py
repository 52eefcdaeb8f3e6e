"""The comparison of the finalists: fresh resplits of the development rows, one seed each, the same for all."""

from collections.abc import Callable, Mapping, Sequence

from nasturtium.protocol.contenders import Contender
from nasturtium.protocol.plan import RESPLITS
from nasturtium.roles import Fidelity, Job, Outcome

SeedOf = Callable[[str, int], int]


def resplit_jobs(contenders: Sequence[Contender], seed_of: SeedOf, deadline_s: float | None) -> list[Job]:
    """Every contender on every resplit. A resplit's seed is one for all: what differs is the contender alone."""
    return [
        Job(
            key=f"resplit/{number}/{contender.name}",
            subject=contender.subject,
            fidelity=Fidelity(contender.epochs),
            seed=seed_of("resplit", number),
            fold=f"resplit-{number}",
            deadline_s=deadline_s,
        )
        for number in range(RESPLITS)
        for contender in contenders
    ]


def resplit_scores(
    contenders: Sequence[Contender], outcomes: Mapping[str, Outcome], metric: str
) -> dict[str, tuple[float, ...]]:
    """Scores of each contender, resplit by resplit; contenders that failed on any are left out."""
    scores: dict[str, tuple[float, ...]] = {}
    for contender in contenders:
        mine = [outcomes[f"resplit/{number}/{contender.name}"] for number in range(RESPLITS)]
        if all(outcome.failure is None and metric in outcome.measures for outcome in mine):
            scores[contender.name] = tuple(outcome.measures[metric] for outcome in mine)
    return scores
