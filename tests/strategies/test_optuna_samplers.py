"""The strategies that wrap Optuna's samplers, against oracles where there are any."""

from math import comb

import numpy as np
import pytest

from nasturtium import pareto
from nasturtium.errors import RunError
from nasturtium.space import Architecture, Space, choice, integer, real
from nasturtium.strategies import CmaEs, Gp, Nsga3, Random, Tpe
from nasturtium.strategies.cma_es import numbers
from nasturtium.strategies.nsga3 import divisions
from nasturtium.strategies.seasoned import seasoned
from nasturtium.testing.strategies import SpaceCandidates, simulate
from nasturtium.trial import Fidelity, History, Objective, Trial

REALS = Space(tuple(real(0.0, 1.0) for _ in range(4)), name="reals")


def sphere(architecture: Architecture) -> tuple[float]:
    return (sum((value - 0.3) ** 2 for value in architecture.tree),)


def three_goals(architecture: Architecture) -> tuple[float, ...]:
    """The nearer to a corner of a triangle the worse at the others: all lie on trade-offs, and `far` is bad at all."""
    first, second, far, _ = architecture.tree
    return (1 + far) * first, (1 + far) * (1 - first) * second, (1 + far) * (1 - first) * (1 - second)


def test_cma_es_closes_in_on_the_optimum_of_a_sphere() -> None:
    candidates = SpaceCandidates(REALS)
    ours = simulate(CmaEs(), candidates, sphere, 160, failing=0).losses()[:, 0]
    control = simulate(Random(), candidates, sphere, 160, failing=0).losses()[:, 0]
    assert ours.min() < control.min() / 10
    assert np.median(ours[-16:]) < control.min()


def test_cma_es_draws_what_is_no_number_uniformly() -> None:
    space = Space((choice(*range(4)), real(0.0, 1.0), integer(1, 50), choice(a=(real(0.0, 1.0),), b="none")), name="m")
    assert len(numbers(space)) == 2, "the number behind a choice is not live in every architecture"
    history = simulate(CmaEs(), SpaceCandidates(space), lambda one: ((one.tree[1] - 0.3) ** 2,), 120, failing=0)
    late = history.trials[60:]
    counts = np.bincount([trial.architecture.tree[0] for trial in late], minlength=4)
    assert counts.min() >= 5
    assert np.std([trial.architecture.tree[1] for trial in late]) < 0.15


def test_cma_es_refuses_a_space_without_numbers_and_says_who_does_not() -> None:
    candidates = SpaceCandidates(Space((choice(1, 2, 3), choice(a=integer(1, 5), b=2)), name="cells"))
    with pytest.raises(RunError, match=r"the space 'cells' has none.*take regularized-evolution, local-search or tpe"):
        CmaEs().ask(History((Objective("loss0", "minimize"),)), 1, 0, candidates)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_cma_es_refuses_a_population_that_divides_by_zero_and_works_with_the_least() -> None:
    for few in (0, 3):
        with pytest.raises(RunError, match=f"population is {few}: CMA-ES needs at least 4. Give more, or leave it out"):
            CmaEs(population=few)
    history = simulate(CmaEs(population=4), SpaceCandidates(REALS), sphere, 40, failing=0)
    control = simulate(Random(), SpaceCandidates(REALS), sphere, 40, failing=0)
    assert np.median(history.losses()[-12:, 0]) < np.median(control.losses()[-12:, 0])


def test_the_process_closes_in_on_the_optimum_of_a_sphere() -> None:
    plane = Space((real(0.0, 1.0), real(0.0, 1.0)), name="plane")
    history = simulate(Gp(startup=6), SpaceCandidates(plane), sphere, 18, failing=0)
    # The best of 18 random points is within 0.018 on average (uniform on a square).
    assert history.losses().min() < 0.002


@pytest.mark.parametrize("made", [Tpe(startup=3), Gp(startup=3)], ids=lambda made: made.name)
def test_models_look_at_the_highest_fidelity_that_has_enough_trials(made: Tpe | Gp) -> None:
    """As BOHB does: at 1 epoch high values look good, at 9 epochs low ones do."""
    line = Space((real(0.0, 1.0),), name="line")
    candidates = SpaceCandidates(line)
    places = [line.architecture({line.decisions[0].path: value}) for value in np.linspace(0.02, 0.98, 25).tolist()]
    short = [
        Trial(number, one, Fidelity(1), number, "tpe", "complete", {"loss0": -one.tree[0]})
        for number, one in enumerate(places)
    ]
    long = [
        Trial(25 + row, one, Fidelity(9), row, "tpe", "complete", {"loss0": one.tree[0]}, parent=number)
        for row, (number, one) in enumerate(list(enumerate(places))[::3])
    ]
    goal = (Objective("loss0", "minimize"),)
    few = [made.ask(History(goal, (*short, *long[:2])), 1, seed, candidates)[0].tree[0] for seed in range(6)]
    enough = [made.ask(History(goal, (*short, *long)), 1, seed, candidates)[0].tree[0] for seed in range(6)]
    assert np.median(few) > 0.6
    assert np.median(enough) < 0.4


def test_the_divisions_of_nsga3_keep_the_reference_points_within_the_population() -> None:
    for goals in (2, 3, 5):
        for population in (4, 50, 92):
            most = divisions(goals, population)
            assert most == 1 or comb(goals + most - 1, most) <= population
            assert comb(goals + most, most + 1) > population


def test_the_elite_of_nsga3_holds_the_best_fronts_whole_and_spreads_over_the_last() -> None:
    candidates, rule = SpaceCandidates(REALS), Nsga3(12)
    history = simulate(Random(), candidates, three_goals, 12, failing=0)
    assert rule.parents(history) == list(history.trials), "the first generation survives whole"
    history = simulate(rule, candidates, three_goals, 96, failing=0)
    elite = rule.parents(history)
    assert len(elite) == 12
    # The last step alone: what was alive, and the latest generation.
    pool = rule.parents(History(history.objectives, history.trials[:84])) + seasoned(history)[84:96]
    fronts = pareto.fronts(history.losses(tuple(pool)))
    kept = [trial in elite for trial in pool]
    last = max(front for front, stays in zip(fronts, kept, strict=True) if stays)
    assert all(stays for front, stays in zip(fronts, kept, strict=True) if front < last)
    losses = history.losses(tuple(elite))
    shares = losses / losses.sum(1, keepdims=True)
    assert {int(corner) for corner in shares.argmax(1)} == {0, 1, 2}, "no goal is given up"


def test_nsga3_approaches_the_front() -> None:
    candidates = SpaceCandidates(REALS)
    ours = simulate(Nsga3(12), candidates, three_goals, 150, failing=0)
    control = simulate(Random(), candidates, three_goals, 150, failing=0)
    # The sum of the three goals is 1 + far.
    assert np.median(ours.losses()[-50:].sum(1)) < np.median(control.losses().sum(1)) - 0.2


def test_nsga3_refuses_one_objective() -> None:
    with pytest.raises(RunError, match="nsga3 needs two objectives or more, and there is one; take nsga2"):
        Nsga3().ask(History((Objective("loss0", "minimize"),)), 1, 0, SpaceCandidates(REALS))
