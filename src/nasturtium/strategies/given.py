"""Architectures that were found beforehand, by a one-shot search for instance, as ordinary trials."""

from collections.abc import Sequence
from dataclasses import dataclass

from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.trial import History


@dataclass(frozen=True)
class Given:
    """Proposes `given` in their order, and nothing once all are tried: what follows in a study is the control's, and
    counts as such. name: of what found them."""

    given: tuple[Architecture, ...]
    name: str

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> Sequence[Architecture]:
        """See `roles.Strategy`."""
        taken, found = set(history.ids), list[Architecture]()
        for one in map(candidates.space.attach, self.given):
            if len(found) < count and one.arch_id not in taken and candidates.feasible(one):
                taken.add(one.arch_id)
                found.append(one)
        return found
