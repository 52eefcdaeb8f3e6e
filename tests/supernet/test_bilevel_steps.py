"""Steps and gradients of the bilevel loop against closed forms and autograd, on a network of a few numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from nasturtium.errors import RunError
from nasturtium.supernet._bilevel_steps import Steps, load_optimizer, optimizer_tensors
from nasturtium.supernet.bilevel import Settings
from nasturtium.supernet.one_shot import Mix
from nasturtium.training import Recipe, build_loss

LR = 0.05


class TwoMixtures(nn.Module):
    """Two weighted sums of three layers each, smooth, in float64."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.ModuleList([nn.Linear(4, 5) for _ in range(3)])
        self.second = nn.ModuleList([nn.Linear(5, 3) for _ in range(3)])
        self.double()

    def forward(self, x: Tensor, weights: Sequence[Tensor], active: Any = None) -> Tensor:
        options = active or [range(3), range(3)]
        hidden = sum(weights[0][k] * self.first[k](x) for k in options[0])
        return sum(weights[1][k] * self.second[k](torch.tanh(hidden)) for k in options[1])  # type: ignore[return-value]


@dataclass
class Case:
    net: TwoMixtures
    steps: Steps
    train: tuple[Tensor, Tensor]
    valid: tuple[Tensor, Tensor]
    alphas: list[Tensor]

    def mix(self) -> Mix:
        return Mix(tuple(alpha.softmax(-1) for alpha in self.alphas))

    def in_alphas(self, order: Any) -> list[Tensor]:
        """The gradient of the architecture parameters, as the loop takes it."""
        mix = self.mix()
        _, gradients = self.steps.gradient(self.train, self.valid, mix, LR, "test", order)
        return list(torch.autograd.grad(mix.weights, self.alphas, gradients))


def _case(**settings: Any) -> Case:
    net = TwoMixtures()
    draws = torch.Generator().manual_seed(1)

    def batch() -> tuple[Tensor, Tensor]:
        x = torch.randn(12, 4, generator=draws, dtype=torch.float64)
        return x, torch.randint(3, (12,), generator=draws)

    alphas = [torch.randn(3, generator=draws, dtype=torch.float64).requires_grad_() for _ in range(2)]
    steps = Steps(net, build_loss("classification", Recipe()), replace(Settings(), **settings), False, 0)  # type: ignore[arg-type]
    return Case(net, steps, batch(), batch(), alphas)


def _unrolled(case: Case) -> list[Tensor]:
    """Autograd through one step of SGD (Liu et al. 2019, equations 5 and 6), momentum and decay included."""
    loss = nn.functional.cross_entropy
    names = [name for name, _ in case.net.named_parameters()]
    weights = list(case.net.parameters())
    mix = case.mix().weights
    slopes = torch.autograd.grad(loss(case.net(case.train[0], mix), case.train[1]), weights, create_graph=True)
    moved = {}
    for name, weight, slope in zip(names, weights, slopes, strict=True):
        buffer = case.steps.optimizer.state[weight].get("momentum_buffer")
        step = slope + case.steps.settings.weight_decay * weight
        moved[name] = weight - LR * (step if buffer is None else step + case.steps.settings.momentum * buffer)
    ahead = functional_call(case.net, moved, (case.valid[0], mix))
    return list(torch.autograd.grad(loss(ahead, case.valid[1]), case.alphas))


@pytest.mark.parametrize(("order", "tolerance"), [(2, 1e-4), ("exact", 1e-12)])
def test_the_second_order_gradient_is_that_of_autograd_through_the_unrolled_step(order: Any, tolerance: float) -> None:
    case = _case()
    for _ in range(2):  # so that there is momentum
        case.steps.learn(case.train, case.mix(), LR, "before")
    wanted, plain = _unrolled(case), case.in_alphas(1)
    for found, oracle, first in zip(case.in_alphas(order), wanted, plain, strict=True):
        assert torch.allclose(found, oracle, rtol=0, atol=tolerance * float(oracle.norm()))
        assert not torch.allclose(first, oracle, rtol=0, atol=10 * tolerance * float(oracle.norm()))


@pytest.mark.parametrize("order", [1, 2, "exact"])
def test_looking_ahead_leaves_the_weights_bit_for_bit_as_they_were(order: Any) -> None:
    case = _case()
    before = [weight.detach().clone() for weight in case.net.parameters()]
    case.in_alphas(order)
    assert all(torch.equal(a, b) for a, b in zip(before, case.net.parameters(), strict=True))


def test_a_dropout_does_not_spoil_the_difference_of_gradients() -> None:
    """With it, the second-order gradient by differences is still the exact one of the same masks."""
    case = _case()
    whole, drop = case.net.forward, nn.Dropout(0.5)
    case.net.forward = lambda x, weights, active=None: whole(drop(x), weights, active)  # type: ignore[method-assign]
    for found, oracle in zip(case.in_alphas(2), case.in_alphas("exact"), strict=True):
        assert torch.allclose(found, oracle, rtol=0, atol=1e-4 * float(oracle.norm()))


def test_the_first_order_gradient_is_that_of_the_validation_loss() -> None:
    case = _case()
    loss = nn.functional.cross_entropy(case.net(case.valid[0], case.mix().weights), case.valid[1])
    for found, oracle in zip(case.in_alphas(1), torch.autograd.grad(loss, case.alphas), strict=True):
        assert torch.allclose(found, oracle, atol=1e-14)


def test_a_step_of_the_weights_is_sgd_with_decay_on_everything_and_a_clipped_gradient() -> None:
    case = _case(clip=0.01, weight_decay=0.1)
    loss = nn.functional.cross_entropy(case.net(case.train[0], case.mix().weights), case.train[1])
    weights = list(case.net.parameters())
    slopes = torch.autograd.grad(loss, weights)
    norm = torch.stack([slope.norm() for slope in slopes]).norm()
    wanted = [w - LR * (0.01 * g / norm + 0.1 * w) for w, g in zip(weights, slopes, strict=True)]
    case.steps.learn(case.train, case.mix(), LR, "step")
    for found, oracle in zip(case.net.parameters(), wanted, strict=True):
        assert torch.allclose(found, oracle, atol=1e-6)


def test_weights_of_options_that_are_not_drawn_are_neither_moved_nor_decayed() -> None:
    case = _case()
    before = case.net.first[0].weight.detach().clone()
    case.steps.learn(case.train, Mix(case.mix().weights, ((1,), (2,))), LR, "step")
    assert torch.equal(before, case.net.first[0].weight)
    assert not torch.equal(before, case.net.first[1].weight)


@pytest.mark.parametrize("order", [1, 2])
def test_a_batch_that_does_not_fit_is_halved_until_it_does_with_the_same_gradient(order: Any) -> None:
    case, plain = _case(), _case()
    whole = case.net.forward

    def small(x: Tensor, weights: Sequence[Tensor], active: Any = None) -> Tensor:
        if len(x) > 3:
            raise torch.OutOfMemoryError("too large")
        return whole(x, weights, active)

    case.net.forward = small  # type: ignore[method-assign]
    for found, oracle in zip(case.in_alphas(order), plain.in_alphas(order), strict=True):
        assert torch.allclose(found, oracle, rtol=1e-9)
    assert case.steps.parts == 4
    case.steps.learn(case.train, case.mix(), LR, "step")
    plain.steps.learn(plain.train, plain.mix(), LR, "step")
    for a, b in zip(case.net.parameters(), plain.net.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-12)


def test_memory_that_is_never_enough_is_an_error() -> None:
    case = _case()

    def never(x: Tensor, weights: Sequence[Tensor], active: Any = None) -> Tensor:
        raise torch.OutOfMemoryError("too large")

    case.net.forward = never  # type: ignore[method-assign]
    with pytest.raises(torch.OutOfMemoryError):
        case.in_alphas(1)


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * gradient


def test_a_block_without_second_derivatives_is_named_and_works_by_finite_differences() -> None:
    case = _case()
    whole = case.net.forward
    case.net.forward = lambda x, weights, active=None: _Once.apply(whole(x, weights, active))  # type: ignore[method-assign]
    with pytest.raises(RunError, match=r"needs second derivatives, and a block .* has none .*order=2\), or order=1"):
        case.in_alphas("exact")
    assert all(gradient.isfinite().all() for gradient in case.in_alphas(2))


def test_the_state_of_an_optimiser_comes_back_from_its_tensors() -> None:
    case, other = _case(), _case()
    case.steps.learn(case.train, Mix(case.mix().weights, ((1,), (2,))), LR, "step")
    tensors = {name: tensor.clone() for name, tensor in optimizer_tensors(case.steps.optimizer, "sgd").items()}
    load_optimizer(other.steps.optimizer, "sgd", tensors)
    other.net.load_state_dict(case.net.state_dict())
    for one in (case, other):
        one.steps.learn(one.train, one.mix(), LR, "next")
    assert all(torch.equal(a, b) for a, b in zip(case.net.parameters(), other.net.parameters(), strict=True))
