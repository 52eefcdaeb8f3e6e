"""Architectures that are given come first, on a set share of the trials, and only as long as they help."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nasturtium.roles import Candidates, Strategy
from nasturtium.space import Architecture, Space, choice, integer
from nasturtium.strategies import strategy
from nasturtium.strategies.warm_start import JUDGED, WarmStart, at_most
from nasturtium.testing.strategies import SpaceCandidates, StrategySuite, simulate
from nasturtium.trial import Fidelity, History, Objective, Trial

SPACE = Space((choice(8, 16, 24, 32), integer(1, 6), choice("a", "b", "c"), integer(1, 5)), name="warm")
GIVEN = tuple(SPACE.sample(seed) for seed in range(6))
CANDIDATES = SpaceCandidates(SPACE)


class TestWarmStart(StrategySuite):
    def strategy(self) -> Strategy:
        return WarmStart(strategy("random"), (), 4)


def trial(number: int, architecture: Architecture, loss: float) -> Trial:
    return Trial(number, architecture, Fidelity(1), 0, "any", "complete", {"loss": loss})


def history(*scores: tuple[Architecture, float]) -> History:
    goal = (Objective("loss", "minimize"),)
    return History(goal, tuple(trial(number, one, loss) for number, (one, loss) in enumerate(scores)))


def others(count: int) -> list[Architecture]:
    ids = {one.arch_id for one in GIVEN}
    found = (SPACE.sample(seed) for seed in range(100, 400))
    return list({one.arch_id: one for one in found if one.arch_id not in ids}.values())[:count]


def test_what_is_given_comes_first_and_no_more_of_it_than_was_set() -> None:
    warm = WarmStart(strategy("random"), GIVEN, 3)
    ids = {one.arch_id for one in GIVEN}
    found = simulate(warm, CANDIDATES, lambda one: (float(len(one.arch_id)),), 12, failing=0)
    assert [trial.architecture.arch_id in ids for trial in found.trials[:4]] == [True, True, True, False]


def test_one_ask_for_several_is_filled_by_the_inner_strategy() -> None:
    warm = WarmStart(strategy("random"), GIVEN, 2)
    asked = warm.ask(History((Objective("loss", "minimize"),)), 4, 0, CANDIDATES)
    assert len({one.arch_id for one in asked}) == len(asked)
    assert [one.arch_id for one in asked[:2]] == [one.arch_id for one in GIVEN[:2]]
    assert len(asked) >= 3


def test_they_are_dropped_once_they_turn_out_no_better_than_the_others() -> None:
    warm = WarmStart(strategy("random"), GIVEN, 6)
    plain = [(one, 1.0) for one in others(2)]
    bad = history(*plain, *((one, 2.0) for one in GIVEN[:JUDGED]))
    good = history(*plain, *((one, 0.5) for one in GIVEN[:JUDGED]))
    assert warm.dropped(bad)
    assert not warm.dropped(good)
    ids = {one.arch_id for one in GIVEN}
    assert warm.ask(bad, 1, 0, CANDIDATES)[0].arch_id not in ids
    assert warm.ask(good, 1, 0, CANDIDATES)[0].arch_id == GIVEN[JUDGED].arch_id


def test_after_a_bad_start_the_search_goes_on_as_if_there_had_been_none() -> None:
    inner = strategy("local-search")
    plain = [(one, float(place)) for place, one in enumerate(others(12))]
    bad = history(*((one, 99.0) for one in GIVEN[:JUDGED]), *plain)
    warm = WarmStart(inner, GIVEN, JUDGED)
    assert warm.dropped(bad)
    expected = inner.ask(warm._others(bad), 1, 0, CANDIDATES)
    assert [one.arch_id for one in warm.ask(bad, 1, 0, CANDIDATES)] == [one.arch_id for one in expected]
    assert len(warm._others(bad).trials) == len(plain)


def test_a_good_start_is_evidence_once_it_is_shown_to_be_one() -> None:
    warm = WarmStart(strategy("random"), GIVEN, JUDGED)
    plain = [(one, 1.0 + place) for place, one in enumerate(others(JUDGED))]
    good = [(one, 0.5) for one in GIVEN[:JUDGED]]
    assert warm.proven(history(*good, *plain))
    assert not warm.proven(history(*good, *plain[: JUDGED - 1]))
    assert not warm.proven(history(*((one, 9.0) for one, _ in good), *plain))


def test_what_was_dropped_is_not_proposed_again() -> None:
    @dataclass(frozen=True)
    class Stubborn:
        name: str = "stubborn"

        def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> Sequence[Architecture]:
            return [one for one in GIVEN if one.arch_id not in history.ids][:count]

    bad = history(*((one, 99.0) for one in GIVEN[:JUDGED]), (others(1)[0], 1.0))
    asked = WarmStart(Stubborn(), GIVEN, JUDGED).ask(bad, 1, 0, CANDIDATES)
    assert [one.arch_id for one in asked] == [GIVEN[JUDGED].arch_id]


def test_they_are_not_judged_before_enough_of_them_and_something_else_were_scored() -> None:
    warm = WarmStart(strategy("random"), GIVEN, 6)
    assert not warm.dropped(history(*((one, 2.0) for one in GIVEN[: JUDGED + 1])))
    few = history((others(1)[0], 1.0), *((one, 2.0) for one in GIVEN[: JUDGED - 1]))
    assert not warm.dropped(few)


def test_what_is_not_feasible_or_was_tried_is_passed_over() -> None:
    limited = replace(CANDIDATES, within=lambda one: one.arch_id != GIVEN[0].arch_id)
    warm = WarmStart(strategy("random"), GIVEN, 6)
    assert warm.ask(history((GIVEN[1], 1.0)), 1, 0, limited)[0].arch_id == GIVEN[2].arch_id


def test_a_tenth_of_the_trials_and_one_at_least() -> None:
    assert [at_most(trials) for trials in (1, 10, 11, 30, 100)] == [1, 1, 2, 3, 10]


def test_the_search_keeps_the_name_of_its_strategy() -> None:
    assert WarmStart(strategy("tpe"), GIVEN, 1).name == "tpe"
