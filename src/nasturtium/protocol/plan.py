"""Who gets how much of the clock: trials, finalists, final trainings, and what is kept for the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

RESPLITS = 5
SEEDS = 5
SHORTLIST = 4
SHORTLIST_RESPLITS = 3
FINALISTS = 3
SHIPPED = 2
"""Retrained on all development rows: the choice, and the best of the other side for comparison."""
LEAST_TRIALS = 12
BASELINE_NETWORKS = 4
FINAL_LENGTH = 2
"""Where the clock binds, a final training may take so many times as long as one that only compares."""
UNITS = BASELINE_NETWORKS + LEAST_TRIALS + RESPLITS * FINALISTS + FINAL_LENGTH * SEEDS * SHIPPED
EXPORT_S = 9.0
"""Writing, checking and measuring the files and the report, seconds."""
SLACK = 1.12
"""Uneven workers, start-up, and the start of each training."""
MORE_ROWS = 1.3
"""Final trainings see the validation rows too."""


@dataclass(frozen=True)
class Plan:
    """Longest trainings in seconds on one worker that a budget allows; infinite without a budget.

    Trials and finalists train equally long, so that what is compared is what was searched; without a bound they all
    take what their recipe takes. budget_s: seconds for everything, or None. workers: that train at once.
    """

    budget_s: float | None
    workers: int

    @property
    def trial_s(self) -> float:
        """Of one training in the search, of a baseline, or of a finalist on one resplit."""
        if self.budget_s is None:
            return inf
        return max(1.0, self.budget_s - EXPORT_S) * self.workers / (SLACK * UNITS)

    @property
    def final_s(self) -> float:
        """Of one training on all development rows."""
        return FINAL_LENGTH * self.trial_s

    def shortlist(self, trial_seconds: Sequence[float]) -> int:
        """How many networks of the search are trained again to find its best; 1 where there is no room for that."""
        return SHORTLIST if self.budget_s is None or _slow(trial_seconds) <= self.trial_s / 2 else 1

    def comparisons(self, trial_seconds: Sequence[float]) -> int:
        """Trainings of the shortlist and of the finalists."""
        listed = self.shortlist(trial_seconds)
        return RESPLITS * FINALISTS + (listed * SHORTLIST_RESPLITS if listed > 1 else 0)

    def reserve_s(self, trial_seconds: Sequence[float]) -> float:
        """Wall seconds to keep for finalists, final trainings and export. trial_seconds: of full trainings so far."""
        if self.budget_s is None:
            return 0.0
        slow = _slow(trial_seconds)
        compared = _rounds(self.comparisons(trial_seconds), self.workers) * min(slow, self.trial_s)
        finals = _rounds(SEEDS * SHIPPED, self.workers) * min(MORE_ROWS * slow, self.final_s)
        return SLACK * (compared + finals) + EXPORT_S


def _slow(seconds: Sequence[float]) -> float:
    """A slow training: the best networks are rarely the quickest. Infinite before the first."""
    return sorted(seconds)[int(0.8 * len(seconds))] if seconds else inf


def _rounds(jobs: int, workers: int) -> int:
    return -(-jobs // workers)


def split_rest(left_s: float, workers: int, comparing: int, finals: int) -> tuple[float, float]:
    """Deadlines of a comparing and of a final training when `left_s` wall seconds remain, export included."""
    usable = max(1.0, left_s - EXPORT_S) / SLACK
    unit = usable / max(1, _rounds(comparing, workers) + FINAL_LENGTH * _rounds(finals, workers))
    return unit, FINAL_LENGTH * unit
