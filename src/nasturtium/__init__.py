"""Nasturtium: from a data set and the limits of a device to the best neural network that fits, with the evidence.

>>> import nasturtium
>>> result = nasturtium.search("digits", max_params="20k", budget="3m")  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasturtium.api import family as family
    from nasturtium.api import search as search
    from nasturtium.space import Architecture as Architecture
    from nasturtium.space import Space as Space
    from nasturtium.space import choice as choice
    from nasturtium.space import integer as integer
    from nasturtium.space import optional as optional
    from nasturtium.space import real as real
    from nasturtium.space import repeat as repeat

__all__ = ["Architecture", "Space", "choice", "family", "integer", "optional", "real", "repeat", "search"]


def __getattr__(name: str) -> Any:
    # Lazily, so that `nasturtium --help` does not wait for torch.
    if name in ("search", "family"):
        from nasturtium import api

        return getattr(api, name)
    if name in __all__:
        from nasturtium import space

        return getattr(space, name)
    raise AttributeError(f"module 'nasturtium' has no attribute {name!r}")
