"""Strategies that score networks one by one, where there are no weights to share."""

from nasturtium.errors import RunError
from nasturtium.roles import Strategy
from nasturtium.strategies.registry import strategy


def strategy_alone(name: str, trials: int, place: str) -> Strategy:
    """The strategy of this name, set for so many trials. Raises `RunError` for an unknown one, and for a one-shot
    search: place says where there are no weights.
    """
    try:
        return strategy(name, trials)
    except RunError:
        from nasturtium.supernet.registry import one_shot_name

        if one_shot_name(name) is None:
            raise
        raise RunError(
            f"The strategy {name!r} trains the shared weights of a whole space, and {place} has scores alone. Take one "
            "that proposes architectures, such as auto, or search data with it: nasturtium search."
        ) from None
