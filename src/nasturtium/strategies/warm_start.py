"""A wrapper around any strategy: architectures that are given come first, as long as they help."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from statistics import median

from nasturtium.roles import Candidates, Strategy
from nasturtium.space import Architecture
from nasturtium.trial import History

SHARE = 0.1
"""Of the trials, at most, that go to what was given: all that a bad start can cost."""
JUDGED = 3
"""Given architectures that are scored before the rest is judged by them, and others before they count as evidence."""


@dataclass(frozen=True)
class WarmStart:
    """Proposes `given` first, then asks `inner`.

    most: how many of them at most, see `at_most`. After `JUDGED` of them are scored, they are dropped unless the best
    is better than the median of the other trials (by the first objective at one fidelity); with no others yet, it waits
    for them. `inner` sees them from when their best is better than the median of `JUDGED` trials of its own: a model
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
        found = [] if self.dropped(history) else self._next(history, count, candidates)
        if len(found) == count:
            return found
        shown = [history] if self.proven(history) else [self._others(history), history]
        for seen in shown:  # what is hidden may be proposed again; who is told of it proposes something else
            taken = history.ids | {one.arch_id for one in found}
            rest = self.inner.ask(seen, count - len(found), seed, candidates) if len(found) < count else ()
            found += [one for one in rest if one.arch_id not in taken]
        return found

    def _others(self, history: History) -> History:
        """Without what was given, whoever proposed it."""
        kept = tuple(one for one in history.trials if one.architecture.arch_id not in self._ids)
        return History(history.objectives, kept)

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(one.arch_id for one in self.given)

    def dropped(self, history: History) -> bool:
        """Have those that were tried turned out no better than the others?"""
        mine, others = self._losses(history)
        return len(mine) >= JUDGED and bool(others) and min(mine) >= median(others)

    def proven(self, history: History) -> bool:
        """Have they turned out better?"""
        mine, others = self._losses(history)
        return bool(mine) and len(others) >= JUDGED and min(mine) < median(others)

    def _losses(self, history: History) -> tuple[list[float], list[float]]:
        """Of those that were given, and of the others, at the highest fidelity."""
        top = max((trial.fidelity for trial in history.scored), default=None)
        goal, mine, others = history.objectives[0], list[float](), list[float]()
        for trial in history.scored:
            if trial.fidelity == top:
                side = mine if trial.architecture.arch_id in self._ids else others
                side.append(goal.sign * trial.measures[goal.name])
        return mine, others

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
