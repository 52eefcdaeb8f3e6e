"""Losses by kind of task, and one optimiser step."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasturtium.task import TaskKind
from nasturtium.training._recipe import Recipe

Loss = Callable[[Tensor, Tensor], Tensor]
"""(outputs [batch, outputs], targets [batch] or [batch, outputs]) -> mean loss."""


def build_loss(kind: TaskKind, recipe: Recipe) -> Loss:
    """Cross entropy, binary cross entropy per label, or MSE (or Huber's loss) on standardised targets."""
    smoothing, delta = recipe.label_smoothing, recipe.huber
    if kind == "classification":
        return lambda outputs, targets: functional.cross_entropy(outputs, targets, label_smoothing=smoothing)
    if kind == "multi-label":
        return lambda outputs, targets: functional.binary_cross_entropy_with_logits(
            outputs, targets * (1 - smoothing) + 0.5 * smoothing
        )
    if delta is not None:
        return lambda outputs, targets: functional.huber_loss(outputs, targets, delta=delta)
    return functional.mse_loss


def build_step(
    network: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss, recipe: Recipe, device: torch.device, bf16: bool
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """One optimiser step: (inputs, targets, share) -> loss, detached.

    share: weight of each row in mixup, a scalar tensor; its partner is its mirror image in the shuffled batch.
    """
    mixup = recipe.augment.mixup > 0
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]

    def step(inputs: Tensor, targets: Tensor, share: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        if mixup:
            inputs = inputs.lerp(inputs.flip(0), 1 - share)
        # A captured graph must not keep casts of weights from before the capture.
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16, cache_enabled=device.type != "cuda"):
            outputs = network(inputs)
        outputs = outputs.float()
        value = loss(outputs, targets)
        if mixup:
            value = share * value + (1 - share) * loss(outputs, targets.flip(0))
        value.backward()
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimizer.step()
        return value.detach()

    return step


def draw_share(alpha: float, generator: torch.Generator) -> float:
    """A draw of Beta(alpha, alpha), by two gamma draws; 1 (no mixing) if alpha is 0."""
    if alpha == 0:
        return 1.0
    gammas = torch._standard_gamma(torch.full((2,), alpha, dtype=torch.float64), generator=generator)
    return float(gammas[0] / gammas.sum().clamp_min(1e-300))
