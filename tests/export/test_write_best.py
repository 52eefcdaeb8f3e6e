"""The folder `best/`: whole or absent, every file checked. Oracles: safetensors, ONNX Runtime, the module itself."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from nasturtium.blocks import Call, ConvBN, Head, module
from nasturtium.classical import Classical, fit, modules
from nasturtium.errors import RunError
from nasturtium.export import CardFacts, Deployable, OnnxModel, write_best, write_card
from nasturtium.export._check import compare
from nasturtium.space import import_file

FACTS = CardFacts(
    data="digits",
    data_lines=("1,797 rows",),
    sentence="The searched network is better.",
    test={"metric": "accuracy", "mean": 0.9891, "low": 0.984, "high": 0.993, "per_seed": [0.989] * 5},
    limits=({"name": "params", "limit": 20000, "value": 4210, "known": "counted", "ok": True},),
)


def test_a_network_is_written_whole_and_predicts_the_same_everywhere(models, tmp_path):
    image, x = models.image, models.digit_rows
    report = write_best(tmp_path / "best", image, models.digits_json, '{"an": "architecture"}', x, FACTS)
    names = {
        "architecture.json",
        "model.py",
        "weights.safetensors",
        "model.onnx",
        "MODEL_CARD.md",
        "preprocessing.json",
    }
    assert {file.name for file in (tmp_path / "best").iterdir()} == names == set(report.files.values())
    assert [file.name for file in tmp_path.iterdir()] == ["best"]
    assert [check.file for check in report.checks] == ["model.onnx", "model.py"]
    assert all(check.agreement == 1 and check.rows == len(x) for check in report.checks)
    assert max(check.max_difference for check in report.checks) < 1e-4
    stored = load_file(tmp_path / "best" / "weights.safetensors")
    assert all(torch.equal(stored[name], tensor) for name, tensor in image.state.items())
    scores = image.module()(torch.from_numpy(x)).detach()
    onnx = OnnxModel(tmp_path / "best" / "model.onnx")
    np.testing.assert_allclose(onnx.scores(x), scores, atol=1e-5)
    assert onnx.scores(x[:0]).shape == (0, 10)
    with pytest.raises(RunError, match=r"takes rows of shape \(1, 8, 8\), but the rows have the shape \(8, 8\)"):
        onnx.scores(np.zeros((1, 8, 8), dtype=np.float32))
    card = (tmp_path / "best" / "MODEL_CARD.md").read_text()
    assert "accuracy 0.9891 (95 % interval 0.984 to 0.993), mean of 5 trainings" in card
    assert "| params | 20,000 | 4,210 | counted | yes |" in card
    write_card(tmp_path / "best", image, replace(FACTS, sentence="Said later."), report)
    assert "Said later." in (tmp_path / "best" / "MODEL_CARD.md").read_text()


def test_a_simple_model_ships_like_a_network(models, tmp_path):
    x = models.rows(models.HOUSES, 60)
    fitted = fit(Classical("ridge"), x, np.nan_to_num(x[:, :1]) * 3, models.HOUSES, seed=0)
    call = Call(getattr(modules, fitted.class_name), (), tuple(fitted.kwargs.items()))
    ridge = Deployable("ridge", models.HOUSES, call, fitted.state)
    report = write_best(tmp_path / "best", ridge, models.houses_json, None, x)
    assert "source" in report.files
    described = json.loads((tmp_path / "best" / "architecture.json").read_text())
    assert described["model"] == "LinearModel"
    scores = OnnxModel(tmp_path / "best" / "model.onnx").scores(x)
    np.testing.assert_allclose(scores, fitted.module()(torch.from_numpy(x)).detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("imports", "scale", "alone"), [("import math", "math.e", True), ("import numpy as np", "float(np.e)", False)]
)
def test_a_users_own_class_is_copied_if_it_can_stand_alone(models, tmp_path, imports, scale, alone):
    file = tmp_path / "mine.py"
    file.write_text(
        f"{imports}\nimport torch\nfrom torch import nn\n\nSCALE = {scale}\n\n"
        "class Scaled(nn.Module):\n"
        '    """The input, times e."""\n\n'
        "    def __init__(self, channels):\n        super().__init__()\n"
        "        self.weight = nn.Parameter(torch.ones(channels, 1, 1))\n\n"
        "    def forward(self, x):\n        return x * self.weight * SCALE\n"
    )
    own = models.network(models.DIGITS, ConvBN(4), module(import_file(file).Scaled), Head(models.DIGITS))
    report = write_best(tmp_path / "best", own, models.digits_json, "{}", models.digit_rows)
    assert ("source" in report.files) is alone
    assert (tmp_path / "best" / "model.py").exists() is alone
    assert "onnx" in report.files
    if not alone:
        assert report.notices == (
            "There is no model.py, because the model cannot stand alone: "
            "'np' comes from numpy, which is neither torch nor the standard library.",
        )
        card = (tmp_path / "best" / "MODEL_CARD.md").read_text()
        assert report.notices[0] in card
        assert "from model import" not in card


def test_a_failure_leaves_nothing_and_keeps_what_was_there(models, tmp_path, monkeypatch):
    write = sys.modules["nasturtium.export.write"]
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "old").write_text("kept")
    monkeypatch.setattr(write, "write_onnx", lambda module, signal, path: path.write_bytes(b"no model"))
    with pytest.raises(RunError, match=r"model\.onnx' cannot be opened by ONNX Runtime"):
        write_best(
            tmp_path / "best",
            models.image,
            models.digits_json,
            "{}",
            models.digit_rows,
        )
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["best", "best/old"]


def test_a_model_without_an_onnx_form_is_said_in_words(models, tmp_path, monkeypatch):
    def refuse(module, signal, path):
        raise RuntimeError("no form for aten::odd\nmore")

    monkeypatch.setattr(sys.modules["nasturtium.export.write"], "write_onnx", refuse)
    with pytest.raises(RunError, match=r"cannot be written as an ONNX file: no form for aten::odd$"):
        write_best(tmp_path / "best", models.image, models.digits_json, "{}", models.digit_rows)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said_in_words(models, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"Cannot write '.*/file/best': "):
        write_best(
            tmp_path / "file" / "best",
            models.image,
            models.digits_json,
            "{}",
            models.digit_rows,
        )


def test_a_file_that_differs_is_an_error_and_a_stray_row_is_not(models):
    scores = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
    stray = scores.copy()
    stray[7] = stray[7, ::-1]
    assert compare("model.onnx", scores, stray, models.DIGITS).agreement == pytest.approx(0.995)
    with pytest.raises(RunError, match=r"model\.onnx differs from the trained model by up to 0\.5 on 200 real rows"):
        compare("model.onnx", scores, scores + 0.5, models.DIGITS)
    with pytest.raises(RunError, match="not finite"):
        compare("model.onnx", scores * np.nan, scores, models.DIGITS)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"There is no model\.onnx in '.*'\. Did the run end\?"):
        OnnxModel(tmp_path / "model.onnx")
