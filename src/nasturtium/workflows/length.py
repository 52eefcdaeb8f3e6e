"""How long the trials of a search are, and when it must end."""

import json
from dataclasses import asdict, dataclass
from math import inf

from nasturtium.protocol import RESPLITS, SEEDS, Plan
from nasturtium.protocol.plan import FINALISTS, MORE_ROWS
from nasturtium.workflows.baselines import Speed
from nasturtium.workflows.folder import write_json
from nasturtium.workflows.session import Session

DEFAULT_TRIALS = 100
WANTED_TRIALS = 48
"""Trials that a clock should have room for: fewer tell a strategy little."""
LEAST_EPOCHS = 4
PATIENCE = 2.5
"""Where full trainings fit, a trial may take so many times as long as a typical one."""
MOST_KEPT = 0.7
"""Of what is left when the search begins, at most so much is kept for finalists, final trainings and files."""


@dataclass(frozen=True)
class Length:
    """epochs: of a trial. seconds: that a typical one takes, infinite without a clock. trials: expected.
    search_end_s: when the search must end, on the run's clock. longest_s: that a trial may take; then its schedule is
    shortened."""

    epochs: int
    seconds: float
    trials: int
    search_end_s: float
    longest_s: float


def trial_length(session: Session, speed: Speed | None, wanted: int = WANTED_TRIALS) -> Length:
    """Trials of full length where enough of them fit the clock; else as short as they must be for that.

    A short schedule that anneals to the end ranks networks well; the finalists get full trainings in any case.
    wanted: trials that a clock should have room for, if the user does not say.
    A resumed run keeps what was worked out when its search began, or it would be another search.
    """
    if session.clock.budget_s is None:
        return Length(session.recipe.epochs, inf, session.options.trials or DEFAULT_TRIALS, inf, inf)
    kept = session.folder.work / "length.json"
    if kept.exists():
        return Length(**json.loads(kept.read_text()))
    length = _fitting(session, speed, wanted)
    write_json(kept, asdict(length))
    return length


def search_end_s(session: Session, speed: Speed | None) -> float:
    """When the search must end, on the run's clock; infinite without one."""
    return inf if session.clock.budget_s is None else _fitting(session, speed, WANTED_TRIALS).search_end_s


def _fitting(session: Session, speed: Speed | None, wanted: int) -> Length:
    """What fits the clock as it stands."""
    full, plan, options = session.recipe.epochs, session.plan, session.options
    typical_s = speed.full_s if speed is not None else plan.trial_s
    left = session.clock.left_s
    kept = min(plan.reserve_s(typical_s), MOST_KEPT * left)
    room = (left - kept) * plan.workers
    seconds = min(typical_s, room / (options.trials or wanted))
    epochs = max(min(full, LEAST_EPOCHS), min(full, round(full * seconds / typical_s)))
    expected = max(1, round(room / max(seconds, typical_s * epochs / full)))
    longest = (
        PATIENCE * seconds if epochs == full else max(plan.trial_s, epochs / full * _final_s(plan, kept, typical_s))
    )
    return Length(epochs, seconds, options.trials or expected, session.clock.seconds + left - kept, longest)


def _final_s(plan: Plan, kept_s: float, typical_s: float) -> float:
    """What the final training of a slow network will be given, if the baseline is a typical known one.

    A trial that is shorter than a final training is a model of it to scale: what the clock would cut there is cut here
    by as much. Trials of equally many epochs would favour networks that are too slow to be trained well in the end.
    """
    slow, known = RESPLITS * (FINALISTS - 1) * [inf], RESPLITS * [typical_s]
    finals = SEEDS * [inf] + SEEDS * [MORE_ROWS * typical_s]
    return plan.comparing_s(kept_s, [*slow, *known], finals)
