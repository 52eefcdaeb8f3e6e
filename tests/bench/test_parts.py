"""The parts of a bench, each against what is known by other means."""

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from nasturtium.bench.contenders import Contender, check_budget, configured, configured_pair, contenders
from nasturtium.bench.hypervolume import front, hypervolume, nadir
from nasturtium.bench.memory import QuickStore
from nasturtium.bench.metrics import Course, Measured, Point, Reached, Spent, Until
from nasturtium.bench.plain import plain_metrics
from nasturtium.bench.statistics import ranking, spread
from nasturtium.bench.store import Lines
from nasturtium.errors import RunError
from nasturtium.pareto import fronts
from nasturtium.schedulers import Asha
from nasturtium.space import Space, choice
from nasturtium.strategies.cma_es import CmaEs
from nasturtium.strategies.random_search import Random
from nasturtium.strategies.regularized_evolution import RegularizedEvolution
from nasturtium.trial import Fidelity, History, Objective, Trial


def test_the_hypervolume_is_the_area_that_a_grid_counts():
    rng = np.random.default_rng(0)
    for _ in range(20):
        losses = rng.integers(0, 12, (8, 2)).astype(float)
        reference = np.array([10.0, 10.0])
        grid = np.array([[x + 0.5, y + 0.5] for x in range(10) for y in range(10)])
        covered = (losses[:, None] <= grid[None]).all(-1).any(0).sum()
        assert hypervolume(losses, reference) == pytest.approx(covered)


def test_points_beyond_the_reference_add_nothing():
    assert hypervolume(np.array([[3.0, 0.0], [0.0, 3.0]]), np.array([3.0, 3.0])) == 0.0
    assert hypervolume(np.array([[5.0, 5.0]]), np.array([3.0, 3.0])) == 0.0


def test_the_front_is_that_of_the_vocabulary():
    losses = np.random.default_rng(1).random((60, 2))
    expected = losses[fronts(losses) == 0]
    assert sorted(map(tuple, front(losses).tolist())) == sorted(map(tuple, expected.tolist()))


def test_the_nadir_lies_a_tenth_beyond_the_front():
    losses = np.array([[0.0, 10.0], [10.0, 0.0], [20.0, 20.0]])
    assert nadir(losses).tolist() == [11.0, 11.0]


COURSE = Course(
    (Point(2, 10.0, 20, {"y": 1.0}), Point(5, 30.0, 50, {"y": 3.0}), Point(9, 70.0, 90, {"y": 4.0})), 12, 100.0, 120
)


def test_a_course_says_what_was_known_when():
    assert COURSE.at(1) == {}
    assert COURSE.at(5) == {"y": 3.0}
    assert COURSE.at(29.9, "seconds") == {"y": 1.0}
    assert Course.from_json(COURSE.to_json()) == COURSE


def test_metrics_read_the_course():
    assert Reached("best_after_8", "maximize", "y", 8).of(COURSE) == Measured(3.0)
    assert Reached("y", "maximize", "y").of(COURSE) == Measured(4.0)
    assert Reached("best_after_1", "maximize", "y", 1).of(COURSE) is None
    assert Until("q", "y", 3.0, "maximize").of(COURSE) == Measured(5.0)
    assert Until("q", "y", 3.0, "maximize", clock="epochs").of(COURSE) == Measured(50.0)
    assert Until("q", "y", 1.0, "minimize").of(COURSE) == Measured(2.0)
    assert Spent("epochs", "epochs").of(COURSE) == Measured(120.0)


def test_what_was_never_reached_counts_with_everything_spent_and_says_so():
    assert Until("q", "y", 5.0, "maximize").of(COURSE) == Measured(12.0, capped=True)


def test_the_spread_is_that_of_a_sample():
    assert spread(np.array([1.0, 2.0, 3.0])) == (2.0, 1.0)
    assert spread(np.array([4.0])) == (4.0, 0.0)
    assert spread(np.full(10, 90.29149732611145)) == (90.29149732611145, 0.0)


def test_ranks_and_tests_are_those_of_the_paper():
    """Four classifiers on 14 data sets, Demšar 2006, table 6: his ranks, and Nemenyi's difference of section 3.2.2."""
    scores = np.array(
        [
            [0.763, 0.768, 0.771, 0.798],
            [0.599, 0.591, 0.590, 0.569],
            [0.954, 0.971, 0.968, 0.967],
            [0.628, 0.661, 0.654, 0.657],
            [0.882, 0.888, 0.886, 0.898],
            [0.936, 0.931, 0.916, 0.931],
            [0.661, 0.668, 0.609, 0.685],
            [0.583, 0.583, 0.563, 0.625],
            [0.775, 0.838, 0.866, 0.875],
            [1.000, 1.000, 1.000, 1.000],
            [0.940, 0.962, 0.965, 0.962],
            [0.619, 0.666, 0.614, 0.669],
            [0.972, 0.981, 0.9751, 0.975],
            [0.957, 0.978, 0.946, 0.970],
        ]
    )
    found = ranking(-scores, ("C4.5", "m", "cf", "m+cf"))
    assert [round(rank, 3) for rank in found.ranks.values()] == [3.143, 2.000, 2.893, 1.964]
    assert found.blocks == 14
    assert found.p == pytest.approx(friedmanchisquare(*scores.T).pvalue)
    assert found.difference == pytest.approx(1.25, abs=0.01)


def test_two_strategies_have_ranks_and_no_test():
    found = ranking(np.array([[1.0, 2.0], [1.0, 1.0]]), ("a", "b"))
    assert found.ranks == {"a": 1.25, "b": 1.75}
    assert (found.p, found.difference) == (None, None)


def test_equal_strategies_are_equal():
    assert ranking(np.ones((3, 3)), ("a", "b", "c")).p == 1.0


def test_commas_inside_brackets_do_not_separate_strategies():
    found = contenders("regularized_evolution[population=50,sample=10], Random")
    assert found == (
        Contender("regularized-evolution", (("population", "50"), ("sample", "10"))),
        Contender("random"),
    )
    assert found[0].label == "regularized-evolution[population=50,sample=10]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no strategy"),
        ("random,random", "names 'random' twice"),
        ("random[", "cannot be read at 'random['"),
        ("random[x]", "cannot be read at 'random[x]'"),
    ],
)
def test_strategies_that_cannot_be_read_are_named(text, said):
    with pytest.raises(RunError, match=said.replace("[", r"\[").replace("]", r"\]")):
        contenders(text)


def test_settings_take_the_kind_they_have():
    found = configured(RegularizedEvolution(), {"population": "50", "sample": 5}, "evolution")
    assert found == RegularizedEvolution(50, 5)
    assert configured(Random(), {}, "random") == Random()


def test_settings_that_are_none_by_themselves_become_numbers():
    assert configured(CmaEs(), {"population": "12"}, "cma-es").population == 12


def test_settings_of_the_scheduler_go_to_the_scheduler():
    found = configured_pair(Random(), Asha(1, 9), {"eta": "2"}, "random")
    assert found == (Random(), Asha(1, 9, 2))


def test_unknown_and_wrong_settings_are_named():
    with pytest.raises(RunError, match=r"evolution has no setting 'populaton'. Did you mean 'population'\?"):
        configured(RegularizedEvolution(), {"populaton": "50"}, "evolution")
    with pytest.raises(RunError, match="population is 'many', and a whole number is needed"):
        configured(RegularizedEvolution(), {"population": "many"}, "evolution")
    with pytest.raises(RunError, match="random has no setting 'x'"):
        configured(Random(), {"x": "1"}, "random")


def test_a_budget_smaller_than_the_beginning_is_refused():
    with pytest.raises(RunError, match=r"begins with 30 trials \(population=30\), and t has 20 queries"):
        check_budget(RegularizedEvolution(30, 10), "regularized-evolution", 20, "t")
    with pytest.raises(RunError, match=r"set regularized-evolution\[population=5,sample=2\]"):
        check_budget(RegularizedEvolution(30, 10), "regularized-evolution", 20, "t")
    with pytest.raises(RunError, match=r"and t has 1 query: it would never choose one\. Allow more, or leave it out\."):
        check_budget(RegularizedEvolution(30, 10), "regularized-evolution", 1, "t")
    check_budget(RegularizedEvolution(20, 10), "regularized-evolution", 20, "t")
    check_budget(Random(), "random", 1, "t")


def test_a_line_that_was_cut_off_by_a_kill_is_forgotten(tmp_path):
    path = tmp_path / "searches.jsonl"
    lines = Lines(path)
    lines.add("a", {"value": 1})
    lines.add("b", {"value": 2})
    whole = path.read_text()
    path.write_text(whole[:-5])
    again = Lines(path)
    assert list(again.records) == ["a"]
    again.add("b", {"value": 2})
    assert path.read_text() == whole


def test_lines_that_are_not_ours_are_refused(tmp_path):
    path = tmp_path / "searches.jsonl"
    path.write_text("hello\n")
    with pytest.raises(RunError, match=r"Line 1 of .* is not a record of a search"):
        Lines(path)


def test_the_quick_store_gives_the_histories_of_a_plain_one():
    space = Space(tuple(choice(*"abc") for _ in range(3)))
    store = QuickStore((Objective("y", "maximize"),))
    trials = [Trial(k, architecture, Fidelity(1), k, "random") for k, architecture in enumerate(space.enumerate())][:9]
    for trial in trials:
        store.start(trial)
    for number in (1, 0, 4, 3, 8):
        done = Trial(number, trials[number].architecture, Fidelity(1), number, "random", "complete", {"y": 1.0})
        failed = Trial(number, trials[number].architecture, Fidelity(1), number, "random", "failed", failure="no")
        history = store.finish(failed if number == 4 else done)
        plain = History(history.objectives, history.trials)
        assert (history.ids, history.scored, history.running) == (plain.ids, plain.scored, plain.running)


@pytest.mark.parametrize("unit", [1.0, 1e-10, 1e12])
def test_a_goal_is_reached_at_the_same_query_in_any_unit(unit: float) -> None:
    """Joules of 1e-10 are no rounding of 2e-10."""
    scores = (2.0, 1.7, 1.2, 1.0, 1.4)
    course = Course(tuple(Point(n + 1, n + 1.0, n + 1, {"y": unit * y}) for n, y in enumerate(scores)), 5, 5.0, 5)
    assert Until("q", "y", unit, "minimize").of(course) == Measured(4.0)


def test_a_search_of_few_queries_is_told_its_best_score():
    names = [metric.name for metric in plain_metrics("y", "minimize", 1.0, 1000, 15)]
    assert names == ["queries_to_best", "best_after_15"]
    assert [one.name for one in plain_metrics("y", "minimize", 1.0, 1000, 60)] == [
        "queries_to_best",
        "best_after_20",
        "best_after_50",
    ]
