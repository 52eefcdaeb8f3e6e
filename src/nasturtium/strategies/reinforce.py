"""REINFORCE on independent categorical decisions.

Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning", Machine Learning
8, 1992; as the baseline of Dong and Yang, "NAS-Bench-201", ICLR 2020 (arXiv:2001.00326), whose code
(AutoDL-Projects, exps/NATS-algos/reinforce.py) is followed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.strategies._actions import Actions, Walk, actions
from nasturtium.strategies._adam import Adam, Moments
from nasturtium.strategies._learner import ask
from nasturtium.strategies.policy import Average, Policy, Sample, importance
from nasturtium.trial import History


@dataclass(frozen=True)
class Reinforce:
    """One categorical distribution a decision; after each score, its logits move along the gradient.

    rate: Adam's. 0.01 is that of NATS-Bench; the script of NAS-Bench-201 has 0.5 (`nasbench201`). momentum: of the
    moving average that is the baseline. spread: standard deviation of the first logits.

    Numbers with many values are choices among intervals (`_actions.INTERVALS`). Only live decisions count in the
    log-probability. Unlike the published script, it never pays for an architecture twice: samples that were tried are
    drawn again. A trial of another strategy counts with the weight min(1, p / u): p its probability now, u the uniform
    one. One objective only.
    """

    rate: float = 0.01
    momentum: float = 0.9
    spread: float = 1e-3
    name: str = "reinforce"
    batch = 1

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise RunError(f"rate is {self.rate}: a learning rate must be above 0; 0.01 is the published one.")
        if not 0 <= self.momentum < 1:
            raise RunError(f"momentum is {self.momentum}: it must be at least 0 and below 1.")

    @classmethod
    def nasbench201(cls) -> "Reinforce":
        """The learning rate of the script behind the table of NAS-Bench-201, whose budgets are of about 100 trials."""
        return cls(rate=0.5)

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        return ask(self, history, count, seed, candidates)

    def policy(self, space: Space, seed: int) -> Policy:
        known = actions(space)
        logits = self.spread * np.random.default_rng([seed, 0]).standard_normal(known.total)
        return FactorisedPolicy(known, logits, Adam(self.rate), Moments.zero(logits), Average(self.momentum))


@dataclass(frozen=True, eq=False)
class FactorisedPolicy:
    """Independent categorical decisions. logits: of all actions of all decisions, one after the other."""

    actions: Actions
    logits: Float[np.ndarray, " actions"]
    adam: Adam
    moments: Moments
    baseline: Average

    def sample(self, rng: np.random.Generator, count: int = 1) -> list[Sample]:
        return [self._drawn(rng) for _ in range(count)]

    def log_prob(self, codes: tuple[int, ...]) -> float:
        return self._log_prob(self.actions.walk(codes))

    def update(self, samples: Sequence[Sample], rewards: Sequence[float]) -> "FactorisedPolicy":
        walks = [self.actions.walk(sample.codes) for sample in samples]
        # The baseline holds the sample's own reward already, so the very first one teaches nothing: as published.
        advantages, baseline = self.baseline.advantages(rewards, own=True)
        weights = importance(np.array([self._log_prob(walk) for walk in walks]), samples)
        pairs = zip(walks, weights * advantages, strict=True)
        gradient = -sum(scale * self.score(walk) for walk, scale in pairs) / len(walks)
        logits, moments = self.adam.step(self.logits, gradient, self.moments)
        return replace(self, logits=logits, moments=moments, baseline=baseline)

    def score(self, walk: Walk) -> Float[np.ndarray, " actions"]:
        """Gradient of the log-probability by the logits: one-hot less probabilities, 0 where dead."""
        slope = np.zeros_like(self.logits)
        for decision, action in walk:
            mine = self._slice(decision)
            slope[mine] = -np.exp(_log_softmax(self.logits[mine]))
            slope[mine.start + action] += 1.0
        return slope

    def _log_prob(self, walk: Walk) -> float:
        return float(sum(_log_softmax(self.logits[self._slice(decision)])[action] for decision, action in walk))

    def _drawn(self, rng: np.random.Generator) -> Sample:
        codes, total = [-1] * len(self.actions.counts), 0.0
        while (decision := self.actions.undecided(codes)) is not None:
            chances = _log_softmax(self.logits[self._slice(decision)])
            action = int(np.searchsorted(np.cumsum(np.exp(chances))[:-1], rng.random(), side="right"))
            codes[decision] = self.actions.code(decision, action, rng)
            total += float(chances[action])
        return Sample(tuple(codes), total)

    def _slice(self, decision: int) -> slice:
        first = self.actions.starts[decision]
        return slice(first, first + self.actions.counts[decision])


def _log_softmax(logits: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))
