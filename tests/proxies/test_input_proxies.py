"""Proxies of activations and of gradients by the inputs, against brute force."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.proxies import Batch, measure
from nasturtium.task import Signal, Task


def vectors(rows=9, classes=3, seed=0) -> Batch:
    torch.manual_seed(seed)
    task = Task("classification", Signal("vector", (6,)), classes, "accuracy")
    return Batch(torch.randn(rows, 6), torch.arange(rows) % 3, task)


def dense(outputs=3) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU6(), nn.Linear(7, outputs))


def jacobian(network, rows):
    """Gradient of the sum of outputs, row by row."""
    return np.stack([torch.autograd.functional.jacobian(lambda x: network(x).sum(), row).numpy() for row in rows])


def test_nwot_is_the_log_determinant_of_the_agreements():
    network, batch = dense(), vectors(rows=5)
    hidden = network[0](batch.inputs)
    codes = torch.cat([hidden, network[2](network[1](hidden))], dim=1).detach().numpy() > 0
    kernel = [[sum(a == b for a, b in zip(x, y, strict=True)) for y in codes] for x in codes]
    assert measure(network, batch, ["nwot"])["nwot"] == pytest.approx(math.log(abs(np.linalg.det(kernel))))


def test_nwot_of_a_network_without_activations_is_undefined():
    assert math.isnan(measure(nn.Linear(6, 3), vectors(), ["nwot"])["nwot"])


def test_jacov_scores_the_eigenvalues_of_the_correlations():
    network, batch = dense(), vectors()
    values = np.linalg.eigvalsh(np.corrcoef(jacobian(network, batch.inputs))).clip(0) + 1e-5
    assert measure(network, batch, ["jacov"])["jacov"] == pytest.approx(-sum(np.log(values) + 1 / values), rel=1e-3)


def test_epe_nas_sums_log_correlations_within_classes():
    network, batch = dense(), vectors()
    rows, total = jacobian(network, batch.inputs), 0.0
    for label in range(3):
        total += abs(sum(math.log(abs(c) + 1e-5) for c in np.corrcoef(rows[label::3]).flat))
    assert measure(network, batch, ["epe_nas"])["epe_nas"] == pytest.approx(total, rel=1e-4)


def test_epe_nas_compares_classes_where_there_are_many():
    network, batch = dense(outputs=101), vectors(classes=101)
    rows = jacobian(network, batch.inputs)
    means = [np.log(np.abs(np.corrcoef(rows[label::3])) + 1e-5).sum() / 3 for label in range(3)]
    total = sum(abs(a - b) for a in means for b in means) / 3
    assert measure(network, batch, ["epe_nas"])["epe_nas"] == pytest.approx(total, rel=1e-4)


def test_a_network_that_does_not_see_its_input_has_no_jacobian_scores():
    class Blind(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(6, 3)

        def forward(self, x):
            return self.linear(torch.zeros_like(x))

    found = measure(Blind(), vectors(), ["jacov", "epe_nas", "zen", "snip", "grasp"])
    assert math.isnan(found["jacov"])
    assert math.isnan(found["epe_nas"])
    assert found["zen"] == -math.inf
    assert math.isfinite(found["snip"])
    assert math.isfinite(found["grasp"])


def test_nwot_of_fewer_units_than_rows_is_minus_infinity_in_any_order():
    """The kernel is singular: what is left of its determinant is rounding."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    rows = torch.randn(32, 6)
    for order in (torch.arange(32), torch.randperm(32)):
        batch = replace(vectors(), inputs=rows[order], targets=torch.arange(32) % 3)
        assert measure(network, batch, ["nwot"])["nwot"] == -math.inf
