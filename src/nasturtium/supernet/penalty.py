"""Limits as a differentiable penalty whose weight adapts itself.

Each limited cost adds `multiplier * log(expected / limit)` to the loss of the architecture. The multipliers are those
of a Lagrangian and follow its dual by gradient ascent: they grow while the architecture that would be derived breaks
its limit, and shrink, down to 0, while it meets it (the method of multipliers: Bertsekas, "Constrained Optimization and
Lagrange Multiplier Methods", 1982). The logarithm makes costs of any unit alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nasturtium.roles import Wanted
from nasturtium.space import Architecture
from nasturtium.training import derive_seed

if TYPE_CHECKING:
    from nasturtium.supernet.supernet import Supernet

Expected = Callable[[Sequence[Tensor]], Tensor]
"""Weights of the mixtures, float64 on the CPU, to the expected cost, a scalar."""

ASCENT = 20.0
"""What a multiplier gains over a whole search in which the cost is e times its limit all the while."""
RESPONSE = 1.0
"""What is added to a multiplier at once for a cost that is e times its limit: without it, the multiplier would go on
growing while the architecture is on its way, and overshoot (the quadratic term of the method of multipliers)."""
SAMPLES = 400
"""Architectures at most from which an additive model of a cost is fitted."""


@dataclass(frozen=True)
class Additive:
    """A cost as a constant plus a share of every option. error: root mean square, relative to the mean cost."""

    constant: float
    shares: tuple[Float[Tensor, " options"], ...]
    error: float

    def __call__(self, weights: Sequence[Tensor]) -> Tensor:
        return self.constant + sum(
            (share @ weight for share, weight in zip(self.shares, weights, strict=True)), start=torch.zeros(())
        )


def additive(supernet: "Supernet", cost: Callable[[Architecture], float], seed: int) -> Additive:
    """Least squares over sampled architectures: the way to a gradient for any cost, measured or predicted latency too.

    Options share what they have in common with the constant (the solution of least norm), so that a share may be
    negative; sums are what counts.
    """
    counts = [len(mixture.options) for mixture in supernet.mixtures]
    rng = np.random.default_rng(derive_seed(seed, "additive cost"))
    drawn = [supernet.space.sample(rng) for _ in range(min(SAMPLES, 3 * sum(counts) + 20))]
    active = np.stack([np.concatenate(indicators(supernet, architecture)) for architecture in drawn])
    costs = np.array([cost(architecture) for architecture in drawn])
    solution, *_ = np.linalg.lstsq(active - active.mean(0), costs - costs.mean(), rcond=1e-8)
    error = float(np.sqrt(np.mean((costs - costs.mean() - (active - active.mean(0)) @ solution) ** 2)) / costs.mean())
    shares = tuple(torch.from_numpy(part) for part in np.split(solution, np.cumsum(counts)[:-1]))
    return Additive(float(costs.mean() - active.mean(0) @ solution), shares, error)


def indicators(supernet: "Supernet", architecture: Architecture) -> list[Float[np.ndarray, " options"]]:
    """Weights that are 1 for the active options of an architecture and 0 for all others."""
    found = [np.zeros(len(mixture.options)) for mixture in supernet.mixtures]
    for weights, active in zip(found, supernet.chosen(architecture), strict=True):
        weights[list(active)] = 1.0
    return found


class Lagrangian:
    """The penalty of one search, and its multipliers.

    wanted: limits, and how costs that the supernet does not count are worked out. steps: of the search, which sets the
    pace of the ascent. now: the multipliers with the response to the last review.
    """

    def __init__(self, supernet: "Supernet", wanted: Wanted, steps: int, seed: int) -> None:
        self.limits = dict(wanted.limits)
        self.multipliers = dict.fromkeys(self.limits, 0.0)
        self.now = dict.fromkeys(self.limits, 0.0)
        self.remarks: list[str] = []
        self._supernet, self._rate = supernet, ASCENT / steps
        self._expected: dict[str, Expected] = {name: partial(supernet.expected, name) for name in self.limits}
        for name in self.limits.keys() & wanted.costs.keys():
            model = additive(supernet, wanted.costs[name], seed)
            self._expected[name] = model
            if model.error > 0.1:
                self.remarks.append(
                    f"Costs: a sum over options explains {name} to {model.error:.0%} only, so the search is led to its "
                    "limit roughly; what is derived is checked exactly."
                )

    def expected(self, weights: Sequence[Tensor]) -> dict[str, Tensor]:
        """Of each limited cost, in its unit."""
        return {name: expected(weights) for name, expected in self._expected.items()}

    def penalty(self, weights: Sequence[Tensor]) -> Tensor:
        """What is added to the loss; 0 while no limit has been broken."""
        total = torch.zeros((), dtype=torch.float64)
        for name, multiplier in self.now.items():
            if multiplier > 0:
                total = total + multiplier * (self._expected[name](weights).double() / self.limits[name]).log()
        return total

    def ascend(self, derived: Mapping[str, float], steps: int) -> None:
        """Move the multipliers after so many steps. derived: costs of the architecture that would be derived."""
        for name, limit in self.limits.items():
            gradient = log(max(derived[name], 1e-9 * limit) / limit)
            self.multipliers[name] = max(0.0, self.multipliers[name] + self._rate * steps * gradient)
            self.now[name] = max(0.0, self.multipliers[name] + RESPONSE * gradient)

    def costs(self, architecture: Architecture) -> dict[str, float]:
        """Of one architecture, by the models that the penalty uses."""
        weights = [torch.from_numpy(part) for part in indicators(self._supernet, architecture)]
        return {name: float(cost) for name, cost in self.expected(weights).items()}

    def excess(self, weights: Sequence[Float[np.ndarray, " options"]]) -> list[Float[np.ndarray, " options"]]:
        """What one more unit of each option's weight costs, summed over the limits, in units of the limits."""
        leaves = [torch.tensor(part, dtype=torch.float64, requires_grad=True) for part in weights]
        total = sum(cost.double() / self.limits[name] for name, cost in self.expected(leaves).items())
        if not isinstance(total, Tensor) or not total.requires_grad:
            return [np.zeros(len(part)) for part in weights]
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
        return [
            np.zeros(len(part)) if found is None else found.numpy()
            for part, found in zip(weights, gradients, strict=True)
        ]
