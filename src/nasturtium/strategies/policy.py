"""Policies: learned distributions over the architectures of a space, as immutable objects.

A policy samples rows of codes (`Architecture.codes`) and is updated by the rewards of samples; an update gives a new
policy and leaves the old one as it was. REINFORCE, the NASNet controller and the ENAS controller are strategies made
of one, and a one-shot trainer can be handed one: it needs nothing of a study.

    policy = Enas().policy(space, seed=0)
    samples = policy.sample(rng, 20)
    policy = policy.update(samples, [reward(space.from_codes(sample.codes)) for sample in samples])
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nasturtium.roles import Policy as Policy
from nasturtium.roles import Sample as Sample


@dataclass(frozen=True)
class Average:
    """An exponential moving average without the pull towards its start at 0: weighted sum over sum of weights."""

    momentum: float
    total: float = 0.0
    weight: float = 0.0

    def after(self, value: float) -> "Average":
        keep = self.momentum
        return Average(keep, keep * self.total + (1 - keep) * value, keep * self.weight + (1 - keep))

    def value(self, default: float) -> float:
        """default: the value of an average of nothing."""
        return self.total / self.weight if self.weight else default

    def advantages(self, rewards: Sequence[float], *, own: bool) -> tuple[Float[np.ndarray, " rewards"], "Average"]:
        """Each reward less the average up to it, and the average after all. own: does it count in its own baseline?"""
        average, found = self, list[float]()
        for reward in rewards:
            later = average.after(reward)
            found.append(reward - (later if own else average).value(reward))
            average = later
        return np.asarray(found, dtype=float), average


def importance(now: Float[np.ndarray, " n"], samples: Sequence[Sample]) -> Float[np.ndarray, " n"]:
    """Weights min(1, probability now / probability when drawn), 1 for a policy's own (Ionides 2008, "Truncated
    Importance Sampling", with the bound 1: no sample counts for more than one)."""
    pairs = zip(samples, now, strict=True)
    drawn = np.array([mine if sample.log_prob is None else sample.log_prob for sample, mine in pairs])
    return np.exp(np.minimum(now - drawn, 0.0))
