"""The schedulers by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nasturtium.errors import RunError, hint
from nasturtium.roles import Scheduler
from nasturtium.schedulers.asha import Asha
from nasturtium.schedulers.extrapolation import CurveStopping
from nasturtium.schedulers.full import Full
from nasturtium.schedulers.halving import SuccessiveHalving
from nasturtium.schedulers.hyperband import Hyperband
from nasturtium.schedulers.median import MedianStopping
from nasturtium.schedulers.pausing import CurvePausing

# min epochs, max epochs, eta -> scheduler. Those without rungs ignore what they have no use for.
Factory = Callable[[int, int, int], Scheduler]

SCHEDULERS: Mapping[str, Factory] = MappingProxyType(
    {
        "full": lambda low, high, eta: Full(high),
        "median-stopping": lambda low, high, eta: MedianStopping(high),
        "successive-halving": SuccessiveHalving,
        "asha": Asha,
        "hyperband": Hyperband,
        "curve-extrapolation": lambda low, high, eta: CurveStopping(high, least_epochs=low),
        "curve-pausing": lambda low, high, eta: CurvePausing(low, high),
    }
)


def scheduler(name: str, *, max_epochs: int, min_epochs: int = 1, eta: int = 3) -> Scheduler:
    """The scheduler of this name; underscores are taken for hyphens. Raises `RunError` for an unknown name."""
    key = name.lower().replace("_", "-")
    if key not in SCHEDULERS:
        raise RunError(f"There is no scheduler {name!r}. {hint(key, SCHEDULERS)}")
    return SCHEDULERS[key](min_epochs, max_epochs, eta)
