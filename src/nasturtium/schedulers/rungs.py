"""The ladder of fidelities that successive halving and ASHA share."""

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.trial import History, Trial


def rungs(min_epochs: int, max_epochs: int, eta: int) -> tuple[int, ...]:
    """Epochs of each rung, from `min_epochs`, times `eta` each, the last cut to `max_epochs`.

    Raises `RunError` unless 1 <= min_epochs <= max_epochs and eta >= 2.

    >>> rungs(1, 9, 3)
    (1, 3, 9)
    >>> rungs(2, 10, 3)
    (2, 6, 10)
    """
    if eta < 2:
        raise RunError(f"eta is {eta}: at least 2 is needed, so that some are dropped at each rung.")
    if not 1 <= min_epochs <= max_epochs:
        raise RunError(f"min_epochs is {min_epochs} and max_epochs {max_epochs}: 1 <= min <= max is needed.")
    ladder = [min_epochs]
    while ladder[-1] < max_epochs:
        ladder.append(min(ladder[-1] * eta, max_epochs))
    return tuple(ladder)


def best_first(trials: list[Trial], history: History) -> list[Trial]:
    """The scored among `trials` by Pareto rank, then lonelier first, then earlier first."""
    scored = tuple(trial for trial in trials if trial.scored)
    return [scored[row] for row in pareto.order(history.losses(scored))] if scored else []
