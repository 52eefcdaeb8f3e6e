"""The clock of a run: a budget that covers everything from the first line to the report."""

import time
from dataclasses import dataclass, field
from math import inf


@dataclass(frozen=True)
class Clock:
    """budget_s: seconds for the whole run, or None. spent_s: by earlier parts of a resumed run. start_s: from the
    command to the run's first clock, which is what loading the libraries took."""

    budget_s: float | None
    spent_s: float = 0.0
    started: float = field(default_factory=time.monotonic)
    start_s: float = 0.0

    @property
    def seconds(self) -> float:
        """Spent so far, earlier parts included."""
        return self.spent_s + time.monotonic() - self.started

    @property
    def left_s(self) -> float:
        return inf if self.budget_s is None else self.budget_s - self.seconds
