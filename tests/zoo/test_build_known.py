"""Known networks for any task: of the published size, or the largest below it that is within the limits."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from nasturtium.blocks import Head, build, counted, sequence, source
from nasturtium.errors import LimitError, SpaceError
from nasturtium.hardware import write_onnx
from nasturtium.task import Signal, Task
from nasturtium.zoo import build_known, builders, known_blocks
from nasturtium.zoo._families import strides_for
from nasturtium.zoo._scale import counts_of
from nasturtium.zoo.known import MAKERS

TASKS = {
    "digits": Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy"),
    "photos": Task("multi-label", Signal("image", (3, 224, 160)), 3, "f1"),
    "series": Task("regression", Signal("sequence", (2, 30)), 1, "rmse"),
    "steps": Task("classification", Signal("sequence", (1, 3)), 2, "accuracy"),
    "table": Task("regression", Signal("table", (5,), (3, 4)), 1, "rmse"),
    "vector": Task("classification", Signal("vector", (7,)), 6, "accuracy"),
}
CASES = [(task, name) for task in TASKS for name in builders(TASKS[task])]


def test_there_are_fifteen_and_more() -> None:
    assert len({name for _, name in CASES}) >= 15


@pytest.mark.parametrize(("task_name", "name"), CASES)
def test_it_gives_the_outputs_of_the_task_at_the_published_size(task_name: str, name: str) -> None:
    task = TASKS[task_name]
    known = build_known(name, task)
    assert known.published
    assert known.citation
    with torch.device("meta"):
        network = build(known.tree.lower(task.input), task.input).eval()
        assert network(torch.zeros(2, *task.input.tensor_shape)).shape == (2, task.outputs)
    assert sum(weight.numel() for weight in network.parameters()) == counts_of(known.tree, task.input).params


@pytest.mark.parametrize("name", builders(TASKS["digits"]))
def test_a_limit_is_used_and_met(name: str) -> None:
    task = TASKS["digits"]
    whole = counts_of(build_known(name, task).tree, task.input)
    limit = max(0.3 * whole.params, 101_000 if whole.params > 1e6 else 0)
    try:
        known = build_known(name, task, max_params=limit)
    except LimitError:
        assert whole.params < 1000  # a linear network has one size
        return
    counts = counts_of(known.tree, task.input)
    assert counts.params <= limit
    assert counts.params > limit / 4
    again = build_known(name, task, max_params=limit, max_macs=counts.macs - 1)
    assert counts_of(again.tree, task.input).macs < counts.macs
    small = build_known(name, task, max_memory=counts.memory)
    assert counts_of(small.tree, task.input).memory <= counts.memory


def test_the_largest_member_is_taken() -> None:
    """Against a look at every size."""
    task = TASKS["digits"]
    for name in ("resnet20", "mobilenetv3-small", "lenet5"):
        family = MAKERS[name](task)
        sizes = [family.size(value) for value in family.labels if value <= family.published]
        counts = {size.label: asdict(counts_of(size.tree, task.input)) for size in sizes}
        for limit in (3_000, 20_000, 90_000):
            inside = [label for label, count in counts.items() if count["params"] <= limit and count["macs"] <= 2e6]
            if inside:
                known = build_known(name, task, max_params=limit, max_macs=2e6)
                assert known.name == f"{name}-{inside[-1]}"


def test_what_is_too_small_is_told_with_numbers() -> None:
    with pytest.raises(LimitError) as caught:
        build_known("resnet50", TASKS["digits"], max_params=1000)
    assert str(caught.value) == (
        "Even the smallest resnet50 for this task has 55,542 params, above the limit of 1,000. "
        "Raise the limit, or take a smaller family: linear, lenet5, ds-cnn."
    )


def test_what_is_not_known_or_not_for_the_input_is_told() -> None:
    with pytest.raises(SpaceError, match=r"^There is no known network 'resnet81'\. Did you mean 'resnet8' or"):
        build_known("resnet81", TASKS["digits"])
    with pytest.raises(
        SpaceError, match=r"^The known network lstm is not for input of the kind 'table'\. For that there"
    ):
        build_known("LSTM", TASKS["table"])


def test_strides_leave_four_positions_a_side_where_the_input_has_them() -> None:
    assert strides_for(224, (2, 2, 2, 2, 2)) == (2, 2, 2, 2, 2)
    assert strides_for(97, (2, 2, 2, 2, 2)) == (2, 2, 2, 2, 2)
    assert strides_for(96, (2, 2, 2, 2, 2)) == (1, 2, 2, 2, 2)
    assert strides_for(32, (2, 2, 2, 2, 2)) == (1, 1, 2, 2, 2)
    assert strides_for(8, (4, 2, 2, 2)) == (1, 1, 1, 2)
    assert strides_for(2, (2, 2)) == (1, 1)


DIGITS, SERIES = TASKS["digits"], TASKS["series"]
TREES = {
    "convolutions": (
        DIGITS,
        sequence(
            patches=known_blocks.Patches(8, 2),
            convnext=known_blocks.ConvNeXtBlock(3),
            pool=known_blocks.MaxPool(),
            inverted=known_blocks.Inverted(8, inner=16, squeeze=4, activation="silu", gate="silu/sigmoid"),
            universal=known_blocks.UniversalInverted(8, before=3, inner=16),
            bottleneck=known_blocks.Bottleneck(16, 2, inner=8, groups=2),
            neck=known_blocks.Neck(8, "batch", "relu"),
            head=Head(DIGITS),
        ),
    ),
    "series": (
        SERIES,
        sequence(
            inception=known_blocks.InceptionModules(2, (9, 5)),
            temporal=known_blocks.TemporalBlock(4, 3, 2),
            last=known_blocks.AtLastStep(),
            head=Head(SERIES),
        ),
    ),
    "lstm": (SERIES, sequence(body=known_blocks.RecurrentBlock("lstm", 4, 2), head=Head(SERIES))),
    "gru": (SERIES, sequence(body=known_blocks.RecurrentBlock("gru", 4), head=Head(SERIES))),
}


@pytest.mark.parametrize("name", TREES)
def test_the_file_and_the_source_of_their_blocks_are_the_same_function(name: str, tmp_path: Path) -> None:
    task, tree = TREES[name]
    expr = tree.lower(task.input)
    network = build(expr, task.input, 0).eval()
    assert sum(weight.numel() for weight in network.parameters()) == counted(expr, task.input).params
    rows = torch.randn(3, *task.input.tensor_shape, generator=torch.Generator().manual_seed(0))
    expected = network(rows).detach().numpy()

    path = write_onnx(network, task.input, tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {session.get_inputs()[0].name: rows.numpy()})
    np.testing.assert_allclose(given, expected, atol=1e-5)

    text = source(expr.call(task.input))
    header = "import torch\nfrom torch import Tensor, nn\nfrom collections import OrderedDict\n"
    namespace: dict[str, torch.nn.Module] = {}
    exec(header + "\n".join(text.definitions.values()) + f"\nnetwork = {text.expression}", namespace)
    written = namespace["network"].eval()
    written.load_state_dict(network.state_dict())
    np.testing.assert_array_equal(written(rows).detach().numpy(), expected)


def test_causal_convolutions_do_not_see_the_future() -> None:
    task = TASKS["series"]
    block = known_blocks.TemporalBlock(4, 3, 2)
    network = build(block.lower(task.input), task.input, 0).eval()
    rows = torch.randn(1, 2, 30, generator=torch.Generator().manual_seed(0))
    changed = rows.clone()
    changed[..., 20:] += 1
    before, after = network(rows), network(changed)
    assert torch.equal(before[..., :20], after[..., :20])
    assert not torch.equal(before[..., 20:], after[..., 20:])
    assert counted(block.lower(task.input), task.input).params == sum(w.numel() for w in network.parameters())
