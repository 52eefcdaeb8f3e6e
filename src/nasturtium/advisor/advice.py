"""One piece of advice, and how contradicting pieces are settled where everybody can see it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Strength = Literal[1, 2, 3]
STRENGTHS = {1: "a rule of thumb", 2: "shown in several studies", 3: "a hard fact"}


@dataclass(frozen=True)
class Advice:
    """statement: what to do. reason: why, here. source: what it rests on. strength: 3 is a hard fact, 1 a
    rule of thumb.

    topic, stand: two pieces on one topic with different stands contradict one another; "" contradicts nothing.
    prefers: points for or against families of networks.
    """

    statement: str
    reason: str
    source: str
    strength: Strength
    topic: str = ""
    stand: str = ""
    prefers: Mapping[str, float] = field(default_factory=dict, hash=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "statement": self.statement,
            "reason": self.reason,
            "source": self.source,
            "strength": STRENGTHS[self.strength],
        }


@dataclass(frozen=True)
class Resolution:
    """Of two pieces of advice that contradict one another, the one that was followed."""

    topic: str
    followed: Advice
    dropped: Advice

    @property
    def sentence(self) -> str:
        return (
            f"Followed: {self.followed.statement} ({STRENGTHS[self.followed.strength]}: {self.followed.reason}) "
            f"Not followed: {self.dropped.statement} ({STRENGTHS[self.dropped.strength]}: {self.dropped.reason})"
        )


def settled(pieces: Iterable[Advice]) -> tuple[tuple[Advice, ...], tuple[Resolution, ...]]:
    """What stands, and what had to give way: on each topic the strongest stand wins, the earlier of equal ones."""
    listed = list(pieces)
    winners: dict[str, Advice] = {}
    for piece in listed:
        held = winners.get(piece.topic)
        if piece.topic and (held is None or piece.strength > held.strength):
            winners[piece.topic] = piece
    lost = [one for one in listed if one.topic and one.stand != winners[one.topic].stand]
    kept = tuple(one for one in listed if one not in lost)
    return kept, tuple(Resolution(one.topic, winners[one.topic], one) for one in lost)
