"""From a data set and a limit to a run directory, through the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from nasturtium.report import read_result

Cli = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.xdist_group("one run")  # the run is made once, by the worker that has this file


def test_the_run_directory_holds_what_the_design_promises(run_folder: Path) -> None:
    promised = [
        "manifest.json",
        "study.journal",
        "result.json",
        "report.html",
        "best/architecture.json",
        "best/weights.safetensors",
        "best/model.py",
        "best/model.onnx",
        "best/MODEL_CARD.md",
    ]
    assert [name for name in promised if not (run_folder / name).is_file()] == []
    assert not (run_folder / "work").exists()


def test_the_result_is_of_the_documented_schema_and_meets_the_limit(run_folder: Path, result: dict[str, Any]) -> None:
    checked = read_result(run_folder / "result.json")
    assert checked.schema_number == 1
    assert 1 <= result["trials"] <= 4
    assert result["best"]["params"] <= 3000
    assert result["found"]["params"] <= 3000
    assert [limit["ok"] for limit in result["limits"]] == [True]
    assert result["test_openings"] == ["scores of the choice and of what it is compared with"]
    assert len(result["best"]["test"]["per_seed"]) == 5
    assert 0.8 < result["best"]["test"]["low"] <= result["best"]["test"]["mean"] <= result["best"]["test"]["high"] <= 1


def test_every_baseline_is_shown_and_none_over_the_limit_ships(result: dict[str, Any]) -> None:
    by_name = {baseline["name"]: baseline for baseline in result["baselines"]}
    assert {"majority", "logistic", "svc", "boosting"} <= set(by_name)
    assert by_name["svc"]["over"], "an SVC of digits stores more than 3,000 numbers"
    assert result["best"]["name"] not in {name for name, one in by_name.items() if one["over"]}


def test_a_share_of_the_trials_is_random(result: dict[str, Any]) -> None:
    assert result["search"]["random"] >= 0.15 * result["search"]["trials"]


def test_too_few_trials_say_nothing_of_what_predicts_their_scores(run_folder: Path, result: dict[str, Any]) -> None:
    assert result["search"]["predictors"] == []
    sentence = result["search"]["audit"]["sentence"]
    assert "trained in full, and fewer than 10 say nothing of it" in sentence
    assert sentence in (run_folder / "report.html").read_text()


def test_model_py_stands_alone_and_agrees_with_the_onnx_file(run_folder: Path, small_digits: Path) -> None:
    rows = np.load(small_digits)["X"].transpose(0, 3, 1, 2).astype(np.float32)[:50]
    np.save(run_folder / "rows.npy", rows)
    code = (
        "import sys, numpy, torch, model; assert 'nasturtium' not in sys.modules;"
        "x = torch.from_numpy(numpy.load('../rows.npy'));"
        "numpy.save('../scores.npy', model.load()(x).detach().numpy())"
    )
    subprocess.run([sys.executable, "-c", code], cwd=run_folder / "best", check=True, timeout=60)
    session = onnxruntime.InferenceSession(str(run_folder / "best" / "model.onnx"))
    scores = session.run(None, {session.get_inputs()[0].name: rows})[0]
    np.testing.assert_allclose(np.load(run_folder / "scores.npy"), scores, atol=1e-3)


def test_predict_gives_labels_for_new_rows(cli: Cli, run_folder: Path, small_digits: Path) -> None:
    done = cli("predict", str(run_folder), str(small_digits), "--json", cwd=run_folder)
    assert done.returncode == 0, done.stderr
    said = [row["prediction"] for row in json.loads(done.stdout)]
    truth = np.load(small_digits)["y"].astype(str)
    assert (np.array(said) == truth).mean() > 0.9


def test_the_report_opens_without_network(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert 'src="http' not in page
    assert "<link" not in page


def test_a_finished_run_is_neither_resumed_nor_overwritten(cli: Cli, run_folder: Path, small_digits: Path) -> None:
    again = cli("resume", str(run_folder), cwd=run_folder)
    assert again.returncode == 2
    assert "nothing to resume" in again.stderr
    over = cli("search", str(small_digits), "-o", str(run_folder), cwd=run_folder)
    assert over.returncode == 2
    assert "never overwritten" in over.stderr


def test_a_run_of_a_newer_schema_is_refused(cli: Cli, run_folder: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    manifest = json.loads((run_folder / "manifest.json").read_text())
    (newer / "manifest.json").write_text(json.dumps({**manifest, "schema": 99}))
    done = cli("report", str(newer), cwd=tmp_path)
    assert done.returncode == 2
    assert "newer Nasturtium" in done.stderr
    assert "Traceback" not in done.stderr
