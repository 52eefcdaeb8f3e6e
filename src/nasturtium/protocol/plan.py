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
LATE_LENGTH = 1.8
"""Where the clock binds, a training on a resplit and a final one may take so many times as long as a trial; the final
one goes on from the other. What is compared should be near what ships: at a third of its length a small network that is
soon done hides how much better a larger one becomes (on Fashion-MNIST 1.6 points)."""
UNITS = BASELINE_NETWORKS + LEAST_TRIALS + SEEDS * (FINALISTS + SHIPPED) * LATE_LENGTH
EXPORT_S = 9.0
"""Writing, checking and measuring the files and the report, seconds."""
START_S = 4.0
"""From the command to the first line, seconds."""
MOST_EXPORT = 0.4
"""Of the budget that is kept for the export on a slow machine."""
SLACK = 1.12
"""Uneven workers, start-up, and the start of each training."""
STEPS = 40
"""Halvings in the search for a deadline: far below a second."""
MORE_ROWS = 1.3
"""Final trainings see the validation rows too."""


@dataclass(frozen=True)
class Plan:
    """Longest trainings in seconds on one worker that a budget allows; infinite without a budget.

    Without a bound they all take what their recipe takes. budget_s: seconds for everything, or None. workers: that
    train at once. start_s: what the start took: where that is more than `START_S` the machine is slow or busy, and the
    export is given more, too.
    """

    budget_s: float | None
    workers: int
    start_s: float = START_S

    @property
    def export_s(self) -> float:
        """To keep for writing, checking and measuring the files."""
        if self.budget_s is None:
            return EXPORT_S
        longer = min(EXPORT_S * self.start_s / START_S, MOST_EXPORT * self.budget_s)
        return max(EXPORT_S, longer)

    def least_s(self, training_s: float) -> float:
        """Wall seconds of a run in which each training takes so long."""
        return self.start_s + self.export_s + SLACK * UNITS * training_s / self.workers

    @property
    def trial_s(self) -> float:
        """Of one training in the search, or of a baseline."""
        if self.budget_s is None:
            return inf
        return max(1.0, self.budget_s - self.export_s) * self.workers / (SLACK * UNITS)

    @property
    def late_s(self) -> float:
        """Of one training of a finalist on a resplit, or of one on all development rows."""
        return LATE_LENGTH * self.trial_s

    def shortlist(self, full_s: float) -> int:
        """How many networks of the search are trained again to find its best; 1 where there is no room for that."""
        return SHORTLIST if self.budget_s is None or full_s <= self.trial_s else 1

    def comparisons(self, full_s: float) -> int:
        """Trainings of the shortlist and of the finalists."""
        listed = self.shortlist(full_s)
        return RESPLITS * FINALISTS + (listed * SHORTLIST_RESPLITS if listed > 1 else 0)

    def reserve_s(self, full_s: float) -> float:
        """Wall seconds to keep for finalists, final trainings and export. full_s: of a full training on one worker."""
        if self.budget_s is None:
            return 0.0
        compared = _rounds(self.comparisons(full_s), self.workers) * min(full_s, self.late_s)
        finals = _rounds(SEEDS * SHIPPED, self.workers) * min(MORE_ROWS * full_s, self.late_s)
        return SLACK * (compared + finals) + self.export_s

    def comparing_s(self, left_s: float, needs: Sequence[float], finals: Sequence[float]) -> float:
        """Deadline of a comparing training when `left_s` wall seconds remain for these, final trainings and export.

        needs: seconds that each of the trainings to come would take in full. finals: the same of the final ones.
        What the quick ones leave goes to the others. A final training may take as long as one that compares.
        """
        return self._longest(left_s, needs, finals)

    def last_s(self, left_s: float, needs: Sequence[float]) -> float:
        """Deadline of a final training when `left_s` wall seconds remain for them and the export.

        needs: seconds that each of the trainings would take in full.
        """
        return self._longest(left_s, needs)

    def _longest(self, left_s: float, *stages: Sequence[float]) -> float:
        """The longest deadline with which all is done in time. stages: needs of trainings, one stage after another."""
        usable = max(1.0, left_s - self.export_s) / SLACK
        low, high = 0.0, usable
        for _ in range(STEPS):
            middle = (low + high) / 2
            takes = sum(_cut(needs, middle, self.workers) for needs in stages)
            low, high = (middle, high) if takes <= usable else (low, middle)
        return low


def _cut(needs: Sequence[float], deadline_s: float, workers: int) -> float:
    """Wall seconds of trainings that each end by a deadline."""
    return makespan([min(need, deadline_s) for need in needs], workers)


def makespan(durations: Sequence[float], workers: int) -> float:
    """When all are done, if the longest waiting one always goes to whoever is free first (Graham 1969)."""
    busy = [0.0] * workers
    for duration in sorted(durations, reverse=True):
        busy[busy.index(min(busy))] += duration
    return max(busy)


def _rounds(jobs: int, workers: int) -> int:
    return -(-jobs // workers)
