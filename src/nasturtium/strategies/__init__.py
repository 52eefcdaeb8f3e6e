"""Strategies: what to try next, as a function of the history, a seed and the candidates."""

from nasturtium.strategies.auto import Auto
from nasturtium.strategies.cma_es import CmaEs
from nasturtium.strategies.gp import Gp
from nasturtium.strategies.grid import Grid
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.strategies.nsga2 import Nsga2
from nasturtium.strategies.nsga3 import Nsga3
from nasturtium.strategies.random_search import Random
from nasturtium.strategies.registry import STRATEGIES, strategy
from nasturtium.strategies.regularized_evolution import RegularizedEvolution
from nasturtium.strategies.tpe import Tpe

__all__ = [
    "STRATEGIES",
    "Auto",
    "CmaEs",
    "Gp",
    "Grid",
    "LocalSearch",
    "Nsga2",
    "Nsga3",
    "Random",
    "RegularizedEvolution",
    "Tpe",
    "strategy",
]
