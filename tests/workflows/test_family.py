"""A family from a finished run: members within their limits, files that stand alone, scores that can be found again."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

import nasturtium
from nasturtium import cli
from nasturtium.data import SealedTest
from nasturtium.errors import LimitError, RunError
from nasturtium.export import OnnxModel
from nasturtium.hardware import Limits, measure_file
from nasturtium.supernet import registry
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.spos import Spos
from nasturtium.training import Recipe, find_metric
from nasturtium.workflows import family, one_shot, search, searching, shared_weights
from nasturtium.workflows.family import FamilyOptions, FamilyResult, label, listed_limits, make_family
from nasturtium.workflows.folder import open_folder
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.predicting import load_module
from nasturtium.workflows.runs import open_result
from nasturtium.workflows.search import run_search_workflow
from nasturtium.workflows.shared_weights import open_shared

ASKED = {"params": "800,2k,20k"}
EVOLUTION = Evolution(population=6, generations=2, top=3, crossovers=3, mutations=3)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, small_digits: Path) -> Iterator[Path]:
    """A run of single paths that has its shared weights: eight passes, evolution over a dozen paths. No trials."""
    where, usual = tmp_path_factory.mktemp("shared") / "run", search.choose_recipe
    with pytest.MonkeyPatch.context() as patch:
        few = {**registry.PATHS, "spos": lambda: Spos(evolution=EVOLUTION)}
        patch.setattr(registry, "PATHS", few)
        patch.setattr(shared_weights, "PATHS", few)
        patch.setattr(search, "choose_recipe", lambda *given: replace(usual(*given), epochs=3, patience=None))
        patch.setattr(one_shot, "_epochs", lambda method, rows: 8)
        patch.setattr(search, "run_baselines", lambda session: ())
        patch.setattr(searching, "_scheduler", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        asked = {"limits": {"params": "20k"}, "trials": 2, "strategy": "spos", "workers": 1}
        with pytest.raises(KeyboardInterrupt):
            run_search_workflow(SearchOptions(str(small_digits), output=str(where), **asked))
        patch.setattr(shared_weights, "open_result", lambda run: (*open_folder(run), None))
        yield where


@pytest.fixture(scope="module")
def made(run: Path) -> FamilyResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SealedTest, "open", lambda *given: pytest.fail("the test rows were opened"))
        return make_family(FamilyOptions(str(run), ASKED, fine_tune=2))


def test_every_member_stands_alone_within_its_limit(made: FamilyResult) -> None:
    assert [one["name"] for one in made.members] == ["params-800", "params-2k", "params-20k"]
    for one, limit in zip(made.members, (800, 2000, 20_000), strict=True):
        folder = made.folder / one["name"]
        measured = measure_file(folder / "model.onnx", open_shared(made.record["run"]).prepared.task.input)
        assert measured["params"] <= one["costs"]["params"] <= limit
        assert measured["size"] == one["costs"]["size"]
        assert [(check["name"], check["limit"], check["ok"]) for check in one["checks"]] == [("params", limit, True)]
        assert all((made.folder / file).is_file() for file in one["files"].values())
        assert {"source", "weights", "onnx", "card"} <= set(one["files"])


def test_the_scores_are_those_of_the_files_on_the_validation_rows(made: FamilyResult, run: Path) -> None:
    shared = open_shared(str(run))
    rows, task = shared.rows, shared.prepared.task
    assert made.record["validation_rows"] == len(rows.score_inputs)
    for one in made.members:
        outputs = OnnxModel(made.folder / one["name"] / "model.onnx").scores(rows.score_inputs)
        assert find_metric(task.metric, task.kind).function(outputs, rows.score_targets) == one["score"]
        alone = load_member(made.folder, one["name"], rows.score_inputs)
        np.testing.assert_allclose(alone, outputs, atol=1e-4)


def load_member(folder: Path, name: str, inputs: np.ndarray) -> np.ndarray:
    """Scores of `model.py`, which lies as in `best/` of a run."""
    import torch

    place = folder.parent / f"alone-{name}"
    shutil.copytree(folder / name, place / "best")
    with torch.no_grad():
        scores = load_module(place)(torch.from_numpy(np.asarray(inputs, dtype=np.float32))).numpy()
    shutil.rmtree(place)
    return np.asarray(scores)


def test_the_record_on_disk_and_the_table_say_the_same(made: FamilyResult) -> None:
    assert json.loads((made.folder / "family.json").read_text()) == made.record
    head, *rows = made.lines()[:4]
    assert head.split() == ["member", "params", "MACs", "file", "inherited", "fine-tuned"]
    assert [row.split()[0] for row in rows] == ["params-800", "params-2k", "params-20k"]
    assert f"{100 * made.members[0]['score']:.2f} %" in rows[0]
    assert max(map(len, made.lines()[:4])) <= 80
    (told,) = [line for line in made.lines() if line.startswith("Scores are")]
    assert "validation rows of the search, which trained no weights and chose no member; chosen was a large one" in told
    assert made.record["looked_at"] >= EVOLUTION.population
    assert f"of the best quarter of {made.record['looked_at']} paths on other rows. The test rows stay sealed." in told
    card = (made.folder / "params-2k" / "MODEL_CARD.md").read_text()
    assert "in the supernet of" in card
    assert "Test rows" not in card


def test_the_same_seed_finds_the_same_members_and_without_fine_tuning_scores_are_inherited(
    made: FamilyResult, run: Path, tmp_path: Path
) -> None:
    again = nasturtium.family(run, max_params=(800, "2k"), fine_tune=2, output=tmp_path / "again")
    for one, other in zip(made.members[:2], again.members, strict=True):
        assert [other[name] for name in ("architecture", "inherited", "score")] == [
            one[name] for name in ("architecture", "inherited", "score")
        ]
    ready = nasturtium.family(run, max_params=(800, "2k"), output=tmp_path / "ready")
    for one, other in zip(ready.members, again.members, strict=True):
        assert one["inherited"] == one["score"]
        assert not one["fine_tuned"]
        assert one["costs"]["macs"] <= other["costs"]["macs"], "what is trained on is a large one of the best"
    assert "fine-tuned" not in ready.lines()[0]
    assert any("chosen was the best of" in line for line in ready.lines())


def test_a_file_over_its_limit_tightens_it_and_in_the_end_is_an_error(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a file held a tenth more params than are counted, then twice as many."""
    usual = family.dearest
    monkeypatch.setattr(family, "dearest", lambda *given: (costs := usual(*given)) | {"params": 1.1 * costs["params"]})
    made = make_family(FamilyOptions(str(run), {"params": "2k"}, output=str(tmp_path / "tighter")))
    assert made.members[0]["costs"]["params"] <= 2000
    assert made.members[0]["limits"] == {"params": 2000}
    monkeypatch.setattr(family, "dearest", lambda *given: usual(*given) | {"params": 1e9})
    with pytest.raises(LimitError, match=r"exported file of params-2k is over its limit \(params 1G\). Raise that"):
        make_family(FamilyOptions(str(run), {"params": "2k"}, output=str(tmp_path / "over")))
    assert not (tmp_path / "over").exists()


def test_the_limit_is_tightened_below_what_the_last_member_held(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member may lie below what was aimed at: an aim that only shrank by the excess could stay above it."""
    shared = open_shared(str(run))
    most = family.specialise(
        shared.score, shared.within(Limits(params=2000)), shared.evolution, seed=0, known={}
    ).costs["params"]
    usual, looked = family.dearest, 0
    monkeypatch.setattr(
        family, "dearest", lambda *given: (costs := usual(*given)) | {"params": costs["params"] * 1.0001 + 2000 - most}
    )

    def counting(*given: object, **named: object) -> object:
        nonlocal looked
        looked += 1
        return found(*given, **named)

    found = family.specialise
    monkeypatch.setattr(family, "specialise", counting)
    made = make_family(FamilyOptions(str(run), {"params": "2k"}, output=str(tmp_path / "below")))
    assert made.members[0]["costs"]["params"] <= 2000
    assert looked == 2, "the second member is a smaller one"


def test_a_limit_on_latency_is_kept_by_prediction_and_by_measurement(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a millisecond were 100,000 MACs, by the model and on the file; then as if files were slower by a third."""
    shared, slower = open_shared(str(run)), 1.0
    usual = family.dearest
    monkeypatch.setattr(shared_weights, "latency_model", lambda *given: lambda one: shared.costs(one)["macs"] / 1e5)
    monkeypatch.setattr(
        family, "dearest", lambda *given: (costs := usual(*given)) | {"latency_ms": slower * costs["macs"] / 1e5}
    )
    least, most = shared.costs.bounds(names=("macs",)).low["macs"], shared.costs.bounds(names=("macs",)).high["macs"]
    limit_ms = (3 * least + most) / 4e5
    for slower, name in ((1.0, "as predicted"), (1.3, "slower")):
        asked = {"latency": f"{limit_ms}ms"}
        made = make_family(FamilyOptions(str(run), asked, output=str(tmp_path / name)))
        (one,) = made.members
        assert one["limits"] == {"latency_ms": limit_ms}
        assert one["costs"]["latency_ms"] == pytest.approx(slower * one["costs"]["macs"] / 1e5, abs=1e-4)
        assert one["costs"]["latency_ms"] <= limit_ms
        assert made.lines()[0].split() == ["member", "params", "MACs", "file", "latency", "inherited"]
    with pytest.raises(LimitError, match=r"within 0.95 us of latency and the other limits: the quickest takes ab"):
        make_family(FamilyOptions(str(run), {"latency": "1us"}, output=str(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


def test_the_rate_of_fine_tuning_is_an_option(
    run: Path, made: FamilyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, usual = [], family.tuned

    def noted(member: object, score: object, recipe: Recipe, seed: int) -> object:
        rates.append(recipe.lr)
        return usual(member, score, recipe, seed)

    monkeypatch.setattr(family, "tuned", noted)
    for rate in (family.TUNE_RATE, 1.0):
        place = tmp_path / f"at {rate}"
        again = nasturtium.family(run, max_params="2k", fine_tune=2, tune_rate=rate, output=place)
        assert again.record["tune_rate"] == rate
    lr = open_shared(str(run)).recipe.lr
    assert rates == [family.TUNE_RATE * lr, lr]
    assert signature(cli.family).parameters["tune_rate"].default == family.TUNE_RATE == made.record["tune_rate"]


def test_an_existing_folder_is_never_overwritten(made: FamilyResult, run: Path) -> None:
    before = (made.folder / "family.json").read_bytes()
    with pytest.raises(RunError, match=r"family' exists, and is never overwritten. Give another with --output"):
        make_family(FamilyOptions(str(run), {"params": "5k"}))
    assert (made.folder / "family.json").read_bytes() == before


def test_limits_that_nothing_meets_are_refused_and_leave_no_folder(run: Path, tmp_path: Path) -> None:
    with pytest.raises(LimitError, match=r"meets the limit of 20 params"):
        make_family(FamilyOptions(str(run), {"params": "5k,20"}, output=str(tmp_path / "none")))
    assert list(tmp_path.iterdir()) == []


def test_lists_of_limits_belong_together_and_one_amount_holds_for_all() -> None:
    assert listed_limits({"params": "5k, 10k", "size": "64KB"}) == (
        Limits(params=5000, size=64_000),
        Limits(params=10_000, size=64_000),
    )
    assert listed_limits({"macs": "1M,2M", "params": "5k,10k"})[1] == Limits(params=10_000, macs=2e6)
    assert listed_limits({"params": "5k,5000"}) == (Limits(params=5000),)
    assert label(Limits(params=5000, size=64_000)) == "params-5k-size-64KB"
    with pytest.raises(LimitError, match="--max-macs has 2 amounts and another limit has 3"):
        listed_limits({"params": "1k,2k,3k", "macs": "1M,2M"})
    with pytest.raises(LimitError, match=r"needs at least one limit. Write --max-params 5k,10k,20k"):
        listed_limits({})
    assert label(listed_limits({"latency": "500us"})[0]) == "latency-0.5ms"
    with pytest.raises(LimitError, match=r"no limit on energy. Known: params, macs, latency, memory, size"):
        listed_limits({"energy": "2"})
    with pytest.raises(LimitError, match="max-params='' is not understood"):
        listed_limits({"params": "5k,"})


def test_limits_with_one_network_between_them_and_vain_fine_tuning_are_told() -> None:
    small, large = {"width": 8}, {"width": 16}
    members = [
        {"name": "params-1k", "architecture": small, "fine_tuned": True},
        {"name": "params-2k", "architecture": large, "fine_tuned": False},
        {"name": "params-3k", "architecture": large, "fine_tuned": True},
    ]
    assert family._remarks(members, tuning=True) == [
        "The network of params-2k and params-3k is the same: no better one was found within the looser limits.",
        "Fine-tuning made params-2k no better on rows that did not train: left as taken out.",
    ]
    assert family._remarks(members[:2], tuning=False) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"fine_tune": 0}, "--fine-tune is 0: at least 1 epoch"),
        ({"tune_rate": 0.0}, "--tune-rate is 0: it must be above 0; the default is 0.3"),
        ({"tune_rate": float("nan")}, "--tune-rate is nan: it must be above 0"),
        ({"budget_s": 0.0}, "--budget is 0 s: it must be above 0"),
        ({"seed": -1}, "--seed is -1: it must be 0 or more"),
    ],
)
def test_options_that_make_no_sense_are_named(wrong: dict, told: str) -> None:
    with pytest.raises(RunError, match=told):
        FamilyOptions("run", {"params": "5k"}, **wrong)


def test_a_run_without_weights_for_a_family_says_which_have_them(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = changed(run, tmp_path / "alone", strategy="auto")
    monkeypatch.setattr("sys.argv", ["nasturtium", "family", str(alone), "--max-params", "1k,2k"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "has no shared weights: its strategy is 'auto'. Make one with: nasturtium search SOURCE" in said
    assert "--strategy spos, fairnas, ofa or bignas" in said
    mixed = changed(run, tmp_path / "mixed", strategy="darts")
    with pytest.raises(RunError, match="serve no family: its strategy is 'darts', which does not train paths evenly"):
        open_shared(str(mixed))


def test_a_run_without_a_result_is_to_be_finished_first(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_weights, "open_result", open_result)
    with pytest.raises(RunError, match=r"has no result yet. Wait for it, or finish it with: nasturtium resume"):
        open_shared(str(run))


def changed(run: Path, copy: Path, **options: object) -> Path:
    """A copy of the run that was started with other options."""
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("family"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["options"] |= options
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


def test_a_run_that_lost_its_weights_or_its_data_is_refused(run: Path, tmp_path: Path) -> None:
    lost = changed(run, tmp_path / "lost")
    (lost / "supernet.safetensors").unlink()
    with pytest.raises(RunError, match=r"has lost supernet.safetensors or one_shot.json. Search again"):
        open_shared(str(lost))
    other = changed(run, tmp_path / "other", source="digits")
    with pytest.raises(RunError, match="has changed since the run began"):
        open_shared(str(other))
    memory = changed(run, tmp_path / "memory")
    manifest = json.loads((memory / "manifest.json").read_text())
    (memory / "manifest.json").write_text(json.dumps(manifest | {"resumable": False}))
    with pytest.raises(RunError, match="started from data or a space in memory, which cannot be found again"):
        open_shared(str(memory))
    old = changed(run, tmp_path / "old")
    facts = json.loads((old / "one_shot.json").read_text())
    del facts["limits"]
    (old / "one_shot.json").write_text(json.dumps(facts))
    with pytest.raises(RunError, match="does not say for which limits its space was made"):
        open_shared(str(old))
