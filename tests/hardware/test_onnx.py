"""The ONNX file: quiet, whole, with a dynamic batch; and what is measured on it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from nasturtium.blocks import construct, deployed
from nasturtium.errors import UserError
from nasturtium.hardware import block_costs, measure_file, measure_latency, write_onnx
from nasturtium.hardware.latency import open_session
from nasturtium.space import Space
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro, known_networks, tabular

IMAGE = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")
SERIES = Task("classification", Signal("sequence", (2, 40)), 3, "accuracy")
TABLE = Task("regression", Signal("table", (4,), (3, 9)), 1, "rmse")


def network(space: Space, seed: int) -> nn.Module:
    """A deployed network whose normalisation has seen something."""
    task = space.task
    module = construct(deployed(space.sample(seed).tree.lower(task.input), task))
    torch.manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
    return module


@pytest.mark.parametrize(
    ("space", "seed"),
    [(conv_macro(IMAGE, max_params=5e3), 1), (conv_macro(SERIES, max_params=5e3), 2), (tabular(TABLE), 5)],
    ids=["image", "sequence", "table"],
)
def test_the_file_agrees_with_the_network_for_any_batch_and_is_measured(
    space: Space, seed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    task = space.task
    module = network(space, seed).train()
    path = write_onnx(module, task.input, tmp_path / "model.onnx")
    assert module.training
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    assert capfd.readouterr() == ("", "")
    session = open_session(path)
    assert [value.name for value in session.get_inputs()] == ["x"]
    assert [value.name for value in session.get_outputs()] == ["scores"]
    module.eval()
    for rows in (1, 2, 7):
        x = torch.rand(rows, *task.input.tensor_shape).round()  # codes of categories must be whole
        with torch.no_grad():
            expected = module(x).numpy()
        found = session.run(None, {"x": x.numpy()})[0]
        assert np.abs(found - expected).max() < 1e-4 * max(1.0, np.abs(expected).max())
    _measured(space, seed, path)


def _measured(space: Space, seed: int, path: Path) -> None:
    measured = measure_file(path, space.task.input)
    counted = block_costs(space.sample(seed).tree, space.task.input)
    assert measured["size"] == path.stat().st_size
    assert measured["macs"] == counted["macs"]
    # Normalisation is folded; buffers of the standardisation and of unfolded normalisation come on top.
    assert abs(measured["params"] - counted["params"]) < 0.1 * counted["params"] + 50
    assert 0.9 < counted["size"] / measured["size"] < 1.35
    assert 0 < measured["latency_ms"] <= measured["latency_p95_ms"]


def test_macs_of_the_graph_are_those_that_were_counted_for_known_networks(tmp_path: Path) -> None:
    for known in known_networks(IMAGE)[:1] + known_networks(TABLE)[-1:]:
        task = IMAGE if known.family == "lenet5" else TABLE
        module = construct(deployed(known.tree.lower(task.input), task))
        path = write_onnx(module, task.input, tmp_path / "known.onnx")
        assert measure_file(path, task.input)["macs"] == block_costs(known.tree, task.input)["macs"]


def test_the_export_is_quiet_in_a_fresh_process(tmp_path: Path) -> None:
    code = (
        "import torch; from nasturtium.hardware import write_onnx; from nasturtium.task import Signal; "
        f"write_onnx(torch.nn.Linear(3, 2), Signal('vector', (3,)), {str(tmp_path / 'm.onnx')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    model = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert not model.graph.node[0].metadata_props


def test_a_failed_export_leaves_nothing_behind(tmp_path: Path) -> None:
    class Unfit(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("cannot be traced")

    with pytest.raises(Exception, match=r"cannot be traced|export"):
        write_onnx(Unfit(), Signal("vector", (3,)), tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_latency_grows_with_the_network_and_reports_its_spread(tmp_path: Path) -> None:
    small = write_onnx(nn.Linear(8, 2), Signal("vector", (8,)), tmp_path / "small.onnx")
    layers = [nn.Linear(8, 512), *(nn.Linear(512, 512) for _ in range(8)), nn.Linear(512, 2)]
    large = write_onnx(nn.Sequential(*layers), Signal("vector", (8,)), tmp_path / "large.onnx")
    quick, slow = (measure_latency(p, Signal("vector", (8,)), repeats=3, repeat_s=0.02) for p in (small, large))
    assert quick.p50_ms < slow.p50_ms
    assert quick.p50_ms <= quick.p95_ms
    assert quick.spread >= 0
    assert quick.calls >= 60
    assert quick.threads == 1


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_text("nothing of the kind")
    with pytest.raises(UserError, match=r"x\.onnx cannot be read as an ONNX file"):
        measure_file(tmp_path / "x.onnx", Signal("vector", (3,)))
