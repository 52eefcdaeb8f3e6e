"""Every strategy passes the shipped suite."""

import pytest

from nasturtium.roles import Strategy
from nasturtium.strategies import CmaEs, Gp, Grid, LocalSearch, Nsga2, Nsga3, Random, RegularizedEvolution, Tpe
from nasturtium.testing.strategies import StrategySuite


class TestRandom(StrategySuite):
    def strategy(self) -> Strategy:
        return Random()


class TestRegularizedEvolution(StrategySuite):
    def strategy(self) -> Strategy:
        return RegularizedEvolution(population=8, sample=3)


class TestLocalSearch(StrategySuite):
    def strategy(self) -> Strategy:
        return LocalSearch(initial=3)


class TestNsga2(StrategySuite):
    def strategy(self) -> Strategy:
        return Nsga2(population=8)


class TestTpe(StrategySuite):
    def strategy(self) -> Strategy:
        return Tpe(startup=6)


class TestGrid(StrategySuite):
    seeded = False

    def strategy(self) -> Strategy:
        return Grid(levels=3)


class TestRegularizedEvolutionWithCrossover(StrategySuite):
    def strategy(self) -> Strategy:
        return RegularizedEvolution(population=8, sample=3, crossover=0.5)


class TestSteepestLocalSearch(StrategySuite):
    def strategy(self) -> Strategy:
        return LocalSearch(initial=1, steepest=True)


class TestNsga3(StrategySuite):
    objectives = (2, 3)

    def strategy(self) -> Strategy:
        return Nsga3(population=8)


class TestGp(StrategySuite):
    objectives, refuses = (1,), ()
    trials = 12  # an ask takes a good part of a second

    def strategy(self) -> Strategy:
        return Gp(startup=6)


@pytest.mark.slow
class TestGpWithTwoObjectives(StrategySuite):
    objectives, refuses = (2,), ()
    trials = 12

    def strategy(self) -> Strategy:
        return Gp(startup=6)


class TestCmaEs(StrategySuite):
    objectives = (1,)

    def strategy(self) -> Strategy:
        return CmaEs(population=5)
