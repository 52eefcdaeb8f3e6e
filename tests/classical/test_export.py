"""Every kind of module goes to ONNX with a dynamic batch, and its source stands alone."""

import logging

import numpy as np
import onnxruntime
import pytest
import torch

from nasturtium.classical import Classical, Fitted, fit
from nasturtium.task import Signal, Task

MIXED = Task("classification", Signal("table", (3,), (4, 3)), 3, "accuracy")
KINDS = {
    "majority": "ConstantModel",
    "logistic": "LinearModel",
    "svc": "KernelVotes",
    "boosting": "TreeEnsemble",
    "svr": "KernelMachine",
}


def fitted(name: str) -> tuple[Fitted, np.ndarray]:
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(400, 3))
    numbers[rng.random(400) < 0.2, 1] = np.nan
    inputs = np.concatenate([numbers, rng.integers(0, 4, (400, 1)), rng.integers(0, 3, (400, 1))], 1)
    score = numbers[:, 0] + inputs[:, 3]
    if name == "svr":
        task = Task("regression", MIXED.input, 1, "rmse")
        return fit(Classical(name), inputs[:300], score[:300, None], task, 0), inputs.astype(np.float32)
    targets = np.digitize(score, [0.8, 2.2])
    return fit(Classical(name), inputs[:300], targets[:300], MIXED, 0), inputs.astype(np.float32)


@pytest.mark.parametrize("name", KINDS)
def test_onnx_runtime_equals_torch_for_any_batch(name, tmp_path, capsys):
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    model, inputs = fitted(name)
    assert model.class_name == KINDS[name]
    module = model.module()
    path = tmp_path / "model.onnx"
    shapes = {"inputs": {0: torch.export.Dim("batch", min=1)}}
    example = (torch.from_numpy(inputs[:2]),)
    torch.onnx.export(module, example, path, dynamo=True, dynamic_shapes=shapes, input_names=["inputs"], verbose=False)
    session = onnxruntime.InferenceSession(path)
    for batch in (1, 7, 400):
        (got,) = session.run(None, {"inputs": inputs[:batch]})
        expected = module(torch.from_numpy(inputs[:batch])).detach().numpy()
        np.testing.assert_allclose(got, expected, atol=1e-5, rtol=1e-5)
        assert (got.argmax(1) == expected.argmax(1)).all()


@pytest.mark.parametrize("name", KINDS)
def test_the_copied_source_rebuilds_the_model_with_torch_alone(name):
    model, inputs = fitted(name)
    room: dict[str, object] = {}
    exec("import torch\nfrom torch import Tensor, nn\n\n\n" + model.source(), room)
    rebuilt = room[model.class_name](**model.kwargs)
    rebuilt.load_state_dict(dict(model.state))
    rows = torch.from_numpy(inputs)
    assert torch.equal(rebuilt(rows), model.module()(rows))
    assert ("class TreeEnsemble" in model.source()) == (name == "boosting")
