"""One bracket of successive halving, which successive halving and Hyperband share."""

from collections.abc import Sequence

from nasturtium.roles import Continuation, Fresh
from nasturtium.schedulers.rungs import best_first
from nasturtium.trial import Fidelity, History, Trial

Bracket = Sequence[tuple[int, int]]
"""Of each rung: how many trials, and to how many epochs."""


def advance(bracket: Bracket, members: list[Trial], history: History, then: Fresh) -> Fresh | Continuation | None:
    """The next step of a bracket whose fresh trials are `members`; `then` when it is over, None while it waits.

    A rung waits for its slowest trial, and then the best go on to the next; failed trials take no place there.
    """
    (size, epochs), *longer = bracket
    if len(members) < size:
        return Fresh(Fidelity(epochs))
    for places, epochs in longer:
        if any(trial.state == "running" for trial in members):
            return None
        children = _children(members, history)
        chosen = best_first(members, history)[:places]
        for trial in chosen:
            if trial.number not in children:
                return Continuation(trial.number, Fidelity(epochs))
        members = [children[trial.number] for trial in chosen]
    return None if any(trial.state == "running" for trial in members) else then


def _children(members: list[Trial], history: History) -> dict[int, Trial]:
    """The trials that continue `members`, by their parent's number."""
    numbers = {trial.number for trial in members}
    return {trial.parent: trial for trial in history.trials if trial.parent is not None and trial.parent in numbers}
