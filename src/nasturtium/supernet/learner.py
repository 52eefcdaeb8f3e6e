"""The shared weights while they are trained: gradients of a step's paths are added up, then one update.

State beyond the weights (moments of the optimiser, averaged weights) is a flat mapping of tensors, so that a checkpoint
is one safetensors file. Randomness inside networks (dropout) is seeded by the step's number, so nothing of it is state.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from nasturtium.errors import RunError
from nasturtium.space import Architecture
from nasturtium.supernet.paths import Batch, Lesson, PathNet
from nasturtium.training import (
    Average,
    Loss,
    Recipe,
    build_optimizer,
    is_out_of_memory,
    seeded,
    set_rate,
    uses_bfloat16,
)

MOST_PARTS = 16
"""Parts of a batch at most, when memory runs out."""


class Diverged(RunError):
    """A loss or a gradient that is not a number."""


class Learner:
    """Trains the weights of one supernet, in place.

    module: the supernet as a module (it satisfies `PathNet` too). parts: pieces of a batch that are run one after the
    other, doubled when memory runs out; their gradients add up to the batch's (batch norms see the piece alone).
    """

    def __init__(self, supernet: PathNet, module: nn.Module, recipe: Recipe, loss: Loss, soft: Loss, seed: int) -> None:
        self.supernet, self.module, self.recipe, self.seed = supernet, module, recipe, seed
        self.parts = 1
        self._loss, self._soft = loss, soft
        self._parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.device = self._parameters[0].device
        self._bf16 = uses_bfloat16(recipe.precision, self.device)
        self.optimizer = build_optimizer(module, recipe, self.device)
        self.average = Average(module, recipe.ema)

    def step(
        self,
        name: str,
        paths: Sequence[Architecture],
        lesson: Lesson,
        inputs: Shaped[Tensor, "batch ..."],
        targets: Shaped[Tensor, "batch ..."],
        rate: float,
        teacher: nn.Module | None = None,
    ) -> float:
        """One update. name: of the step, for its seed and for messages. Returns the mean loss of the paths.

        Raises `Diverged` before the weights are touched if a loss or a gradient is not finite.
        """
        while True:
            try:
                total = self._accumulate(name, paths, lesson, inputs, targets, teacher)
                break
            except RuntimeError as error:
                if not is_out_of_memory(error) or 2 * self.parts > min(MOST_PARTS, len(inputs) // 2):
                    raise
                self.parts *= 2
        # Without a limit this measures the norm alone: one NaN in it would spoil all the weights.
        norm = nn.utils.clip_grad_norm_(self._parameters, self.recipe.clip or float("inf"))
        if not (isfinite(total) and isfinite(float(norm))):
            self.optimizer.zero_grad(set_to_none=True)
            raise Diverged(
                f"The shared weights diverged at {name} with seed {self.seed}: the loss is {total:g}, the norm of its "
                f"gradient {float(norm):g}. Lower the learning rate ({rate:g} there), or set the recipe's clip."
            )
        set_rate(self.optimizer, rate)
        self.optimizer.step()
        self.average.update()
        return total / len(paths)

    def _accumulate(
        self,
        name: str,
        paths: Sequence[Architecture],
        lesson: Lesson,
        inputs: Tensor,
        targets: Tensor,
        teacher: nn.Module | None,
    ) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        if not self.module.training:
            self.module.train()  # a walk over all modules: not at every step
        total = torch.zeros((), device=self.device)
        with seeded(self.seed, name):
            for some, wanted in zip(inputs.chunk(self.parts), targets.chunk(self.parts), strict=True):
                share = len(some) / len(inputs)
                for loss in self._losses(paths, lesson, some, wanted, teacher):
                    (share * loss).backward()
                    total += share * loss.detach()
        return float(total)

    def _losses(
        self, paths: Sequence[Architecture], lesson: Lesson, inputs: Tensor, targets: Tensor, teacher: nn.Module | None
    ) -> Iterator[Tensor]:
        def forward(architecture: Architecture) -> Tensor:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
                outputs = self.supernet.path(inputs, architecture)
            return outputs.float()

        return lesson(paths, Batch(inputs, targets, forward, self._loss, self._soft, teacher))

    def tensors(self) -> dict[str, Tensor]:
        """Moments and averaged weights, by name."""
        found = {f"average.{place}": tensor for place, tensor in enumerate(self.average.means)}
        for place, moments in self.optimizer.state_dict()["state"].items():
            found |= {f"optimizer.{place}.{key}": torch.as_tensor(value) for key, value in moments.items()}
        return found

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """What `tensors` gave after so many updates."""
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "average":
                self.average.means[int(rest)].copy_(tensor)
            elif kind == "optimizer":
                place, key = rest.split(".", 1)
                state.setdefault(int(place), {})[key] = tensor
        self.average.updates = updates
        if not state:
            return  # torch would import its compiler, seconds of a short budget, to load nothing
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
