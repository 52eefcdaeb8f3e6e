"""What a study tells while it runs, so that a terminal view or a log can be drawn elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

from nasturtium.trial import History, Trial


@dataclass(frozen=True)
class Started:
    """A trial was handed to a worker. again: it was found running in the store of a killed study."""

    trial: Trial
    history: History
    again: bool = False


@dataclass(frozen=True)
class Finished:
    """A trial ended, well or badly (`trial.state`). trials_left, seconds_left: of the budget; None: unlimited."""

    trial: Trial
    history: History
    trials_left: int | None
    seconds_left: float | None


@dataclass(frozen=True)
class Plateau:
    """More search would gain little; `sentence` says how much. Sent once, at the first trial where it holds."""

    sentence: str
    history: History


@dataclass(frozen=True)
class Ended:
    """The study is over; `sentence` says why. interrupted: by Ctrl-C."""

    sentence: str
    history: History
    interrupted: bool = False


Event = Started | Finished | Plateau | Ended
OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener that does nothing."""
