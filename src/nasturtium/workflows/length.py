"""How long the trials of a search are, and when it must end."""

from dataclasses import dataclass
from math import inf

from nasturtium.workflows.baselines import Speed
from nasturtium.workflows.session import Session

DEFAULT_TRIALS = 100
WANTED_TRIALS = 48
"""Trials that a clock should have room for: fewer tell a strategy little."""
LEAST_EPOCHS = 4
MOST_KEPT = 0.65
"""Of what is left when the search begins, at most so much is kept for finalists, final trainings and files."""


@dataclass(frozen=True)
class Length:
    """epochs: of a trial. seconds: that a typical one takes, infinite without a clock. trials: expected.
    search_end_s: when the search must end, on the run's clock."""

    epochs: int
    seconds: float
    trials: int
    search_end_s: float


def trial_length(session: Session, speed: Speed | None) -> Length:
    """Trials of full length where enough of them fit the clock; else as short as they must be for that.

    A short schedule that anneals to the end ranks networks well; the finalists get full trainings in any case.
    """
    full, plan, options = session.recipe.epochs, session.plan, session.options
    if session.clock.budget_s is None:
        return Length(full, inf, options.trials or DEFAULT_TRIALS, inf)
    typical_s = speed.full_s if speed is not None else plan.trial_s
    left = session.clock.left_s
    kept = min(plan.reserve_s(typical_s), MOST_KEPT * left)
    room = (left - kept) * plan.workers
    seconds = min(typical_s, room / (options.trials or WANTED_TRIALS))
    epochs = max(min(full, LEAST_EPOCHS), min(full, round(full * seconds / typical_s)))
    expected = max(1, round(room / max(seconds, typical_s * epochs / full)))
    return Length(epochs, seconds, options.trials or expected, session.clock.seconds + left - kept)
