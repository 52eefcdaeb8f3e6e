"""One scored trial for each architecture: what population methods see of a history."""

from nasturtium.trial import History, Trial


def seasoned(history: History) -> list[Trial]:
    """The scored trial at the highest fidelity of each architecture, in the order in which they were first proposed.

    A continuation thereby takes the place (and the age) of the trial that it continues.
    """
    latest: dict[str, Trial] = {}
    for trial in history.scored:
        known = latest.get(trial.architecture.arch_id)
        if known is None or trial.fidelity >= known.fidelity:
            # Assigning to a known key keeps its place.
            latest[trial.architecture.arch_id] = trial
    return list(latest.values())
