"""Every strategy passes the shipped suite, whose simulated study asks as a real one does."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from nasturtium.roles import Candidates, Strategy
from nasturtium.schedulers import Full
from nasturtium.space import Architecture
from nasturtium.strategies import CmaEs, Gp, Grid, LocalSearch, Nsga2, Nsga3, Random, RegularizedEvolution, Tpe
from nasturtium.study import InlineExecutor, MemoryStore, Study, run_study
from nasturtium.testing.evaluators import Scripted
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, first_losses, mixed_space, simulate
from nasturtium.trial import History, Objective


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


@dataclass(frozen=True)
class Heard:
    """Random search that notes the seeds it is asked with."""

    seeds: list[int] = field(default_factory=list)
    name: str = "heard"

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> Sequence[Architecture]:
        self.seeds.append(seed)
        return Random().ask(history, count, seed, candidates)


def test_a_simulated_study_has_the_seeds_of_a_real_one() -> None:
    candidates, real, simulated = SpaceCandidates(mixed_space()), Heard(), Heard()
    goals = (Objective("score", "maximize"),)
    study = Study(real, Random(), Full(1), candidates, goals, seed=3, trials=9, control_share=0.0)
    made = run_study(study, InlineExecutor(Scripted()), MemoryStore(goals))
    like = simulate(simulated, candidates, first_losses(1), 9, seed=3)
    assert simulated.seeds == real.seeds
    assert len(set(real.seeds)) == 9
    assert [(one.seed, one.architecture.arch_id) for one in like.trials] == [
        (one.seed, one.architecture.arch_id) for one in made.trials
    ]
