"""Our batch normalisation against torch's, up to second derivatives."""

import pytest
import torch
from torch import nn

from nasturtium.proxies._norm import BatchNorm


@pytest.mark.parametrize(
    ("make", "shape"),
    [(nn.BatchNorm2d, (4, 3, 5, 6)), (nn.BatchNorm1d, (4, 3, 7)), (nn.BatchNorm1d, (9, 3))],
)
@pytest.mark.parametrize("affine", [True, False])
def test_it_agrees_with_torch_up_to_second_derivatives(make, shape, affine):
    torch.manual_seed(0)
    theirs = make(3, affine=affine).double()
    if affine:
        nn.init.normal_(theirs.weight)
        nn.init.normal_(theirs.bias)
    inputs = torch.randn(shape, dtype=torch.float64, requires_grad=True)

    def derivatives(norm):
        normal = norm(inputs)
        (first,) = torch.autograd.grad(normal.tanh().square().sum(), inputs, create_graph=True)
        return normal, first, torch.autograd.grad((first * inputs.detach().sin()).sum(), inputs)[0]

    for ours, expected in zip(derivatives(BatchNorm(theirs)), derivatives(theirs), strict=True):
        assert torch.allclose(ours, expected, rtol=1e-10, atol=1e-12)
