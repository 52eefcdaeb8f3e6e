"""Every strategy passes the shipped suite."""

from nasturtium.roles import Strategy
from nasturtium.strategies import LocalSearch, Nsga2, Random, RegularizedEvolution, Tpe
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
