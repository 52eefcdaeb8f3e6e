"""Proxies of gradients by the weights, against autograd written out, an explicit Hessian, and closed forms."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from nasturtium.blocks.primitives import ACTIVATIONS
from nasturtium.proxies import Batch, measure
from nasturtium.task import Signal, Task

TASK = Task("classification", Signal("image", (2, 6, 6)), 3, "accuracy")


def tiny() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.Tanh(), nn.Conv2d(4, 3, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3),
    ).double()  # fmt: skip


def batch(rows=7, seed=0, second=None) -> Batch:
    torch.manual_seed(seed)
    return Batch(torch.randn(rows, 2, 6, 6).double(), torch.randint(0, 3, (rows,)), TASK, second)


def weights(network):
    return [network[0].weight, network[3].weight, network[7].weight]


def gradients(network, rows):
    loss = functional.cross_entropy(network.train()(rows.inputs), rows.targets)
    return torch.autograd.grad(loss, weights(network))


def test_snip_grad_norm_plain_and_l2_norm_are_sums_over_weights_and_gradients():
    network, rows = tiny(), batch()
    found = measure(network, rows, ["snip", "grad_norm", "plain", "l2_norm"])
    pairs = [(w.detach(), g) for w, g in zip(weights(network), gradients(network, rows), strict=True)]
    assert found["snip"] == pytest.approx(sum(float((w * g).abs().sum()) for w, g in pairs))
    assert found["plain"] == pytest.approx(sum(float((w * g).sum()) for w, g in pairs))
    assert found["grad_norm"] == pytest.approx(sum(math.sqrt(float((g * g).sum())) for _, g in pairs))
    assert found["l2_norm"] == pytest.approx(sum(math.sqrt(float((w * w).sum())) for w, _ in pairs))


def test_plain_is_that_of_the_classifier_where_all_else_is_normalised():
    torch.manual_seed(4)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4, eps=1e-12), nn.ReLU(), nn.Conv2d(4, 5, 3, bias=False),
        nn.BatchNorm2d(5, eps=1e-12), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3),
    ).double()  # fmt: skip
    rows = batch()
    # Of softmax and cross-entropy, the mean over rows of sum_c z_c (p_c - y_c), where z are the logits without bias.
    logits = network.train()(rows.inputs)
    off = logits.softmax(1) - functional.one_hot(rows.targets, 3)
    expected = ((logits - network[8].bias) * off).sum(1).mean()
    assert measure(network, rows, ["plain"])["plain"] == pytest.approx(float(expected.detach()))


def test_fisher_is_written_out_channel_by_channel():
    network, rows = tiny(), batch()
    network.train()
    first = network[0](rows.inputs)
    third = network[3](network[2](network[1](first)))
    last = network[7](network[6](network[5](network[4](third))))
    outputs = (first, third, last)
    grads = torch.autograd.grad(functional.cross_entropy(last, rows.targets), outputs)
    total = 0.0
    for layer, output, gradient in zip((network[0], network[3], network[7]), outputs, grads, strict=True):
        for channel in range(output.shape[1]):
            by_row = [float((output[n, channel] * gradient[n, channel]).sum().detach()) for n in range(len(rows))]
            total += sum(value**2 for value in by_row) / len(by_row) / 2 * layer.weight[channel].numel()
    assert measure(network, rows, ["fisher"])["fisher"] == pytest.approx(total)


def test_grasp_is_the_explicit_hessian_times_the_gradient():
    network, rows = tiny(), batch()
    shapes = [w.shape for w in weights(network)]
    flat = torch.cat([w.detach().flatten() for w in weights(network)])

    def loss(values):
        parts = values.split([math.prod(shape) for shape in shapes])
        named = {
            f"{place}.weight": part.view(shape) for place, part, shape in zip((0, 3, 7), parts, shapes, strict=True)
        }
        return functional.cross_entropy(torch.func.functional_call(network, named, (rows.inputs,)), rows.targets)

    gradient = torch.autograd.functional.jacobian(loss, flat)
    hessian = torch.autograd.functional.hessian(loss, flat)
    assert measure(network, rows, ["grasp"])["grasp"] == pytest.approx(float(-flat @ hessian @ gradient), rel=1e-6)


def test_grasp_is_the_same_beside_other_proxies_as_alone():
    network, rows = tiny(), batch(second=batch(seed=1))
    together = measure(network, rows)
    for name in together:
        assert measure(network, rows, [name])[name] == pytest.approx(together[name], rel=1e-6), (name, together)


def test_zico_compares_the_gradients_of_two_batches():
    network, rows = tiny(), batch(second=batch(seed=1))
    total = 0.0
    for pair in zip(gradients(network, rows), gradients(network, rows.second), strict=True):
        both = torch.stack(pair)
        total += math.log(float((both.abs().mean(0) / both.std(0, correction=0)).sum()))
    assert measure(network, rows, ["zico"])["zico"] == pytest.approx(total)


def test_layers_behind_which_no_gradient_comes_back_count_nothing():
    class Dead(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            return self.used(x)

    torch.manual_seed(0)
    network, task = Dead(), Task("classification", Signal("vector", (4,)), 3, "accuracy")
    rows = Batch(torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1]), task)
    names = ["snip", "grad_norm", "plain", "fisher", "grasp", "synflow"]
    assert measure(network, rows, names) == pytest.approx(measure(network.used, rows, names))


def test_synflow_of_a_linear_chain_is_a_product_of_absolute_matrices():
    torch.manual_seed(0)
    sizes = [(4, 5), (5, 6), (6, 2)]
    network = nn.Sequential(*(nn.Linear(a, b, bias=False) for a, b in sizes))
    flow = torch.ones(4).double()
    for layer in network:
        flow = layer.weight.detach().double().abs() @ flow
    rows = Batch(
        torch.randn(3, 4), torch.tensor([0, 1, 1]), Task("classification", Signal("vector", (4,)), 2, "accuracy")
    )
    # Each layer's share of the flow is the whole flow: it is conserved.
    assert measure(network, rows, ["synflow"])["synflow"] == pytest.approx(3 * float(flow.sum()))


def test_synflow_leaves_normalisation_out_and_sees_no_data():
    bare = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    normal = nn.Sequential(bare[0], nn.BatchNorm2d(3), nn.GroupNorm(1, 3), bare[1], bare[2], bare[3])
    assert measure(normal, batch(), ["synflow"]) == measure(bare, batch(seed=9), ["synflow"])


def test_every_activation_of_the_blocks_has_second_derivatives():
    for kind, make in ACTIVATIONS.items():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(4, 6), make(), nn.Linear(6, 3))
        task = Task("classification", Signal("vector", (4,)), 3, "accuracy")
        rows = Batch(torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1]), task)
        assert math.isfinite(measure(network, rows, ["grasp"])["grasp"]), kind
