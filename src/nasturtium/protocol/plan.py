"""Who gets how much of the clock: trials, finalists, final trainings, and what is kept for the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

RESPLITS = 5
SHORTLIST = 4
SHORTLIST_RESPLITS = 3
SEEDS = 5
SHARES = {"baselines": 0.15, "search": 0.40, "finalists": 0.20, "final": 0.25}
"""Of the budget, at most, where full trainings do not fit. Where they do, the search gets all that is left over."""
LEAST_TRIALS = 16
"""Trials that a search should have room for, at the least."""
EXPORT_S = 9.0
"""Writing, checking and measuring the files and the report, seconds."""
SLACK = 1.15
"""Trainings on more rows, uneven workers, start-up."""


@dataclass(frozen=True)
class Plan:
    """Longest trainings in seconds on one worker that a budget allows; infinite without a budget.

    budget_s: seconds for everything, or None. workers: that train at once. finalists: in the comparison.
    shipped: networks that are retrained on all development rows (the choice and what it is compared with).
    """

    budget_s: float | None
    workers: int
    finalists: int = 3
    shipped: int = 2

    @property
    def baseline_s(self) -> float:
        """Of one baseline, if four of them are slow."""
        return self._part("baselines") / 4

    @property
    def trial_s(self) -> float:
        return self._part("search") / LEAST_TRIALS

    @property
    def resplit_s(self) -> float:
        return self._part("finalists") / self.comparisons

    @property
    def comparisons(self) -> int:
        """Trainings of the shortlist and of the finalists."""
        return SHORTLIST * SHORTLIST_RESPLITS + RESPLITS * self.finalists

    @property
    def final_s(self) -> float:
        return self._part("final") / (SEEDS * self.shipped)

    def _part(self, name: str) -> float:
        """Worker seconds of a phase."""
        return inf if self.budget_s is None else SHARES[name] * self._usable * self.workers

    @property
    def _usable(self) -> float:
        assert self.budget_s is not None
        return max(1.0, self.budget_s - EXPORT_S)

    def reserve_s(self, trial_seconds: Sequence[float]) -> float:
        """Wall seconds to keep for finalists, final trainings and export.

        trial_seconds: of full trainings so far. The slow ones count, because the best networks are rarely the small ones.
        """
        if self.budget_s is None:
            return 0.0
        slow = sorted(trial_seconds)[int(0.8 * len(trial_seconds))] if trial_seconds else inf
        resplits = _rounds(self.comparisons, self.workers) * min(slow, self.resplit_s)
        finals = _rounds(SEEDS * self.shipped, self.workers) * min(SLACK * slow, self.final_s)
        return SLACK * (resplits + finals) + EXPORT_S


def _rounds(jobs: int, workers: int) -> int:
    return -(-jobs // workers)


def split_rest(left_s: float, workers: int, resplits: int, finals: int) -> tuple[float, float]:
    """Deadlines of one resplit training and one final training when `left_s` wall seconds remain, export included.

    A final training matters more than a resplit, which only compares: it gets twice as long.
    """
    usable = max(1.0, (left_s - EXPORT_S) / SLACK)
    unit = usable / max(1, _rounds(resplits, workers) + 2 * _rounds(finals, workers))
    return unit, 2 * unit
