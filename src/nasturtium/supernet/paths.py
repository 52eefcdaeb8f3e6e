"""Paths and lessons: which architectures of a supernet a step trains, and on what.

A *draw* names the architectures of a step; a *lesson* gives their losses, one after the other, so that the graph of one
path is freed before the next is computed. The methods of this room differ in these two and share the rest (`course`):
SPOS draws one path uniformly, FairNAS covers every option once, ENAS draws from its policy, once-for-all and BigNAS
teach small networks by large ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional

from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.task import TaskKind
from nasturtium.training import Loss


class PathNet(Protocol):
    """What this room needs of a supernet in order to train paths (see `supernet.Supernet`)."""

    @property
    def space(self) -> Space: ...

    def path(self, x: Tensor, architecture: Architecture) -> Tensor:
        """Outputs of one architecture with the shared weights; batch norms use the statistics of the batch."""
        ...

    def extract(self, architecture: Architecture) -> nn.Module:
        """The architecture as a stand-alone network with copies of its weights."""
        ...


class Draw(Protocol):
    """The architectures of one step. All randomness comes from `rng`, which is made anew for each step."""

    def __call__(self, rng: np.random.Generator) -> Sequence[Architecture]: ...


@dataclass(frozen=True)
class Batch:
    """What a lesson is given. forward: outputs of a path for `inputs`. teacher: a fixed network, once there is one."""

    inputs: Shaped[Tensor, "batch ..."]
    targets: Shaped[Tensor, "batch ..."]
    forward: Callable[[Architecture], Float[Tensor, "batch outputs"]]
    loss: Loss
    soft: Loss
    teacher: nn.Module | None = None


class Lesson(Protocol):
    """The losses of the paths of a step; each is back-propagated before the next is asked for, and gradients add up."""

    def __call__(self, paths: Sequence[Architecture], batch: Batch) -> Iterator[Float[Tensor, ""]]: ...


def labels(paths: Sequence[Architecture], batch: Batch) -> Iterator[Float[Tensor, ""]]:
    """Every path learns the labels."""
    for path in paths:
        yield batch.loss(batch.forward(path), batch.targets)


@dataclass(frozen=True)
class Uniform:
    """One path, uniform over the live decisions; with `candidates`, uniform over those within the limits.

    Guo et al. 2020 (arXiv:1904.00420), section 3.1, equation 7; the constrained variant is that of their section 3.3.
    """

    space: Space
    candidates: Candidates | None = None
    count: int = 1

    def __call__(self, rng: np.random.Generator) -> list[Architecture]:
        draw = self.space.sample if self.candidates is None else self.candidates.sample
        return [draw(rng) for _ in range(self.count)]


def soft_loss(kind: TaskKind) -> Loss:
    """(outputs, a teacher's outputs) -> mean loss against what the teacher says, which carries no gradient.

    Cross entropy with the teacher's distribution (Hinton, Vinyals and Dean 2015, arXiv:1503.02531, at temperature 1),
    binary cross entropy per label, or MSE.
    """
    if kind == "classification":
        return lambda outputs, said: functional.cross_entropy(outputs, said.detach().softmax(1))
    if kind == "multi-label":
        return lambda outputs, said: functional.binary_cross_entropy_with_logits(outputs, said.detach().sigmoid())
    return lambda outputs, said: functional.mse_loss(outputs, said.detach())


def taught(teacher: nn.Module, inputs: Tensor) -> Float[Tensor, "batch outputs"]:
    """The teacher's outputs, in evaluation mode."""
    with torch.no_grad():
        out: Tensor = teacher.eval()(inputs)
    return out
