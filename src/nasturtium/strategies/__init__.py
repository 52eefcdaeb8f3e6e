"""Strategies: what to try next, as a function of the history, a seed and the candidates."""

from nasturtium.strategies._single import SEVERAL
from nasturtium.strategies.auto import Auto
from nasturtium.strategies.bananas import Bananas
from nasturtium.strategies.cma_es import CmaEs
from nasturtium.strategies.enas_controller import EnasController
from nasturtium.strategies.given import Given
from nasturtium.strategies.gp import Gp
from nasturtium.strategies.grid import Grid
from nasturtium.strategies.llm import Llm
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.strategies.nas_bowl import NasBowl
from nasturtium.strategies.nasnet_controller import NasnetController
from nasturtium.strategies.nsga2 import Nsga2
from nasturtium.strategies.nsga3 import Nsga3
from nasturtium.strategies.policy import Policy, Sample
from nasturtium.strategies.random_search import Random
from nasturtium.strategies.registry import STRATEGIES, strategy
from nasturtium.strategies.regularized_evolution import RegularizedEvolution
from nasturtium.strategies.reinforce import Reinforce
from nasturtium.strategies.tpe import Tpe

__all__ = [
    "SEVERAL",
    "STRATEGIES",
    "Auto",
    "Bananas",
    "CmaEs",
    "EnasController",
    "Given",
    "Gp",
    "Grid",
    "Llm",
    "LocalSearch",
    "NasBowl",
    "NasnetController",
    "Nsga2",
    "Nsga3",
    "Policy",
    "Random",
    "RegularizedEvolution",
    "Reinforce",
    "Sample",
    "Tpe",
    "strategy",
]
