"""A wrapper around any strategy: architectures that are given come first, as long as they help."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from nasturtium.roles import Candidates, Strategy
from nasturtium.space import Architecture
from nasturtium.trial import History, Trial

SHARE = 0.1
"""Of the trials, at most, that go to what was given: all that a bad start can cost."""
JUDGED = 3
"""Given architectures that are scored before the others are judged by them."""


@dataclass(frozen=True)
class WarmStart:
    """Proposes `given` first, then asks `inner`.

    most: how many of them at most, see `at_most`. After `JUDGED` of them are scored, they are dropped unless the best
    is better than the median of the other trials (by the first objective at one fidelity); with no others yet, it waits
    for them. What was dropped is hidden from `inner`, which searches as if it had begun with trials of its own: a model
    whose first trials are all bad learns little from them, and took twice as long to recover as they had cost
    (benchmarks/transfer.py). name: of `inner`, whose search it is.
    """

    inner: Strategy
    given: tuple[Architecture, ...]
    most: int

    @property
    def name(self) -> str:
        return self.inner.name

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> Sequence[Architecture]:
        dropped = self.dropped(history)
        found = [] if dropped else self._next(history, count, candidates)
        if len(found) == count:
            return found
        seen = self._others(history) if dropped else history
        taken = history.ids | {one.arch_id for one in found}
        rest = self.inner.ask(seen, count - len(found), seed, candidates)
        return [*found, *(one for one in rest if one.arch_id not in taken)]

    def _others(self, history: History) -> History:
        """Without what was given, whoever proposed it."""
        ids = {one.arch_id for one in self.given}
        return History(history.objectives, tuple(one for one in history.trials if one.architecture.arch_id not in ids))

    def dropped(self, history: History) -> bool:
        """Have those that were tried turned out no better than the others?"""
        ids = {one.arch_id for one in self.given}
        top = max((trial.fidelity for trial in history.scored), default=None)
        scored = [trial for trial in history.scored if trial.fidelity == top]
        goal = history.objectives[0]

        def losses(trials: Sequence[Trial]) -> list[float]:
            return [goal.sign * trial.measures[goal.name] for trial in trials]

        mine = losses([trial for trial in scored if trial.architecture.arch_id in ids])
        others = losses([trial for trial in scored if trial.architecture.arch_id not in ids])
        return len(mine) >= JUDGED and bool(others) and min(mine) >= median(others)

    def _next(self, history: History, count: int, candidates: Candidates) -> list[Architecture]:
        tried = history.ids
        used = sum(one.arch_id in tried for one in self.given)
        found: list[Architecture] = []
        for one in self.given:
            if len(found) == count or used + len(found) >= self.most:
                break
            attached = candidates.space.attach(one)
            known = {other.arch_id for other in found}
            if attached.arch_id not in tried | known and candidates.feasible(attached):
                found.append(attached)
        return found


def at_most(trials: int) -> int:
    """Of so many trials, those that may go to what is given; one at least."""
    return max(1, ceil(SHARE * trials - 1e-9))
