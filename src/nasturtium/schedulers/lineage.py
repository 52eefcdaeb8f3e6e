"""Trials that continue one another, seen as one training of one architecture."""

from dataclasses import dataclass

from nasturtium.trial import History, Trial


@dataclass(frozen=True)
class Training:
    """A fresh trial and what continued it. latest: the last of them that has scores, or is running.

    curve: score per epoch over all of them. resting: it has scores, and nothing that continues it was started.
    """

    latest: Trial
    curve: tuple[float, ...]
    resting: bool

    @property
    def epochs(self) -> int:
        return len(self.curve)


def trainings(history: History) -> list[Training]:
    """One for each fresh trial, in their order. One that has failed, or been ended early, rests no more."""
    found: dict[int, Training] = {}
    first: dict[int, int] = {}  # trial number -> number of the fresh trial that it continues
    for trial in history.trials:
        root = trial.number if trial.parent is None else first[trial.parent]
        first[trial.number] = root
        before = found[root].curve if root in found else ()
        # A trial's curve holds its own epochs only; its parent's came before.
        found[root] = Training(trial, before + trial.curve, trial.state == "complete")
    return list(found.values())
