"""One step of the weights, and the gradient of the architecture, of first and of second order."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nasturtium.errors import RunError
from nasturtium.supernet.one_shot import Mix, Pair
from nasturtium.supernet.step import StepRunner
from nasturtium.training import Loss, is_out_of_memory, seeded

if TYPE_CHECKING:
    from nasturtium.supernet.bilevel import Settings
    from nasturtium.supernet.supernet import Supernet

T = TypeVar("T")
Gradients = list[Float[Tensor, " options"]]

MOST_PARTS = 64
"""Pieces of a batch at most, when memory runs out."""
REACH = 0.01
"""Length of the step of a finite difference in the weights: epsilon is this over the norm of the gradient (DARTS)."""


class Steps:
    """Everything that runs the supernet. parts: pieces of a batch that are run one after the other.

    When memory runs out the number of parts doubles; gradients add up to the whole batch's, except that batch norms see
    the piece alone. Gradients of mixtures come back in float64 on the CPU. Steps of the weights, and gradients of first
    order, are those of `StepRunner`, which captures them on a GPU.
    """

    def __init__(self, supernet: "Supernet", loss: Loss, settings: "Settings", bfloat16: bool, seed: int) -> None:
        self.supernet, self.loss, self.settings, self.seed = supernet, loss, settings, seed
        self.parts = 1
        self.weights = [parameter for parameter in supernet.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.SGD(
            self.weights,
            lr=settings.lr,
            momentum=settings.momentum,
            nesterov=settings.nesterov,
            weight_decay=settings.weight_decay,
        )
        self._device, self._dtype = self.weights[0].device, self.weights[0].dtype
        self._runner = StepRunner(supernet, loss, bfloat16=bfloat16)
        self._precise = StepRunner(supernet, loss) if bfloat16 else self._runner
        self._name = "step"

    def learn(self, batch: Pair, mix: Mix, lr: float, name: str) -> Tensor:
        """One step of the weights. name: of the step, for what is random inside the network. Returns the mean loss.

        Weights that the active options do not use have no gradient, and are neither moved nor decayed (in a captured
        step momentum and decay go on, see `StepRunner.weight_step`).
        """
        self._name = name
        total = self._whole(lambda: self._backward(batch, mix), batch)
        nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        return total

    def gradient(
        self, train: Pair, valid: Pair, mix: Mix, lr: float, name: str, order: Literal[1, 2, "exact"]
    ) -> tuple[Tensor, Gradients]:
        """Validation loss, and its gradient in the weights of the mixtures.

        order: 1 takes the weights as they are. 2 looks one step of them ahead (Liu et al. 2019, equations 7 and 8).
        "exact" does so with second derivatives instead of finite differences; raises `RunError` where a block has none.
        """
        self._name = name
        if order == 1:
            return self._whole(lambda: self._architecture(valid, mix, self._runner), valid)
        with _full_precision():
            return self._whole(lambda: self._ahead(train, valid, mix, lr, order == "exact"), valid)

    def _backward(self, batch: Pair, mix: Mix) -> Tensor:
        """The loss; its gradients are left at the weights."""
        placed = self._placed(mix.weights)
        if self.parts == 1:
            with seeded(self.seed, self._name):
                return self._runner.weight_step(*batch, placed, mix.active)
        total, sums = torch.zeros((), device=self._device), dict[int, Tensor]()
        for inputs, targets, share in self._pieces(batch):
            total += share * self._runner.weight_step(inputs, targets, placed, mix.active)
            for place, weight in enumerate(self.weights):
                if weight.grad is not None:
                    sums[place] = share * weight.grad + sums.get(place, 0.0)
        for place, weight in enumerate(self.weights):
            weight.grad = sums.get(place)
        return total

    def _architecture(self, batch: Pair, mix: Mix, runner: StepRunner) -> tuple[Tensor, Gradients]:
        """Loss, and its gradients in the mixtures, at the weights as they are."""
        placed = self._placed(mix.weights)
        total, sums = torch.zeros((), device=self._device), torch.zeros(())
        for inputs, targets, share in self._pieces(batch):
            loss, gradients = runner.architecture_step(inputs, targets, placed, mix.active)
            total, sums = total + share * loss, share * torch.cat(gradients) + sums
        return total, list(sums.double().cpu().split([len(part) for part in placed]))

    def precise_gradient(self, batch: Pair, mix: Mix) -> Gradients:
        """The gradient in the mixtures without rounding to bfloat16 or TF32: for differences of gradients."""
        self._name = "precise"
        with _full_precision():
            return self._whole(lambda: self._architecture(batch, mix, self._precise), batch)[1]

    def _ahead(self, train: Pair, valid: Pair, mix: Mix, lr: float, exact: bool) -> tuple[Tensor, Gradients]:
        kept = [weight.detach().clone() for weight in self.weights]
        try:
            self._move([-lr * move for move in self._moves(train, mix)])
            # Equation 7, first term, and the vector of the second one: gradients at w'.
            loss, gradients, ahead = self._gradients(valid, mix)
            self._restore(kept)
            second = self._mixed_derivative if exact else self._difference
            implicit = second(train, mix, ahead)
        finally:
            self._restore(kept)
        return loss, [first - lr * second for first, second in zip(gradients, implicit, strict=True)]

    def _moves(self, train: Pair, mix: Mix) -> list[Tensor]:
        """What SGD would take away, but for the rate; with momentum and decay, as in the authors' code."""
        _, _, gradients = self._gradients(train, mix)
        moves = []
        for weight, gradient in zip(self.weights, gradients, strict=True):
            move = gradient + self.settings.weight_decay * weight.detach()
            buffer = self.optimizer.state[weight].get("momentum_buffer")
            moves.append(move if buffer is None else move + self.settings.momentum * buffer)
        return moves

    def _difference(self, train: Pair, mix: Mix, ahead: list[Tensor]) -> Gradients:
        """Equation 8: the gradient in the architecture at w + epsilon v and w - epsilon v."""
        kept = [weight.detach().clone() for weight in self.weights]
        norm = torch.stack([vector.norm() for vector in ahead]).norm()
        epsilon = REACH / float(norm.clamp_min(1e-12))
        self._move([epsilon * vector for vector in ahead])
        _, above = self._architecture(train, mix, self._precise)
        self._restore(kept)
        self._move([-epsilon * vector for vector in ahead])
        _, below = self._architecture(train, mix, self._precise)
        return [(high - low) / (2 * epsilon) for high, low in zip(above, below, strict=True)]

    def _mixed_derivative(self, train: Pair, mix: Mix, ahead: list[Tensor]) -> Gradients:
        """The derivative in the mixtures of the training gradient along `ahead`, exactly."""
        leaves = self._placed(mix.weights, leaves=True)
        for inputs, targets, share in self._pieces(train):
            loss = share * self._loss(inputs, targets, leaves, mix)
            try:
                slopes = torch.autograd.grad(loss, self.weights, create_graph=True, allow_unused=True)
                known = [(slope, vector) for slope, vector in zip(slopes, ahead, strict=True) if slope is not None]
                # The whole graph, not `grad` in the leaves: that would leave out blocks that cannot be differentiated
                # twice without a word, instead of meeting their error.
                torch.stack([(slope * vector).sum() for slope, vector in known]).sum().backward()
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                raise RunError(
                    "The exact second-order gradient needs second derivatives, and a block of this space has none "
                    f"({str(error).splitlines()[0]}). Use the finite differences of the paper (order=2), or order=1."
                ) from error
        self.optimizer.zero_grad(set_to_none=True)
        return [(torch.zeros_like(leaf) if leaf.grad is None else leaf.grad).double().cpu() for leaf in leaves]

    def _gradients(self, batch: Pair, mix: Mix) -> tuple[Tensor, Gradients, list[Tensor]]:
        """Loss, and its gradients in the mixtures and in the weights."""
        leaves = self._placed(mix.weights, leaves=True)
        wanted: list[Tensor] = [*leaves, *self.weights]
        sums = [torch.zeros_like(tensor) for tensor in wanted]
        total = torch.zeros((), device=self._device)
        for inputs, targets, share in self._pieces(batch):
            loss = share * self._loss(inputs, targets, leaves, mix)
            for place, found in enumerate(torch.autograd.grad(loss, wanted, allow_unused=True)):
                if found is not None:
                    sums[place] += found
            total += loss.detach()
        mixtures = torch.cat(sums[: len(leaves)]).double().cpu().split([len(leaf) for leaf in leaves])
        return total, list(mixtures), sums[len(leaves) :]

    def _loss(self, inputs: Tensor, targets: Tensor, weights: Sequence[Tensor], mix: Mix) -> Tensor:
        return self.loss(self.supernet(inputs, weights, mix.active), targets)

    def _placed(self, weights: Sequence[Tensor], leaves: bool = False) -> list[Tensor]:
        """On the device, in one copy; detached from the architecture."""
        flat = torch.cat([part.detach() for part in weights]).to(self._device, self._dtype, non_blocking=True)
        return [part.clone().requires_grad_(leaves) for part in flat.split([len(part) for part in weights])]

    def _pieces(self, batch: Pair) -> Iterator[tuple[Tensor, Tensor, float]]:
        """Pieces of a batch and their shares of it.

        What is random in the network begins anew for each batch: gradients whose difference is taken must not differ
        by a dropout.
        """
        inputs, targets = batch
        with seeded(self.seed, self._name):
            for some, wanted in zip(inputs.chunk(self.parts), targets.chunk(self.parts), strict=True):
                yield some, wanted, len(some) / len(inputs)

    def _whole(self, work: Callable[[], T], batch: Pair) -> T:
        """Do the work, in more parts if memory runs out; a batch norm needs two rows in each."""
        while True:
            try:
                return work()
            except RuntimeError as error:
                if not is_out_of_memory(error) or 2 * self.parts > min(MOST_PARTS, len(batch[0]) // 2):
                    raise
            self.optimizer.zero_grad(set_to_none=True)
            self.parts *= 2

    @torch.no_grad()
    def _move(self, moves: Sequence[Tensor]) -> None:
        for weight, move in zip(self.weights, moves, strict=True):
            weight.add_(move)

    @torch.no_grad()
    def _restore(self, kept: Sequence[Tensor]) -> None:
        for weight, value in zip(self.weights, kept, strict=True):
            weight.copy_(value)


@contextmanager
def _full_precision() -> Iterator[None]:
    """Convolutions on a GPU without TF32, whose rounding is of the size of small differences."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def optimizer_tensors(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """The state of an optimiser as named tensors."""
    return {
        f"{prefix}.{place}.{key}": torch.as_tensor(value)
        for place, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
        if value is not None
    }


def load_optimizer(optimizer: torch.optim.Optimizer, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave."""
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix + "."):
            place, key = name[len(prefix) + 1 :].split(".", 1)
            state.setdefault(int(place), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
