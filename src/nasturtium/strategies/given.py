"""Architectures that were found beforehand, by a one-shot search for instance, as ordinary trials."""

from collections.abc import Sequence
from dataclasses import dataclass

from nasturtium.roles import Candidates
from nasturtium.space import Architecture
from nasturtium.strategies.novel import generator, novel
from nasturtium.trial import History


@dataclass(frozen=True)
class Given:
    """Proposes `given` in their order; once all are tried, random architectures. name: of what found them."""

    given: tuple[Architecture, ...]
    name: str

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> Sequence[Architecture]:
        """See `roles.Strategy`."""
        tried = history.ids
        left = iter([one for one in map(candidates.space.attach, self.given) if one.arch_id not in tried])
        tries = len(self.given) + 1
        return novel(history, count, candidates, generator(seed, history), lambda made: next(left, None), tries=tries)
