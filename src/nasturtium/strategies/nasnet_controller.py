"""The NASNet controller: an LSTM trained by proximal policy optimisation.

Zoph, Vasudevan, Shlens and Le, "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018
(arXiv:1707.07012), appendix A; Schulman, Wolski, Dhariwal, Radford and Klimov, "Proximal Policy Optimization
Algorithms", 2017 (arXiv:1707.06347), equation 7 and table 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.strategies._actions import actions
from nasturtium.strategies._adam import Adam, Moments
from nasturtium.strategies._learner import ask
from nasturtium.strategies._lstm import Flat, Lstm
from nasturtium.strategies.policy import Average, Policy, Sample
from nasturtium.trial import History


@dataclass(frozen=True)
class NasnetController:
    """Decides along the tree with an LSTM; every `batch` scored architectures, PPO improves it.

    units, rate, entropy, momentum, batch: those of NASNet (appendix A.2 and A.3), which trained 20,000 networks: with a
    hundred trials it has five updates and stays near random search; smaller batches help then. clip, epochs: of PPO,
    which NASNet does not give; those of Schulman et al. (table 3), an epoch being one step with the whole batch.

    The reward is compared with the moving average of those before it. Trials of other strategies take part with the
    uniform probability as that of the old policy, which is what PPO's ratio asks for; samples that were tried before
    are drawn again, and what stands in for them counts as the policy's own. One objective only.
    """

    units: int = 100
    rate: float = 3.5e-4
    entropy: float = 1e-5
    momentum: float = 0.95
    batch: int = 20
    clip: float = 0.2
    epochs: int = 10
    name: str = "nasnet"

    def __post_init__(self) -> None:
        if min(self.units, self.batch, self.epochs) < 1:
            raise RunError(
                f"units is {self.units}, batch {self.batch} and epochs {self.epochs}: each must be at least 1."
            )
        if not 0 < self.clip < 1:
            raise RunError(f"clip is {self.clip}: it must be between 0 and 1; Schulman et al. use 0.2.")

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        return ask(self, history, count, seed, candidates)

    def policy(self, space: Space, seed: int) -> Policy:
        network = Lstm(actions(space), self.units)
        flat = network.start(np.random.default_rng([seed, 0]))
        return PpoPolicy(self, network, flat, Moments.zero(flat), Average(self.momentum))


@dataclass(frozen=True, eq=False)
class PpoPolicy:
    """An LSTM's parameters between two updates."""

    settings: NasnetController
    network: Lstm
    flat: Flat
    moments: Moments
    baseline: Average

    def sample(self, rng: np.random.Generator, count: int = 1) -> list[Sample]:
        return self.network.sample(self.flat, rng, count)

    def log_prob(self, codes: tuple[int, ...]) -> float:
        return float(self.network.forward(self.flat, [self.network.actions.walk(codes)]).log_prob[0])

    def update(self, samples: Sequence[Sample], rewards: Sequence[float]) -> "PpoPolicy":
        walks = [self.network.actions.walk(sample.codes) for sample in samples]
        advantages, baseline = self.baseline.advantages(rewards, own=False)
        flat, moments, old = self.flat, self.moments, np.zeros(len(walks))
        for epoch in range(self.settings.epochs):
            made = self.network.forward(flat, walks)
            if epoch == 0:
                drawn = zip(samples, made.log_prob, strict=True)
                old = np.array([now if sample.log_prob is None else sample.log_prob for sample, now in drawn])
            slope = clipped_slope(np.exp(made.log_prob - old), advantages, self.settings.clip)
            bonus = np.full(len(walks), self.settings.entropy)
            gradient = self.network.gradient(flat, made, slope / len(walks), bonus / len(walks))
            flat, moments = Adam(self.settings.rate).step(flat, -gradient, moments)
        return replace(self, flat=flat, moments=moments, baseline=baseline)


def clipped_slope(
    ratio: Float[np.ndarray, " n"], advantage: Float[np.ndarray, " n"], clip: float
) -> Float[np.ndarray, " n"]:
    """Slope of min(r A, clip(r, 1 - clip, 1 + clip) A) by log r (equation 7): r A, or 0 where the clip is the less."""
    inside = np.where(advantage >= 0, ratio <= 1 + clip, ratio >= 1 - clip)
    return np.where(inside, ratio * advantage, 0.0)
