"""The choice of a strategy when the user leaves it to us."""

from nasturtium.roles import Strategy
from nasturtium.space import Space
from nasturtium.strategies.registry import strategy

FEW = 20
MANY = 100
SMALL_SPACE = 100_000


def auto(space: Space, trials: int, objectives: int) -> tuple[Strategy, str]:
    """The strategy for a space, an expected number of trials and a number of objectives; and why, in a sentence.

    Small budgets go to what learns from few trials, large ones to what explores; local search only where the space is
    so small that White et al. (2021) found nothing better.
    """
    name, reason = _rule(space, trials, objectives)
    return strategy(name, trials), reason


def _rule(space: Space, trials: int, objectives: int) -> tuple[str, str]:
    size = space.size
    if size is not None and size <= trials:
        return "random", f"Random search: the space has {size:,} architectures, and {trials} trials can try them all."
    if trials < FEW:
        return "random", f"Random search: {trials} trials are too few to learn from."
    if objectives > 1 and trials >= MANY:
        return "nsga2", f"NSGA-II: {objectives} objectives, and {trials} trials are enough for several generations."
    if objectives > 1:
        return "regularized-evolution", (
            f"Regularized evolution on Pareto rank: {objectives} objectives, and too few trials ({trials}) for NSGA-II."
        )
    if size is not None and size <= SMALL_SPACE and trials >= MANY:
        return "local-search", f"Local search: one objective, and a space of only {size:,} architectures."
    if size is None or trials < MANY:
        why = "the space has real-valued decisions" if size is None else f"{trials} trials are few"
        return "tpe", f"TPE: one objective, and {why}, so that a model of the trials so far pays."
    return "regularized-evolution", f"Regularized evolution: one objective, a large space and {trials} trials."
