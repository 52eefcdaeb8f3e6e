"""Who joins the finalists, and how much of the clock they get."""

from dataclasses import replace
from math import inf

import pytest

from nasturtium.classical import Classical
from nasturtium.protocol import Contender, Plan, compared_baselines, quick_models, simpler_baseline


def baseline(
    name: str, accuracy: float, params: int, subject: object = None, broken: tuple[str, ...] = ()
) -> Contender:
    return Contender(name, "baseline", subject or Classical(name), {"accuracy": accuracy, "params": params}, broken)


def test_the_best_simple_model_that_is_smaller_joins_the_best_baseline() -> None:
    network = baseline("mlp", 0.99, 6530, object())
    models = [baseline("majority", 0.6, 2), baseline("logistic", 0.98, 91), baseline("svc", 0.985, 9000), network]
    chosen = simpler_baseline(models, network, "accuracy")
    assert chosen is not None
    assert chosen.name == "logistic"
    assert simpler_baseline(models, models[1], "accuracy") is None, "the trivial predictor is no answer"
    assert simpler_baseline([], None, "accuracy") is None
    barred = baseline("logistic", 0.98, 91, broken=("memory",))
    assert simpler_baseline([barred, network], network, "accuracy") is None


def test_an_error_is_minimised_among_simpler_baselines() -> None:
    models = [
        Contender(name, "baseline", Classical(name), {"rmse": rmse, "params": params})
        for name, rmse, params in (("ridge", 55.6, 31), ("svr", 60.9, 2585), ("boosting", 54.0, 7723))
    ]
    chosen = simpler_baseline(models, models[2], "rmse")
    assert chosen is not None
    assert chosen.name == "ridge"


def test_a_slow_start_keeps_more_for_the_export_but_never_most_of_the_budget() -> None:
    assert Plan(60, 2).export_s == Plan(60, 2, start_s=1).export_s == 9
    assert Plan(60, 2, start_s=8).export_s == 18
    assert Plan(60, 2, start_s=100).export_s == pytest.approx(24)
    assert Plan(60, 2, start_s=8).trial_s < Plan(60, 2).trial_s


def test_simple_models_that_are_quick_together_are_all_compared_in_their_own_order() -> None:
    made = [
        replace(baseline(name, 0.9, 10), seconds=seconds)
        for name, seconds in (("majority", 0.0), ("logistic", 0.3), ("svc", 0.1), ("boosting", 5.0))
    ]
    assert [one.name for one in quick_models(made, 1.0)] == ["logistic", "svc"]
    assert [one.name for one in quick_models(made, 0.2)] == ["svc"]
    assert [one.name for one in quick_models(made, inf)] == ["logistic", "svc", "boosting"]
    barred = [replace(one, broken=("params",)) for one in made]
    assert quick_models([*barred, baseline("mlp", 0.99, 6530, object())], inf) == []


def test_the_best_simple_model_is_compared_even_where_a_known_network_is_smaller() -> None:
    network = baseline("resnet8-4", 1.0, 5095, object())
    simple = [baseline("logistic", 1.0, 5634), baseline("boosting", 0.96, 3978), baseline("majority", 0.3, 3)]
    barred = baseline("svc", 1.0, 100_000, broken=("params",))
    chosen = compared_baselines([*simple, barred, network], "accuracy", room_s=-1.0)
    assert sorted(one.name for one in chosen) == ["boosting", "logistic", "resnet8-4"]


def test_the_best_baseline_of_all_is_shown_where_it_is_over_a_limit() -> None:
    made = [baseline("logistic", 0.9, 100), baseline("svc", 0.99, 100_000, broken=("params",))]
    assert [one.name for one in compared_baselines(made, "accuracy", room_s=-1.0)] == ["logistic", "svc"]


def test_a_plan_says_what_a_run_takes_at_least() -> None:
    plan = Plan(60, 2, start_s=4)
    assert plan.least_s(plan.trial_s) == pytest.approx(60 + 4), "the start comes on top of what is planned"
    assert Plan(20, 2, start_s=4).trial_s < 0.5 < plan.trial_s
