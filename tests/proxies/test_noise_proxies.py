"""Proxies that draw their own weights and inputs: Zen-score and the parts of AZ-NAS."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.proxies import Batch, measure
from nasturtium.proxies._blocks import main_blocks
from nasturtium.proxies.az_nas import _entropy, _folded, _spread
from nasturtium.task import Signal, Task
from nasturtium.training import generator

IMAGES = Task("classification", Signal("image", (2, 4, 4)), 3, "accuracy")


def images(rows=6) -> Batch:
    return Batch(torch.randn(rows, 2, 4, 4), torch.zeros(rows, dtype=torch.int64), IMAGES)


def test_zen_of_a_linear_network_is_the_norm_of_the_mapped_change():
    network = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2))
    task = Task("classification", Signal("vector", (4,)), 2, "accuracy")
    rows = Batch(torch.randn(6, 4), torch.zeros(6, dtype=torch.int64), task)
    draws = generator(7, "zen")
    weight, _ = torch.randn(5, 4, generator=draws), torch.randn(2, 5, generator=draws)
    _, change = torch.randn(6, 4, generator=draws), torch.randn(6, 4, generator=draws)
    expected = math.log((0.01 * change @ weight.T).abs().sum(1).mean())
    assert measure(network, rows, ["zen"], seed=7)["zen"] == pytest.approx(expected, rel=1e-4)


def test_zen_adds_back_what_batch_normalisation_divided_by():
    network = nn.Sequential(
        nn.Conv2d(2, 3, 1, bias=False), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)
    )
    draws = generator(0, "zen")
    weight, _ = torch.randn(3, 2, 1, 1, generator=draws), torch.randn(3, 3, generator=draws)
    first, change = torch.randn(6, 2, 4, 4, generator=draws), torch.randn(6, 2, 4, 4, generator=draws)
    features, running = [], torch.ones(3)
    for inputs in (first + 0.01 * change, first):
        hidden = nn.functional.conv2d(inputs, weight)
        running = 0.9 * running + 0.1 * hidden.var((0, 2, 3))
        centred = hidden - hidden.mean((0, 2, 3), keepdim=True)
        features.append(centred / (hidden.var((0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt())
    expected = math.log((features[0] - features[1]).abs().sum((1, 2, 3)).mean()) + math.log(running.mean().sqrt())
    assert measure(network, images(), ["zen"])["zen"] == pytest.approx(expected, rel=1e-4)


def test_expressivity_is_the_entropy_of_the_principal_components():
    torch.manual_seed(0)
    feature = torch.randn(5, 3, 4, 4) * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1)
    points = feature.permute(0, 2, 3, 1).reshape(-1, 3).numpy()
    shares = np.linalg.eigvalsh(np.cov(points.T, bias=True))
    shares /= shares.sum()
    assert _entropy(feature) == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-4)
    assert _entropy(torch.randn(100_000, 8)) == pytest.approx(math.log(8), rel=1e-3)


def test_trainability_is_zero_where_gradients_keep_their_size():
    torch.manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(6, 6))[0]
    for factor in (0.5, 1.0, 3.0):
        inputs = torch.randn(20_000, 6, requires_grad=True)
        score = _spread(inputs, inputs @ rotation * factor, torch.Generator().manual_seed(0))
        assert score == pytest.approx(2 - factor - 1 / factor, abs=0.1)


def test_trainability_of_an_identity_and_of_nothing():
    inputs = torch.randn(8, 6, requires_grad=True)
    draws = torch.Generator().manual_seed(0)
    assert _spread(inputs, inputs * 1.0, draws) == -math.inf
    assert _spread(inputs, torch.zeros(8, 6, requires_grad=True), draws) == pytest.approx(2 - 1e6)


def test_places_of_a_stride_become_channels_as_in_pixel_unshuffle():
    back, like = torch.randn(2, 3, 6, 6), torch.zeros(2, 5, 3, 3)
    found, expected = _folded(back, like), nn.PixelUnshuffle(2)(back)
    assert found.shape == expected.shape
    assert torch.equal(found.flatten(2).sum(1), expected.flatten(2).sum(1))
    assert torch.equal(found.sort(1).values, expected.sort(1).values)


@pytest.mark.parametrize(("sides", "target"), [((2, 3, 7), (2, 4, 4)), ((2, 3, 5, 4), (2, 6)), ((2, 6), (2, 3, 4))])
def test_any_two_shapes_of_features_can_be_compared(sides, target):
    folded = _folded(torch.randn(sides), torch.zeros(target))
    assert folded.shape[0] == 2
    assert folded.shape[2:] == target[2:]


def test_parts_of_az_nas_of_a_network_of_three_blocks():
    block = lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())  # noqa: E731
    network = nn.Sequential()
    for name, part in (("stem", block(2, 4)), ("a", block(4, 6)), ("b", block(6, 6)), ("head", nn.Flatten())):
        network.add_module(name, part)
    found = measure(network, images(), ["az_nas"])
    assert list(found) == ["expressivity", "progressivity", "trainability", "complexity"]
    assert 0 < found["expressivity"] < math.log(4) + 2 * math.log(6)
    assert found["trainability"] < 0
    assert found["complexity"] == 16 * 9 * (2 * 4 + 4 * 6 + 6 * 6)
    assert found == measure(network, images(), ["az_nas"])
    assert found != measure(network, images(), ["az_nas"], seed=1)


def test_stages_are_opened_and_heads_and_finishes_left_out():
    inner = lambda: nn.Sequential(nn.Sequential(nn.Conv2d(2, 2, 1)), nn.ReLU())  # noqa: E731
    network = nn.Sequential()
    stage = nn.Sequential()
    for place in range(3):
        stage.add_module(f"block{place}", inner())
    parts = {"resize": nn.Upsample(4), "stem": inner(), "stage": stage}
    parts |= {"last": nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()), "head": nn.Flatten()}
    for name, part in parts.items():
        network.add_module(name, part)
    assert main_blocks(network) == [parts["stem"], *stage]


def test_entropy_of_wide_features_is_that_of_double_precision_and_of_none_undefined():
    points = torch.randn(64, 512) @ torch.diag(torch.logspace(0, -12, 512))
    values = np.linalg.eigvalsh(np.cov(points.double().numpy().T, bias=True)).clip(min=0)
    shares = values / values.sum()
    assert _entropy(points) == pytest.approx(-(shares * np.log(shares + 1e-8)).sum(), rel=1e-6)
    assert math.isnan(_entropy(torch.full((4, 3), 1e38) * torch.tensor([1.0, -10.0, 10.0])))
