"""What each strategy does, against oracles."""

from dataclasses import replace

import pytest
from scipy import stats

from nasturtium.errors import RunError
from nasturtium.space import Architecture, Space, choice, integer, real
from nasturtium.space.variation import neighbours
from nasturtium.strategies import (
    STRATEGIES,
    CmaEs,
    Gp,
    LocalSearch,
    Nsga2,
    Nsga3,
    Random,
    RegularizedEvolution,
    Tpe,
    strategy,
)
from nasturtium.strategies._single import SEVERAL
from nasturtium.strategies.registry import ALIASES
from nasturtium.strategies.seasoned import seasoned
from nasturtium.testing.strategies import SpaceCandidates, simulate
from nasturtium.trial import Fidelity, History, Objective

SEPARABLE = Space(tuple(choice(*range(4)) for _ in range(8)), name="separable")
CANDIDATES = SpaceCandidates(SEPARABLE)


def total(architecture: Architecture) -> tuple[float]:
    """Separable: each decision costs its own value; the minimum is 0."""
    return (float(sum(architecture.tree)),)


def distance(one: Architecture, other: Architecture) -> int:
    return sum(left != right for left, right in zip(one.tree, other.tree, strict=True))


def test_random_is_uniform_over_a_small_space() -> None:
    space = Space((choice(1, 2, 3), choice(1, 2)), name="six")
    history = History((Objective("loss0", "minimize"),))
    seen = [Random().ask(history, 1, seed, SpaceCandidates(space))[0].tree for seed in range(1200)]
    counts = [seen.count((left, right)) for left in (1, 2, 3) for right in (1, 2)]
    assert stats.chisquare(counts).pvalue > 0.001


def test_parents_of_evolution_are_the_best_of_a_sample_of_the_youngest() -> None:
    history = simulate(Random(), CANDIDATES, total, 60)
    youngest = seasoned(history)[-10:]
    whole = RegularizedEvolution(population=10, sample=10)
    best = min(youngest, key=lambda trial: (trial.measures["loss0"], trial.number))
    for seed in range(20):
        assert distance(whole.ask(history, 1, seed, CANDIDATES)[0], best.architecture) == 1
    single = RegularizedEvolution(population=10, sample=1)
    near = {
        trial.number
        for seed in range(200)
        for trial in youngest
        if distance(single.ask(history, 1, seed, CANDIDATES)[0], trial.architecture) == 1
    }
    assert near == {trial.number for trial in youngest}


def test_evolution_forgets_the_best_when_it_is_old() -> None:
    history = simulate(Random(), CANDIDATES, total, 40)
    first = replace(history.trials[0], measures={"loss0": -100.0})
    history = History(history.objectives, (first, *history.trials[1:]))
    evolution = RegularizedEvolution(population=10, sample=10)
    for seed in range(10):
        assert distance(evolution.ask(history, 1, seed, CANDIDATES)[0], first.architecture) > 1


def test_local_search_finds_the_optimum_of_a_separable_toy_without_restart() -> None:
    history = simulate(LocalSearch(initial=1), CANDIDATES, total, 400, seed=3, failing=0)
    losses = [trial.measures.get("loss0", 99.0) for trial in history.trials]
    reached = losses.index(0.0)
    # 8 decisions of 4 values have 24 neighbours; every move improves, so at most 24 moves of at most 24 trials.
    assert reached < 200
    optimum = history.trials[reached].architecture
    after = history.trials[reached + 1 :]
    tried = {trial.architecture for trial in history.trials}
    assert set(neighbours(optimum)) <= tried
    assert any(distance(trial.architecture, optimum) > 3 for trial in after), "it starts again elsewhere"


def test_local_search_moves_at_the_first_improvement() -> None:
    rule = LocalSearch(initial=4)
    history = simulate(rule, CANDIDATES, total, 150, failing=0)
    optimum = [trial.measures["loss0"] for trial in history.trials].index(0.0)
    for number in range(4, optimum + 1):
        centre = rule.centre(History(history.objectives, history.trials[:number]), CANDIDATES)
        assert centre is not None
        assert centre.measures["loss0"] == min(trial.measures["loss0"] for trial in history.trials[:number])
        assert distance(history.trials[number].architecture, centre.architecture) == 1
    assert (
        rule.centre(History(history.objectives, history.trials[: optimum + 1]), CANDIDATES) == history.trials[optimum]
    )


@pytest.mark.parametrize(
    "made", [RegularizedEvolution(20, 5), LocalSearch(5), Nsga2(10), Tpe()], ids=lambda made: made.name
)
def test_each_beats_random_on_a_separable_toy(made: object) -> None:
    space = Space((*(choice(*range(4)) for _ in range(6)), integer(1, 9), real(0.0, 3.0)), name="toy")

    def score(architecture: Architecture) -> tuple[float]:
        return (float(sum(architecture.tree)),)

    def best(asked: object, seed: int) -> float:
        history = simulate(asked, SpaceCandidates(space), score, 80, seed)  # type: ignore[arg-type]
        return float(history.losses().min())

    ours = [best(made, seed) for seed in range(5)]
    control = [best(Random(), seed) for seed in range(5)]
    assert stats.ttest_ind(ours, control, alternative="less", equal_var=False).pvalue < 0.05


def test_the_parents_of_nsga2_are_the_elite_of_all_full_generations() -> None:
    goals = (Objective("loss0", "minimize"), Objective("loss1", "minimize"))

    def score(architecture: Architecture) -> tuple[float, float]:
        return float(sum(architecture.tree)), float(sum((3 - value) ** 2 for value in architecture.tree))

    history = simulate(Nsga2(10), CANDIDATES, score, 60)
    assert history.objectives == goals
    elite = Nsga2(10).parents(history)
    assert len(elite) == 10
    full = seasoned(history)[: len(seasoned(history)) // 10 * 10]
    rows = history.losses(tuple(full))
    first = [
        trial for trial, row in zip(full, rows, strict=True) if not ((rows <= row).all(1) & (rows < row).any(1)).any()
    ]
    # Elitism: whoever is on the front of everything is among the parents (as far as there is room).
    assert len([trial for trial in first if trial in elite]) == min(10, len(first))


def test_seasoned_takes_the_longest_training_at_the_place_of_the_first() -> None:
    history = simulate(Random(), CANDIDATES, total, 5)
    longer = replace(history.trials[1], number=5, fidelity=Fidelity(9), parent=1)
    shown = seasoned(History(history.objectives, (*history.trials, longer)))
    assert [trial.number for trial in shown] == [0, 5, 2, 3, 4]


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_aliases_are_other_names_of_strategies(alias: str, name: str) -> None:
    assert alias not in STRATEGIES
    assert strategy(alias).name == name


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategies_are_found_by_their_own_names(name: str) -> None:
    for trials in (1, 20, 1000):
        assert strategy(name, trials).name == name
    assert strategy(name.replace("-", "_").title()).name == name


def test_the_published_settings_hold_for_large_budgets() -> None:
    assert strategy("regularized-evolution") == RegularizedEvolution(100, 25) == RegularizedEvolution()
    assert strategy("local-search") == LocalSearch(10) == LocalSearch()
    assert strategy("NSGA-II") == Nsga2(50) == Nsga2()
    assert strategy("nsga-iii") == Nsga3(50) == Nsga3()
    assert strategy("tpe") == Tpe(10) == Tpe()
    assert strategy("gp") == Gp(10) == Gp()
    assert strategy("CMAES") == CmaEs()


def test_an_unknown_strategy_is_answered_with_near_names() -> None:
    with pytest.raises(
        RunError, match=r"There is no strategy 'regularised_evolution'\. Did you mean 'regularized-evol"
    ):
        strategy("regularised_evolution")
    with pytest.raises(RunError, match="BOHB is the strategy 'tpe' with the scheduler 'hyperband': --strategy tpe"):
        strategy("BOHB")
    with pytest.raises(RunError, match="1 <= sample <= population"):
        RegularizedEvolution(population=5, sample=6)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_strategies_that_a_refusal_names_take_two_objectives(name: str) -> None:
    history = simulate(strategy(name, 12), CANDIDATES, lambda made: (*total(made), float(made.tree[0])), 12)
    assert len(history.trials) == 12


@pytest.mark.parametrize("trials", [1, 2, 3, 4, 5, 6])
def test_the_beginning_leaves_a_trial_for_choosing(trials: int) -> None:
    begun = [strategy("auto", trials).startup, strategy("nsga2", trials).population]
    evolution = strategy("regularized-evolution", trials)
    assert evolution.sample <= evolution.population
    assert begun == [max(1, min(5, trials - 1)), max(2, min(4, trials - 1))]
