"""What the strategies for one objective share."""

from nasturtium.errors import RunError
from nasturtium.trial import History

SEVERAL = ("auto", "nsga2", "nsga3", "regularized-evolution", "local-search", "tpe")
"""Strategies that can take several objectives."""


def refuse_several(name: str, history: History) -> None:
    """Raises `RunError` unless there is one objective."""
    if len(history.objectives) > 1:
        goals = ", ".join(goal.name for goal in history.objectives)
        raise RunError(
            f"The strategy {name!r} takes one objective, and there are {len(history.objectives)} ({goals}). "
            f"Give one, or use a strategy for several: {', '.join(SEVERAL)}."
        )
