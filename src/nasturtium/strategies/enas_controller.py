"""The ENAS controller: an LSTM trained by policy gradient.

Pham, Guan, Zoph, Le and Dean, "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018
(arXiv:1802.03268), section 2. The shared weights that gave the method its name are a matter of supernets; here the
controller learns from stand-alone scores, and its policy can be handed to a one-shot trainer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nasturtium.errors import RunError
from nasturtium.roles import Candidates
from nasturtium.space import Architecture, Space
from nasturtium.strategies._actions import actions
from nasturtium.strategies._adam import Adam, Moments
from nasturtium.strategies._learner import ask
from nasturtium.strategies._lstm import Flat, Lstm
from nasturtium.strategies.policy import Average, Policy, Sample, importance
from nasturtium.trial import History


@dataclass(frozen=True)
class EnasController:
    """Decides along the tree with an LSTM; every `batch` scored architectures, one step of REINFORCE improves it.

    The numbers of the defaults are those of NAS-Bench-201 (AutoDL-Projects): 2 layers of 32 units, logits divided by
    temperature 5 and squashed to 2.5 tanh, Adam with betas (0, 0.999) and epsilon 1e-3, gradient norm clipped at 5.
    `original` has those of the authors' code. units, layers, tanh, temperature, op_tanh_reduce: see `Lstm`. entropy:
    its weight in the reward, made for rewards between 0 and 1. momentum: of the baseline, an average over all samples
    so far that begins without a pull towards 0. The authors' begins at 0. That of AutoDL-Projects moves once a pass:
    each reward of a pass is compared with momentum * (the last baseline of the pass before) + (1 - momentum) * itself,
    and in the first pass with its own accuracy, so that only the entropy counts. batch: samples whose gradients are
    averaged.

    Each decision has a head and embeddings of its own (both codes share them between edges), and all parameters begin
    uniform within 0.1 (of AutoDL-Projects', not the biases and the second layer). Choosing earlier nodes by attention
    belongs to the papers' own spaces and is not part of it. A trial of another strategy counts with the weight
    min(1, p / u), p its probability now, u the uniform one; samples that were tried are drawn again, and what stands in
    for them counts as the policy's own. One objective only.
    """

    units: int = 32
    layers: int = 2
    tanh: float | None = 2.5
    temperature: float | None = 5.0
    rate: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.999)
    epsilon: float = 1e-3
    entropy: float = 1e-4
    momentum: float = 0.99
    batch: int = 20
    clip: float | None = 5.0
    op_tanh_reduce: float = 1.0
    name: str = "enas-controller"

    def __post_init__(self) -> None:
        if min(self.units, self.layers, self.batch) < 1:
            raise RunError(
                f"units is {self.units}, layers {self.layers} and batch {self.batch}: each must be at least 1."
            )
        if not self.op_tanh_reduce > 0:
            raise RunError(f"op_tanh_reduce is {self.op_tanh_reduce}: it divides tanh, so it must be above 0.")

    @classmethod
    def original(cls) -> "EnasController":
        """The micro search of the authors' code (melodyguan/enas): 64 units, rate 3.5e-3, 10 samples, no clipping; 1.10
        tanh where a decision chooses what a node reads, 1.10 / 2.5 = 0.44 tanh elsewhere.

        It is for cells: 0.44 keeps the options of a decision within a factor of 2.4 of each other, and where no inputs
        are chosen that holds for all decisions. What else the authors have is not here: their separable convolutions
        begin with a bias of 10, which 0.44 tanh saturates, and get 0.25 more in normal cells, other operations 0.25
        less; their LSTM has no biases and reads the same start before each node, which decides on its two inputs before
        its two operations; TensorFlow adds Adam's epsilon before the second moment is corrected.
        """
        return cls(64, 1, 1.10, None, 3.5e-3, (0.0, 0.999), 1e-3, 1e-4, 0.99, 10, None, 2.5)

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        return ask(self, history, count, seed, candidates)

    def policy(self, space: Space, seed: int) -> Policy:
        network = Lstm(actions(space), self.units, self.layers, self.tanh, self.temperature, self.op_tanh_reduce)
        flat = network.start(np.random.default_rng([seed, 0]))
        return EnasPolicy(self, network, flat, Moments.zero(flat), Average(self.momentum))


@dataclass(frozen=True, eq=False)
class EnasPolicy:
    """An LSTM's parameters between two updates."""

    settings: EnasController
    network: Lstm
    flat: Flat
    moments: Moments
    baseline: Average

    def sample(self, rng: np.random.Generator, count: int = 1) -> list[Sample]:
        return self.network.sample(self.flat, rng, count)

    def log_prob(self, codes: tuple[int, ...]) -> float:
        return float(self.network.forward(self.flat, [self.network.actions.walk(codes)]).log_prob[0])

    def update(self, samples: Sequence[Sample], rewards: Sequence[float]) -> "EnasPolicy":
        settings = self.settings
        made = self.network.forward(self.flat, [self.network.actions.walk(sample.codes) for sample in samples])
        # The entropy is part of the reward and not differentiated (`stop_gradient` in the authors' code).
        wholes = np.asarray(rewards, dtype=float) + settings.entropy * made.entropy
        advantages, baseline = self.baseline.advantages(wholes.tolist(), own=True)
        slope = importance(made.log_prob, samples) * advantages / len(samples)
        gradient = -self.network.gradient(self.flat, made, slope, np.zeros_like(slope))
        norm = float(np.linalg.norm(gradient))
        if settings.clip is not None and norm > settings.clip:
            gradient *= settings.clip / norm
        adam = Adam(settings.rate, settings.betas, settings.epsilon)
        flat, moments = adam.step(self.flat, gradient, self.moments)
        return replace(self, flat=flat, moments=moments, baseline=baseline)
