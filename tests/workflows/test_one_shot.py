"""One-shot searches in a run: what they derive is tried alone, under the same limits, and a killed run goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nasturtium.errors import RunError, SpaceError, UserError
from nasturtium.space import Space, choice, real
from nasturtium.supernet.registry import ALIASES, ONE_SHOT, one_shot_name
from nasturtium.training import read_metadata
from nasturtium.workflows import one_shot, search, searching
from nasturtium.workflows.checking import check_options
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.resume import resume_run
from nasturtium.workflows.search import run_search_workflow

LIMIT = 3000


def options(source, where, **more):
    return SearchOptions(str(source), limits={"params": LIMIT}, trials=4, output=str(where), workers=1, **more)


@pytest.fixture(scope="module")
def brief():
    """Trainings of three epochs, shared ones of two."""
    usual = search.choose_recipe
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "choose_recipe", lambda *given: replace(usual(*given), epochs=3, patience=None))
        patch.setattr(one_shot, "_epochs", lambda method, rows: 2)
        yield


@pytest.fixture(scope="module")
def ended(tmp_path_factory, small_digits, brief):
    where = tmp_path_factory.mktemp("one-shot") / "run"
    return where, run_search_workflow(options(small_digits, where, strategy="gdas"))


def test_what_is_derived_is_tried_alone_within_the_limits(ended):
    where, result = ended
    facts = json.loads((where / "one_shot.json").read_text())
    assert facts["method"] == "GDAS"
    assert facts["derived"]
    trials = json.loads((where / "report.json").read_text())["trials"]
    assert {trial["origin"] for trial in trials} <= {"gdas", "random"}
    assert [trial["origin"] for trial in trials].count("gdas") >= 3
    assert all(trial["params"] <= LIMIT for trial in trials if trial["params"] is not None)
    assert result.record["search"]["strategy"] == "gdas"


def test_the_weights_of_every_epoch_are_kept_and_shown(ended):
    where, _ = ended
    facts = json.loads((where / "one_shot.json").read_text())
    for epoch in facts["epochs"]:
        for mixture, weights in zip(facts["mixtures"], epoch["weights"], strict=True):
            assert len(weights) == len(mixture["options"])
            np.testing.assert_allclose(sum(weights), 1, atol=2e-2)
    assert "Weight sharing" in (where / "report.html").read_text()


def test_the_shared_weights_are_kept_and_four_trials_are_no_audit(ended):
    where, result = ended
    facts = json.loads((where / "one_shot.json").read_text())
    assert facts["limits"] == {"params": LIMIT}
    assert read_metadata(where / "supernet.safetensors")["supernet"] == 1
    assert facts["audit"]["correlation"] is None
    assert "fewer than 10 say nothing about how inherited scores rank" in facts["audit"]["sentence"]
    assert facts["audit"]["sentence"] in result.record["notes"]


def test_a_resumed_run_takes_what_had_been_derived(small_digits, tmp_path, brief, ended, monkeypatch):
    """Killed between the shared training and the trials: the supernet is not trained again."""
    where = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(searching, "_scheduler", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_search_workflow(options(small_digits, where, strategy="gdas"))
    monkeypatch.setattr(one_shot, "_train", lambda *given: pytest.fail("trained again"))
    facts = json.loads((where / "one_shot.json").read_text())
    (where / "one_shot.json").write_text(json.dumps(facts | {"remarks": ["Collapse: all skips."]}))
    resumed = resume_run(str(where))
    first, again = (json.loads((path / "one_shot.json").read_text()) for path in (ended[0], where))
    assert again["derived"] == first["derived"]
    assert resumed.record["notes"].count("Collapse: all skips.") == 1
    assert resumed.record["found"]["arch_id"] == ended[1].record["found"]["arch_id"]


def test_an_unknown_strategy_near_a_one_shot_search_is_told_so():
    with pytest.raises(RunError, match="Did you mean 'beta-darts'"):
        check_options(SearchOptions("digits", strategy="beta-dart"))


def test_every_one_shot_search_and_alias_passes_the_check_of_options():
    for name in (*ONE_SHOT, *ALIASES):
        for written in (name, name.upper().replace("-", "_")):
            check_options(SearchOptions("digits", strategy=written))
            assert one_shot_name(written) == ALIASES.get(name, name)


def test_a_space_that_weights_cannot_be_shared_over_is_refused_before_anything_is_written(tmp_path):
    from nasturtium.blocks import ConvBN, Head, Plain, sequence

    def space(task):
        return sequence(ConvBN(8), Plain(8), Head(task, dropout=real(0.0, 0.5), hidden=choice(0, 8)))

    where = tmp_path / "run"
    with pytest.raises(SpaceError, match=r"dropout.*auto or regularized-evolution"):
        run_search_workflow(
            SearchOptions(
                "digits", trials=2, strategy="spos", space=lambda task: Space(space(task), task), output=str(where)
            )
        )
    assert not where.exists()


def test_cells_that_cannot_be_mixed_are_refused_before_anything_is_written(tmp_path):
    where = tmp_path / "run"
    with pytest.raises(SpaceError, match=r"darts cannot search .* 'nasnet'.*spos, fairnas, ofa, bignas and enas"):
        run_search_workflow(SearchOptions("digits", trials=2, strategy="darts", space="nasnet", output=str(where)))
    assert not where.exists()


def test_a_second_objective_is_refused_with_the_strategies_that_take_one(tmp_path):
    where = tmp_path / "run"
    with pytest.raises(UserError, match=r"'spos' derives by accuracy alone, and there is --objective params.*nsga2"):
        run_search_workflow(
            SearchOptions("digits", trials=2, strategy="spos", objectives=("params",), output=str(where))
        )
    assert not where.exists()
