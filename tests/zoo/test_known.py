"""Known networks: they can be built, and the largest inside the limits is chosen."""

import pytest
import torch

from nasturtium.blocks import build
from nasturtium.hardware import Limits
from nasturtium.task import Signal, Task
from nasturtium.zoo import known_networks, within

TASKS = {
    "digits": Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy"),
    "cifar": Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy"),
    "photos": Task("classification", Signal("image", (3, 112, 112)), 5, "accuracy"),
    "series": Task("classification", Signal("sequence", (2, 60)), 4, "accuracy"),
    "table": Task("regression", Signal("table", (5,), (3, 4)), 1, "rmse"),
    "vector": Task("multi-label", Signal("vector", (7,)), 6, "f1"),
}


@pytest.mark.parametrize("name", TASKS)
def test_every_known_network_gives_the_outputs_of_the_task(name: str) -> None:
    task = TASKS[name]
    for known in {network.family: network for network in reversed(known_networks(task))}.values():
        network = build(known.tree.lower(task.input), task.input, 0).eval()
        with torch.no_grad():
            assert network(torch.zeros(2, *task.input.tensor_shape)).shape == (2, task.outputs), known.name
        assert known.citation


def params(task: Task, name: str) -> int:
    tree = next(known.tree for known in known_networks(task) if known.name == name)
    network = build(tree.lower(task.input), task.input, 0)
    return sum(p.numel() for p in network.parameters())


def test_published_sizes_are_reproduced() -> None:
    # ResNet-8 of MLPerf Tiny: 77,850 + 192, as its projections here are normalised.
    assert abs(params(TASKS["cifar"], "resnet8-16") - 78_000) < 200
    # LeNet-5 on 28x28 with padding: layers 5x5x6, 5x5x16, 120, 84.
    mnist = Task("classification", Signal("image", (1, 28, 28)), 10, "accuracy")
    dense = (16 * 7 * 7 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
    assert params(mnist, "lenet5-1.0") == 25 * 6 + 12 + 25 * 6 * 16 + 32 + dense
    # MobileNetV2 for 1,000 classes: 3,504,872 (torchvision).
    big = Task("classification", Signal("image", (3, 224, 224)), 1000, "accuracy")
    assert params(big, "mobilenetv2-1.0") == pytest.approx(3_504_872, rel=0.2)


def test_the_largest_inside_the_limits_is_chosen() -> None:
    task = TASKS["digits"]
    chosen = {known.family: known for known in within(known_networks(task), Limits.parse(params="20k"), task)}
    for known in known_networks(task):
        best = chosen.get(known.family)
        count = params(task, known.name)
        assert best is not None
        assert count > 20_000 or count <= params(task, best.name)
    assert all(params(task, known.name) <= 20_000 for known in chosen.values())


def test_without_limits_the_published_sizes_are_chosen() -> None:
    task = TASKS["cifar"]
    assert all(known.published for known in within(known_networks(task), Limits(), task))


def test_families_without_a_member_inside_are_left_out() -> None:
    task = TASKS["digits"]
    assert within(known_networks(task), Limits(params=10), task) == ()


def test_names_are_unique_and_fit_for_file_names() -> None:
    for task in TASKS.values():
        names = [known.name for known in known_networks(task)]
        assert len(set(names)) == len(names)
        assert not any(character in name for name in names for character in " /")
