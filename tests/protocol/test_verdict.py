"""The choice and its words."""

import numpy as np
import pytest
from scipy import stats

from nasturtium.errors import RunError
from nasturtium.protocol.statistics import Comparison, Interval
from nasturtium.protocol.verdict import Finalist, Setting, _test, decide
from nasturtium.protocol.wording import cost_sentence, number, opened_sentence

ACCURACY = Setting("accuracy", "maximize", train_rows=1078, score_rows=359, share=True, limited=("params",))
RMSE = Setting("rmse", "minimize", train_rows=265, score_rows=88)
WOBBLE = np.array([-0.002, 0.001, 0.0, 0.002, -0.001])


def finalist(name, role, mean, params=1000, wobble=1.0, violations=()):
    linear = name in ("logistic", "ridge")
    return Finalist(name, role, tuple(mean + wobble * WOBBLE), {"params": params}, violations, linear)


def test_a_network_that_is_really_better_ships():
    decision = decide(
        [finalist("net-1", "found", 0.99, 4210), finalist("logistic", "baseline", 0.96, 652, -1)], ACCURACY
    )
    assert (decision.verdict, decision.reason, decision.choice.name) == ("search", "better", "net-1")
    assert decision.sentence == (
        "Search paid: net-1 (4,210 params) beats logistic (652 params), the best baseline that can ship, by 0.03 "
        "accuracy on 5 fresh resplits (95 % interval 0.0115 to 0.0485, one-sided p = 0.00543)."
    )


def test_equal_scores_ship_the_baseline_and_say_so_plainly():
    decision = decide([finalist("net-1", "found", 0.961), finalist("logistic", "baseline", 0.96, 652, -1)], ACCURACY)
    assert (decision.verdict, decision.reason, decision.choice.name) == ("baseline", "not better", "logistic")
    assert decision.sentence.startswith(
        "Search did not pay: net-1 (1,000 params) is not shown to be better than the baseline logistic (652 params), "
        "which ships (gain +0.001 accuracy on 5 fresh resplits, 95 % interval "
    )
    assert "would probably have been missed" in decision.sentence


def test_the_simpler_baseline_ships_unless_the_dearer_one_is_really_better():
    network = finalist("net", "found", 0.981, 33_082)
    simple, deep = finalist("logistic", "baseline", 0.98, 91, -1), finalist("mlp", "baseline", 0.9805, 6530, 0.5)
    decision = decide([network, simple, deep], ACCURACY)
    assert (decision.verdict, decision.choice.name, decision.against.name) == ("baseline", "logistic", "logistic")
    assert "not shown to be better than the baseline logistic (91 params), which ships" in decision.sentence
    assert decide([simple, finalist("mlp", "baseline", 0.99, 6530)], ACCURACY).choice.name == "mlp"
    smaller = finalist("mlp", "baseline", 0.9805, 60)
    assert decide([simple, smaller], ACCURACY).choice.name == "mlp", "the better one is also the smaller"


def test_a_smaller_model_that_looks_clearly_worse_does_not_ship_for_want_of_rows_but_a_linear_one_does():
    """Found on 360 images: a forest of 3,978 numbers shipped at 98.4 %, beside a network of 5,095 at 99.7 %."""
    few = Setting("accuracy", "maximize", train_rows=216, score_rows=74, share=True)
    deep = Finalist("resnet", "baseline", (1.0, 1.0, 1.0, 1.0, 0.9865), {"params": 5095})
    scores = (1.0, 0.9865, 1.0, 0.9865, 0.9459)
    forest = Finalist("boosting", "baseline", scores, {"params": 3978})
    assert _test(deep, forest, few).p_better > few.alpha, "74 rows prove nothing, or this shows nothing"
    assert decide([forest, deep], few).choice.name == "resnet"
    assert decide([Finalist("logistic", "baseline", scores, {"params": 652}, (), True), deep], few).choice.name == (
        "logistic"
    )
    near = Finalist("boosting", "baseline", (1.0, 1.0, 1.0, 0.9865, 0.9865), {"params": 3978})
    assert decide([near, deep], few).choice.name == "boosting"


def test_a_network_must_be_better_than_the_simpler_and_the_best_baseline():
    simple, deep = finalist("logistic", "baseline", 0.95, 91, 6), finalist("mlp", "baseline", 0.96, 6530, -6)
    network = finalist("net", "found", 0.975, 4210, 6)
    decision = decide([network, simple, deep], ACCURACY)
    assert decide([network, simple], ACCURACY).verdict == "search"
    assert (decision.verdict, decision.choice.name) == ("baseline", "mlp")
    better = decide([finalist("net", "found", 0.999, 4210), simple, deep], ACCURACY)
    assert (better.verdict, better.against.name) == ("search", "mlp")


def test_lower_is_better_for_an_error():
    decision = decide(
        [finalist("net", "found", 50.0, wobble=100), finalist("ridge", "baseline", 55.0, wobble=90)], RMSE
    )
    assert decision.reason == "better"
    assert decision.test.mean == pytest.approx(5)
    assert decide([finalist("net", "found", 55.0), finalist("ridge", "baseline", 50.0)], RMSE).verdict == "baseline"


def test_a_baseline_over_a_limit_is_shown_and_never_ships():
    over = finalist("svc", "baseline", 0.999, 81_000, violations=("81,000 params, over 20,000",))
    decision = decide(
        [finalist("net", "found", 0.99, 4210), finalist("logistic", "baseline", 0.95, 652, -1), over], ACCURACY
    )
    assert (decision.choice.name, decision.against.name) == ("net", "logistic")
    assert [versus.other for versus in decision.comparisons] == ["logistic", "svc"]
    assert decision.sentence.endswith("Not allowed to ship: svc (81,000 params, over 20,000).")


def test_without_a_baseline_that_can_ship_the_search_ships_and_says_why():
    over = finalist("svc", "baseline", 0.999, 81_000, violations=("81,000 params, over 20,000",))
    decision = decide([finalist("net", "found", 0.9, 4210), over], ACCURACY)
    assert (decision.verdict, decision.reason) == ("search", "only")
    assert decision.sentence == (
        "No baseline can ship, so the search's answer is net (4,210 params). "
        "Not allowed to ship: svc (81,000 params, over 20,000)."
    )


def test_a_much_cheaper_network_ships_if_it_is_hardly_worse():
    small, large = finalist("net", "found", 0.9, 900, 0.1), finalist("svc", "baseline", 0.9, 81_000, 0.12)
    decision = decide([small, large], ACCURACY)
    assert (decision.verdict, decision.reason) == ("search", "cheaper")
    assert decision.sentence.startswith(
        "Search paid in cost, not in accuracy: net (900 params) needs 900 params instead of 81,000, and is worse than "
        "svc (81,000 params), the best baseline that can ship, by no more than 0.01 accuracy (one-sided p = "
    )
    unlimited = Setting("accuracy", "maximize", 1078, 359, share=True)
    assert decide([small, large], unlimited).verdict == "baseline"
    assert decide([finalist("net", "found", 0.88, 900, 0.1), large], ACCURACY).verdict == "baseline"


def test_a_cheaper_network_must_not_be_dearer_in_another_limit():
    both = Setting("accuracy", "maximize", 1078, 359, limited=("params", "macs"))
    network = Finalist("net", "found", (0.9, 0.901, 0.9), {"params": 10, "macs": 300})
    baseline = Finalist("svc", "baseline", (0.9, 0.9, 0.901), {"params": 100, "macs": 200})
    assert decide([network, baseline], both).verdict == "baseline"


def test_networks_over_a_limit_or_with_a_failed_training_cannot_ship():
    broken = finalist("big", "found", 0.99, 10**6, violations=("1,000,000 params, over 20,000",))
    failed = Finalist("nan", "random", (0.99, np.nan, 0.99))
    decision = decide([broken, failed, finalist("logistic", "baseline", 0.9)], ACCURACY)
    assert decision.network is None
    assert decision.sentence == (
        "Search did not pay: it found no network that can ship. The baseline logistic (1,000 params) ships."
    )
    with pytest.raises(RunError) as caught:
        decide([broken, failed], ACCURACY)
    assert str(caught.value) == (
        "No finalist can ship: big (1,000,000 params, over 20,000); nan (a training failed). "
        "Relax a limit or give more budget."
    )


def test_the_first_network_that_fails_ends_the_tests():
    found, random = finalist("net", "found", 0.961), finalist("lucky", "random", 0.99, wobble=-1)
    baseline = finalist("logistic", "baseline", 0.96, wobble=-1)
    assert decide([found, random, baseline], ACCURACY).verdict == "baseline"
    better = decide([finalist("net", "found", 0.985), random, baseline], ACCURACY)
    assert better.choice.name == "lucky"
    assert "found by random sampling" in better.sentence


def test_equal_learners_are_called_better_in_at_most_five_of_a_hundred_studies():
    rng = np.random.default_rng(0)
    won = 0
    for _ in range(1000):
        shared = rng.normal(0, 0.01, 5)  # the resplits' own difficulty
        # Correlation 1/4 between resplits: what scoring a quarter of the same rows each time gives.
        scores = 0.9 + shared + 0.008 * (0.5 * rng.normal(size=(3, 1)) + np.sqrt(0.75) * rng.normal(size=(3, 5)))
        roles = ("found", "random", "baseline")
        won += (
            decide([Finalist(r, r, tuple(s)) for r, s in zip(roles, scores, strict=True)], ACCURACY).verdict == "search"
        )
    assert stats.binomtest(won, 1000, 0.05, alternative="greater").pvalue > 0.01


def test_the_test_set_and_the_cost_are_told_after_the_choice():
    score = Interval(0.9894, 0.9839, 0.9931, (0.989, 0.99, 0.988, 0.99, 0.99))
    assert opened_sentence("net", "accuracy", score, "svc", Comparison(0.004, -0.002, 0.01, 0.21)) == (
        "On the test set, opened after the choice, net scores 0.9894 accuracy (95 % interval 0.9839 to 0.9931 over "
        "test rows and 5 seeds), 0.004 above svc (95 % interval -0.002 to 0.01, p = 0.21)."
    )
    assert cost_sentence(1, 120.4) == (
        "The search took 1 trial and 120 s. Assumed: new rows come from the same source as these."
    )


def test_numbers_are_written_for_people():
    assert [number(value) for value in (0.0, 0.98765, 0.01234, 54.321, 68_432.1, 0.0000312)] == [
        "0",
        "0.9877",
        "0.0123",
        "54.32",
        "68,432",
        "3.1e-05",
    ]
