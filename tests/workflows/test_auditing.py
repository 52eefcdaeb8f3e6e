"""What predicts the trials' scores: beside params and MACs, the same each time, and never the end of a run.

Oracles: scipy's rank correlation of what `measure` says of the same networks, and clocks that tick as they are told.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import count
from math import inf, nan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from nasturtium.blocks import Dense, Embed, Head, sequence
from nasturtium.data import Development
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.predictors import Correlation
from nasturtium.proxies import AZ_NAS, Batch, log_rank_aggregate, measure
from nasturtium.report.result_schema import SearchFacts
from nasturtium.space import Space, choice
from nasturtium.trial import Fidelity, History, Objective, Trial
from nasturtium.workflows import auditing, foretelling, untrained
from nasturtium.workflows.auditing import Audit, audit, comparable, meaning, room_s, run_audit

GOAL = Objective("rmse", "minimize")
PROXIES = {"l2_norm", "nwot", "zen", "grad_norm", "snip", "plain"}
PROXIES |= {"fisher", "synflow", "jacov", "zico", "az_nas", "grasp"}
SINGULAR = {"nwot"}
"""64 rows and at most 28 units: the kernel has no determinant."""
PREDICTORS = {"gp", "extra-trees", "random-forest", "boosting", "mlp-ensemble", "graph-network"}


@pytest.fixture(scope="module")
def candidates(development: Development) -> LimitedCandidates:
    widths, style = choice(*range(2, 20)), {"activation": choice("relu", "silu")}
    body = {"one": Dense(width=widths, **style), "two": Dense(width=choice(4, 8), **style)}
    space = Space(sequence(embed=Embed(4), **body, head=Head(development.task)), development.task, "tiny")
    return LimitedCandidates(space, CostModel(space), Limits())


@pytest.fixture(scope="module")
def trials(candidates: LimitedCandidates) -> tuple[Trial, ...]:
    """Twelve, whose losses fall with the parameters, but for some noise."""
    rng, made = np.random.default_rng(1), []
    for number in range(12):
        architecture = candidates.sample(rng)
        costs = candidates._costs(architecture)
        measures = {"rmse": 1 / costs["params"] + 0.01 * rng.random(), "params": costs["params"], "macs": costs["macs"]}
        made.append(Trial(number, architecture, Fidelity(3), number, "random", "complete", measures))
    return tuple(made)


@pytest.fixture(scope="module")
def found(trials: tuple[Trial, ...], candidates: LimitedCandidates, development: Development) -> Audit:
    return audit(trials, losses(trials), candidates, development, 5)


def losses(trials: Sequence[Trial]) -> np.ndarray:
    return np.array([trial.measures["rmse"] for trial in trials])


def test_every_proxy_and_predictor_stands_beside_params_and_macs(found: Audit) -> None:
    assert set(found.kinds) == {"params", "macs"} | (PROXIES - SINGULAR) | PREDICTORS
    assert {name for name, kind in found.kinds.items() if kind == "cost"} == {"params", "macs"}
    assert {name for name, kind in found.kinds.items() if kind == "predictor"} == PREDICTORS
    ranked = [one.spearman for one in found.correlations if not np.isnan(one.spearman)]
    assert ranked == sorted(ranked, reverse=True)
    assert {one.n for one in found.correlations} == {12}
    assert (found.trials, found.rows, found.broken) == (12, 64, ())
    assert set(found.left_out) == {"epe_nas"} | SINGULAR
    assert "needs a classification task" in found.left_out["epe_nas"]


def test_the_networks_are_those_that_were_trained_and_the_rows_train_rows(
    found: Audit, trials: tuple[Trial, ...], development: Development
) -> None:
    batch = Batch.draw(development, 64, 5)
    networks = [auditing.untrained(one.architecture, development.task, one.seed) for one in trials]
    scores = [measure(network, batch, ["synflow", "plain", "az_nas"], 5) for network in networks]
    by_name = {one.name: one.spearman for one in found.correlations}
    # `plain` is better when it is less, as published; the goodness is minus the loss.
    for name, sign in (("synflow", 1), ("plain", -1)):
        wanted = spearmanr([sign * score[name] for score in scores], -losses(trials)).statistic
        assert by_name[name] == pytest.approx(wanted), name
    joined = log_rank_aggregate({name: np.array([score[name] for score in scores]) for name in AZ_NAS})
    assert by_name["az_nas"] == pytest.approx(spearmanr(joined, -losses(trials)).statistic)
    assert by_name["params"] == pytest.approx(
        spearmanr([one.measures["params"] for one in trials], -losses(trials)).statistic
    )


def test_without_a_clock_the_same_trials_and_seed_give_the_same_answer(
    found: Audit, trials: tuple[Trial, ...], candidates: LimitedCandidates, development: Development
) -> None:
    torch.manual_seed(99)
    again = replace(audit(trials, losses(trials), candidates, development, 5), seconds=found.seconds)
    np.testing.assert_equal(asdict(again), asdict(found))


def test_proxies_that_ten_networks_have_no_time_for_are_left_out_cheap_ones_first(
    trials: tuple[Trial, ...], development: Development, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count()
    monkeypatch.setattr(untrained, "perf_counter", lambda: next(ticks))
    networks = [lambda one=one: auditing.untrained(one.architecture, development.task, 0) for one in trials]
    scores = untrained.proxy_scores(networks, np.ones(12), np.arange(12)[::-1], Batch.draw(development), 0, 30.0)
    assert list(scores.values) == ["l2_norm", "nwot", "zen"]  # one second each, and three of them for each of ten
    assert set(scores.left_out) == PROXIES - set(scores.values) | {"epe_nas"}
    assert {name for name, reason in scores.left_out.items() if reason != untrained.NO_TIME} == {"epe_nas"}
    assert scores.seconds["zen"] == np.isfinite(scores.values["zen"]).sum() >= 10


def test_at_least_ten_networks_are_measured_and_the_rest_while_there_is_time(
    trials: tuple[Trial, ...], development: Development, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = [lambda one=one: auditing.untrained(one.architecture, development.task, 0) for one in trials]
    monkeypatch.setattr(untrained, "_proxies", lambda: ["l2_norm"])
    order = np.random.default_rng(0).permutation(12)
    monkeypatch.setattr(untrained, "perf_counter", iter_clock([0, 0, 0, 99]))
    late = untrained.proxy_scores(networks, np.ones(12), order, Batch.draw(development), 0, 20.0)
    assert set(np.flatnonzero(np.isfinite(late.values["l2_norm"]))) == set(order[:10])
    whole = untrained.proxy_scores(networks, np.ones(12), order, Batch.draw(development), 0, inf)
    assert np.isfinite(whole.values["l2_norm"]).all()


def test_without_time_only_params_and_macs_are_told(
    trials: tuple[Trial, ...], candidates: LimitedCandidates, development: Development
) -> None:
    found = audit(trials, losses(trials), candidates, development, 5, 0.0)
    assert set(found.kinds) == {"params", "macs"}
    assert set(found.left_out) == PROXIES | PREDICTORS | {"epe_nas"}


def test_a_predictor_whose_first_fold_is_too_slow_is_left_out(
    trials: tuple[Trial, ...], candidates: LimitedCandidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SimpleNamespace(name="slow", fit=lambda *given: SimpleNamespace(predict=lambda rows: (np.zeros(len(rows)),)))
    monkeypatch.setattr(foretelling, "perf_counter", iter_clock([0.0, 3.0]))
    timed = foretelling._Timed(slow, 10.0)
    timed.fit([], losses(trials), 0)
    with pytest.raises(foretelling._TooSlow):
        timed.fit([], losses(trials), 0)  # three seconds a fold, and five folds


def test_what_fails_unforeseen_is_left_out_and_the_others_stay(
    trials: tuple[Trial, ...], development: Development, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count()

    def faulty(network: Any, batch: Batch, names: list[str], seed: int) -> dict[str, float]:
        if "snip" in names:
            raise ValueError("no snips")
        if "zen" in names and next(calls) > 4:
            raise MemoryError("out of room")
        return measure(network, batch, names, seed)

    monkeypatch.setattr(untrained, "measure", faulty)
    networks = [lambda one=one: auditing.untrained(one.architecture, development.task, 0) for one in trials]
    scores = untrained.proxy_scores(networks, np.ones(12), np.arange(12), Batch.draw(development), 0, inf)
    assert set(scores.values) == set(scores.seconds) == PROXIES - {"snip", "zen"}
    assert scores.broken == ["snip", "zen"]
    assert scores.left_out["snip"] == "ValueError: no snips"
    assert scores.left_out["zen"] == "MemoryError: out of room"
    assert np.isfinite(scores.values["synflow"]).all()


def test_trials_that_compare_are_complete_of_one_fidelity_and_spread_over_the_search(
    trials: tuple[Trial, ...],
) -> None:
    many = tuple(replace(trials[0], number=number) for number in range(100))
    odd = (
        replace(trials[0], number=100, state="stopped"),
        replace(trials[0], number=101, fidelity=Fidelity(1)),
        replace(trials[0], number=102, state="failed", measures={}),
        replace(trials[0], number=103, measures={**trials[0].measures, "rmse": nan}),
    )
    numbers = [trial.number for trial in comparable(History((GOAL,), (*many, *odd)))]
    assert len(numbers) == 40
    assert (numbers[0], numbers[-1]) == (0, 99)
    assert set(np.diff(numbers)) == {2, 3}
    assert len(comparable(History((GOAL,), (*trials, *odd)))) == 12
    assert [one.number for one in comparable(History((GOAL,), odd))] == [101]
    assert comparable(History((GOAL,), (odd[0], *odd[2:]))) == ()


def test_scores_without_a_value_for_ten_trials_are_left_out_and_infinite_ones_rank_last(
    trials: tuple[Trial, ...],
) -> None:
    values = untrained._finite(np.array([2.0, -inf, nan, 1.0, inf]))
    assert values == pytest.approx([2.0, 0.99, nan, 1.0, 2.01], nan_ok=True)
    assert np.isneginf(untrained._finite(np.full(3, -inf))).all()
    sparse = untrained.Scores({"zen": np.array([nan] * 3 + [1.0] * 9)}, {"zen": 1.0})
    whole = untrained.Scores({"gp": -losses(trials)}, {"gp": 1.0})
    found = auditing._judged(trials, losses(trials), sparse, whole, 64, 0)
    assert next(one.name for one in found.correlations) == "gp"
    assert set(found.kinds) == {"params", "macs", "gp"}
    assert found.left_out == {"zen": "no finite value for 10 of the trials"}


def made_session(development: Development, budget_s: float | None = None) -> tuple[Any, list[str]]:
    told: list[str] = []
    session = SimpleNamespace(
        clock=SimpleNamespace(budget_s=budget_s),
        data=SimpleNamespace(development=development),
        progress=SimpleNamespace(phase=lambda *words: None),
        remark=told.append,
        seed=lambda purpose: 5,
    )
    return session, told


def test_few_trials_are_not_asked_and_the_result_says_so(trials: tuple[Trial, ...], development: Development) -> None:
    session, told = made_session(development)
    record = run_audit(session, SimpleNamespace(history=History((GOAL,), trials[:9])))
    assert record["predictors"] == []
    assert "9 trials were trained in full, and fewer than 10 say nothing" in record["audit"]["sentence"]
    assert told == []


def test_an_audit_that_fails_is_a_remark(
    trials: tuple[Trial, ...], candidates: LimitedCandidates, development: Development, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> Audit:
        raise RuntimeError("not today")

    monkeypatch.setattr(auditing, "audit", broken)
    session, told = made_session(development)
    searched = SimpleNamespace(history=History((GOAL,), trials), candidates=candidates, strategy="random")
    assert run_audit(session, searched)["predictors"] == []
    assert told == ["What predicts the score before training could not be asked (RuntimeError: not today)."]


def test_the_record_is_of_the_documented_schema(
    found: Audit, trials: tuple[Trial, ...], candidates: LimitedCandidates, development: Development,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(auditing, "audit", lambda *given: replace(found, broken=("grasp",), left_out={"grasp": "No."}))
    session, told = made_session(development)
    searched = SimpleNamespace(history=History((GOAL,), trials), candidates=candidates, strategy="auto")
    record = run_audit(session, searched)
    checked = SearchFacts.model_validate(record)
    assert [one.name for one in checked.predictors] == [one.name for one in found.correlations]
    assert checked.audit is not None
    assert checked.audit.trials == 12
    assert told == ["grasp could not be worked out for the trials and is left out: No."]


@pytest.mark.parametrize(("budget_s", "room"), [(None, inf), (30.0, 2.0), (600.0, 12.0), (86400.0, 20.0)])
def test_a_fiftieth_of_the_budget_within_bounds(development: Development, budget_s: float | None, room: float) -> None:
    assert room_s(made_session(development, budget_s)[0]) == room


def test_the_meaning_names_what_beats_params_and_macs_or_says_that_nothing_does(found: Audit) -> None:
    lines = tuple(
        Correlation(name, 12, rho, -1, 1, rho, -1, 1) for name, rho in (("gp", 0.8), ("params", 0.5), ("macs", -0.25))
    )
    told = replace(found, correlations=lines, useful=("gp",))
    assert meaning(told) == (
        "gp (0.80) ranks these 12 trials better than params (Spearman 0.50) and MACs (−0.25) in nine of ten bootstrap "
        "samples; with 1 scores tried, chance may have a part in it."
    )
    assert meaning(replace(told, useful=())) == (
        "None of 1 proxies and predictors ranks these 12 trials surely better than params (Spearman 0.50) and MACs "
        "(−0.25), which cost nothing: none is worth using here."
    )
    flat = tuple(replace(one, spearman=nan) for one in lines)
    assert meaning(replace(told, correlations=flat)).startswith("Nothing can rank these 12 trials")


def iter_clock(readings: Sequence[float]) -> Any:
    """These readings, the last one again and again."""
    left = list(readings)
    return lambda: left.pop(0) if len(left) > 1 else left[0]
