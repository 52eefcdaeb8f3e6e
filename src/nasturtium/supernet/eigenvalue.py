"""Early stopping by the dominant eigenvalue of the Hessian of the validation loss in the architecture.

Zela, Elsken, Saikia, Marrakchi, Brox and Hutter, "Understanding and Robustifying Differentiable Architecture Search",
ICLR 2020 (arXiv:1909.09656), section 4: where the eigenvalue grows, the discretised architecture generalises badly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Vector = Float[Tensor, " parameters"]

PRODUCTS = 16
"""Products of the Hessian with a vector at most: the dominant eigenvalue converges first, to about 1 %."""
REACH = 1e-2
"""Length of the step of a finite difference, as in DARTS: rounding in float32 and curvature balance there."""


@dataclass(frozen=True)
class EarlyStop:
    """Defaults: those of the authors' code, with the eigenvalue measured after every epoch.

    Eigenvalues are averaged over `window` epochs; the search stops once an average is more than `ratio` times the one
    `lag` epochs before, and goes back to the architecture of that earlier epoch. start: number of the first epoch it
    may go back to. stop: False measures and remarks, but never stops.
    """

    window: int = 5
    lag: int = 4
    ratio: float = 1.3
    start: int = 10
    stop: bool = True

    def averages(self, eigenvalues: Sequence[float]) -> list[float]:
        """The average around each epoch that has half a window of epochs behind it; the first ones look less far back.

        Entry `i` belongs to epoch `i` (from 0); the last half window of epochs has no average yet.
        """
        half = self.window // 2
        ends = range(half + 1, len(eigenvalues) + 1)
        means = []
        for end in ends:
            seen = eigenvalues[max(0, end - self.window) : end]
            means.append(sum(seen) / len(seen))
        return means

    def grown(self, eigenvalues: Sequence[float]) -> float | None:
        """How many times the last average is the one `lag` epochs before; None if there is none to compare with."""
        means = self.averages(eigenvalues)
        if len(means) <= self.lag or means[-1 - self.lag] <= 0:
            return None
        return means[-1] / means[-1 - self.lag]

    def back_to(self, eigenvalues: Sequence[float]) -> int | None:
        """The epoch (from 0) whose architecture is kept, once the search should stop; None: go on."""
        grown, epoch = self.grown(eigenvalues), len(eigenvalues) - 1 - self.window // 2 - self.lag
        return epoch if grown is not None and grown > self.ratio and epoch >= self.start else None


def dominant_eigenvalue(
    gradient: Callable[[Vector], Vector], point: Vector, draws: torch.Generator, products: int = PRODUCTS
) -> float:
    """The greatest eigenvalue of the Hessian at `point`, by Lanczos' method with full reorthogonalisation.

    gradient: of the loss. Products with the Hessian are central differences of it, so no operation needs a second
    derivative, and memory is that of one training step. draws: for the first direction.
    """
    size = len(point)
    direction = torch.randn(size, generator=draws, dtype=point.dtype)
    basis: list[Vector] = [direction / direction.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(products, size)):
        image = _product(gradient, point, basis[-1])
        diagonal.append(float(image @ basis[-1]))
        spanned = torch.stack(basis)
        # Twice is enough: once leaves rounding errors of the size that make Lanczos find an eigenvalue again.
        for _ in range(2):
            image = image - spanned.T @ (spanned @ image)
        length = float(image.norm())
        if length < 1e-10 * max(1e-30, max(abs(value) for value in diagonal)):
            break
        beside.append(length)
        basis.append(image / length)
    small = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    for place, value in enumerate(beside[: len(diagonal) - 1]):
        small[place, place + 1] = small[place + 1, place] = value
    return float(torch.linalg.eigvalsh(small)[-1])


def _product(gradient: Callable[[Vector], Vector], point: Vector, direction: Vector) -> Vector:
    return (gradient(point + REACH * direction) - gradient(point - REACH * direction)) / (2 * REACH)
