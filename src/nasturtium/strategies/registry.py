"""The strategies by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nasturtium.errors import RunError, hint
from nasturtium.roles import Strategy
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.strategies.nsga2 import Nsga2
from nasturtium.strategies.random_search import Random
from nasturtium.strategies.regularized_evolution import RegularizedEvolution
from nasturtium.strategies.tpe import Tpe

# Expected number of trials -> strategy. The published settings hold for large budgets; for small ones the random
# beginning is cut to about a quarter of the trials, or the strategy would never begin.
Factory = Callable[[int], Strategy]


def _evolution(trials: int) -> Strategy:
    population = max(4, min(100, trials // 4))
    return RegularizedEvolution(population, max(2, population // 4))


STRATEGIES: Mapping[str, Factory] = MappingProxyType(
    {
        "random": lambda trials: Random(),
        "regularized-evolution": _evolution,
        "local-search": lambda trials: LocalSearch(max(1, min(10, trials // 10))),
        "nsga2": lambda trials: Nsga2(max(4, min(50, trials // 4))),
        "tpe": lambda trials: Tpe(max(2, min(10, trials // 4))),
    }
)


def strategy(name: str, trials: int = 1000) -> Strategy:
    """The strategy of this name, set for a budget of about `trials` (default: as published).

    Underscores are taken for hyphens, and "nsga-ii" for "nsga2". Raises `RunError` for an unknown name.
    """
    key = name.lower().replace("_", "-")
    key = {"nsga-ii": "nsga2", "nsgaii": "nsga2", "nsga-2": "nsga2"}.get(key, key)
    if key not in STRATEGIES:
        raise RunError(f"There is no strategy {name!r}. {hint(key, [*STRATEGIES, 'auto'])}")
    return STRATEGIES[key](trials)
