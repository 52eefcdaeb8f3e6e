"""The strategies by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nasturtium.errors import RunError, hint
from nasturtium.roles import Strategy
from nasturtium.strategies._llm_endpoint import Endpoint
from nasturtium.strategies.auto import Auto
from nasturtium.strategies.bananas import Bananas
from nasturtium.strategies.cma_es import CmaEs
from nasturtium.strategies.enas_controller import EnasController
from nasturtium.strategies.gp import Gp
from nasturtium.strategies.grid import Grid
from nasturtium.strategies.llm import Llm
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.strategies.nas_bowl import NasBowl
from nasturtium.strategies.nasnet_controller import NasnetController
from nasturtium.strategies.nsga2 import Nsga2
from nasturtium.strategies.nsga3 import Nsga3
from nasturtium.strategies.random_search import Random
from nasturtium.strategies.regularized_evolution import RegularizedEvolution
from nasturtium.strategies.reinforce import Reinforce
from nasturtium.strategies.tpe import Tpe

# Expected number of trials -> strategy. The published settings hold for large budgets; for small ones the random
# beginning is cut to about a quarter of the trials, or the strategy would never begin.
Factory = Callable[[int], Strategy]


def _fewest(trials: int, usual: int) -> int:
    """The least beginning: the usual one, or fewer where hardly any trial would be left."""
    return max(1, min(usual, trials - 1))


def _population(trials: int, most: int) -> int:
    return max(2, _fewest(trials, 4), min(most, trials // 4))


def _evolution(trials: int) -> Strategy:
    population = _population(trials, 100)
    return RegularizedEvolution(population, max(2, population // 4))


def _reinforce(trials: int) -> Strategy:
    """A small learning rate learns nothing from a few hundred trials: the benchmark's own script has 0.5."""
    return Reinforce() if trials >= 300 else Reinforce.nasbench201()


STRATEGIES: Mapping[str, Factory] = MappingProxyType(
    {
        "auto": lambda trials: Auto(startup=_fewest(trials, Auto().startup)),
        "random": lambda trials: Random(),
        "grid": lambda trials: Grid(),
        "local-search": lambda trials: LocalSearch(max(1, min(10, trials // 10))),
        "regularized-evolution": _evolution,
        "nsga2": lambda trials: Nsga2(_population(trials, 50)),
        "nsga3": lambda trials: Nsga3(_population(trials, 50)),
        "tpe": lambda trials: Tpe(max(2, min(10, trials // 4))),
        "gp": lambda trials: Gp(max(2, min(10, trials // 4))),
        "cma-es": lambda trials: CmaEs(),
        "bananas": lambda trials: Bananas(initial=max(2, min(10, trials // 4))),
        "nas-bowl": lambda trials: NasBowl(initial=max(2, min(10, trials // 4))),
        "reinforce": _reinforce,
        "nasnet": lambda trials: NasnetController(batch=max(1, min(20, trials // 20))),
        "enas-controller": lambda trials: EnasController(batch=max(1, min(20, trials // 50))),
        "llm": lambda trials: Llm(Endpoint.from_environment()),
    }
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "random-search": "random",
        "grid-search": "grid",
        "aging-evolution": "regularized-evolution",
        "rea": "regularized-evolution",
        "nsga-2": "nsga2",
        "nsga-ii": "nsga2",
        "nsgaii": "nsga2",
        "nsga-3": "nsga3",
        "nsga-iii": "nsga3",
        "nsgaiii": "nsga3",
        "gaussian-process": "gp",
        "cmaes": "cma-es",
        "nasbowl": "nas-bowl",
        "ppo": "nasnet",
        "enas": "enas-controller",
    }
)
"""Other names by which people know them."""


def strategy(name: str, trials: int = 1000) -> Strategy:
    """The strategy of this name or alias, set for a budget of about `trials` (default: as published).

    Underscores are taken for hyphens. Raises `RunError` for an unknown name.
    """
    key = name.lower().replace("_", "-")
    key = ALIASES.get(key, key)
    if key == "bohb":
        raise RunError(
            "BOHB is the strategy 'tpe' with the scheduler 'hyperband': --strategy tpe --scheduler hyperband."
        )
    if key not in STRATEGIES:
        raise RunError(f"There is no strategy {name!r}. {hint(key, STRATEGIES)}")
    return STRATEGIES[key](trials)
