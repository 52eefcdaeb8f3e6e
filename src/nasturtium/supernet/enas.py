"""ENAS: weights and a controller that learn in turn.

Pham, Guan, Zoph, Le and Dean, "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018
(arXiv:1802.03268), section 2.2: paths drawn from the policy train the shared weights; then the policy is improved by
the rewards of its samples on mini-batches of rows that do not train the weights. Section 2.3: several architectures are
drawn from the trained policy, and the best is derived.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nasturtium.roles import Derived, Policy, Sample, SearchBudget, TraceReport, Wanted
from nasturtium.space import Architecture, Space
from nasturtium.supernet.course import Phase
from nasturtium.supernet.inherited import HELD
from nasturtium.supernet.learner import Diverged
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.path_search import Asked, Net, Session, Settings, Weights, frequencies
from nasturtium.training import Recipe, find_metric

TRIES = 50
"""Draws of the policy for one that is within the limits."""
UPDATES, OF_STEPS = 50, 195
"""Of the policy after each pass of so many steps of the weights: 25,000 rows, batches of 128 (AutoDL-Projects)."""


MakePolicy = Callable[[Space, int], Policy]
"""(space, seed) -> an untrained policy, such as `EnasController().policy`."""


@dataclass(frozen=True)
class Enas:
    """A pass over the training rows for the weights, then `steps` updates of the policy by `samples` rewards each.

    The defaults are those of NAS-Bench-201 (AutoDL-Projects): 50 updates of 20, 100 architectures at the end.
    `original_micro` has the authors' own. steps: None is 50 for every 195 steps of the weights, at least 1: where rows
    are few, passes are short, and the policy is updated as often for each step as published. policy: such as
    `EnasController().policy`; draws beyond the limits are drawn anew. batch: rows of a reward, which is the task's
    metric (negated where less is better) with the normalisation statistics of those rows; None is the recipe's batch.
    final: architectures drawn at the end; they are ranked by inherited scores on all rows that score,
    recalibrated (the paper: by one mini-batch). recipe: of the shared weights; None is the task's default, with three
    times the passes; its rate falls once, where the paper restarts it. held: share of the rows that reward and score.
    """

    policy: MakePolicy
    steps: int | None = None
    samples: int = 20
    final: int = 100
    batch: int | None = None
    recipe: Recipe | None = None
    held: float = HELD
    name: str = "enas"

    @classmethod
    def original_micro(cls, policy: MakePolicy) -> "Enas":
        """CIFAR-10, micro space (melodyguan/enas): batch 160, 150 passes, SGD 0.05 with Nesterov momentum, weight decay
        1e-4, gradients clipped at 5; 30 updates of 10 samples after each pass; a tenth of the rows is held. Not part
        of it: dropout of paths and of outputs, auxiliary heads, and a rate that ends at 5e-4, not at 0."""
        recipe = Recipe("sgd", 0.05, 1e-4, 0.9, "cosine", 0.0, 150, 160, clip=5.0)
        return cls(policy, 30, 10, 10, None, recipe, 0.1)

    def train(
        self,
        supernet: Net,
        rows: SearchRows,
        budget: SearchBudget,
        *,
        seed: int = 0,
        wanted: Wanted | None = None,
        report: TraceReport | None = None,
        checkpoint: Path | None = None,
    ) -> Derived:
        """See `roles.OneShot`."""
        settings = Settings(self.name, self.recipe, self.held)
        session = Session(settings, supernet, rows, budget, Asked(seed, wanted, report, checkpoint))
        learning = _Learning(self, session, self.policy(supernet.space, seed))
        session.train([Phase("policy paths", learning.path)], learning, learning.weights)
        if (updates := learning.updates) < UPDATES:
            session.remark(
                f"Untrained: the controller was updated {updates} times (published: at least {UPDATES} after each "
                "epoch), so that what is derived is hardly better founded than a random draw. Give a longer budget."
            )
        rng = np.random.default_rng([seed, 4])
        drawn = {sample.codes: sample for sample in (learning.draw(rng) for _ in range(self.final))}
        ranked = session.ranked([supernet.space.from_codes(codes) for codes in drawn])
        return session.derived(ranked, 10)


class _Learning:
    """A policy between passes. What it was taught is kept, so that a checkpoint brings it back by teaching it again."""

    def __init__(self, settings: Enas, session: Session, policy: Policy) -> None:
        self.settings, self.session, self.policy = settings, session, policy
        per_pass = len(session.data.inputs) / session.recipe.batch_size
        self._steps = settings.steps or max(1, round(UPDATES * per_pass / OF_STEPS))
        self._taught: list[tuple[Sequence[tuple[int, ...]], Sequence[float]]] = []
        self._shown: Weights | None = None

    @property
    def updates(self) -> int:
        """Of the policy."""
        return len(self._taught)

    def path(self, rng: np.random.Generator) -> list[Architecture]:
        """One path for the shared weights."""
        return [self._space.from_codes(self.draw(rng).codes)]

    def draw(self, rng: np.random.Generator) -> Sample:
        """A sample within the limits; where the policy knows none, a random one that counts as its own."""
        for _ in range(TRIES):
            sample = self.policy.sample(rng, 1)[0]
            if self.session.candidates.feasible(self._space.from_codes(sample.codes)):
                return sample
        return Sample(self._space.codes(self.session.candidates.sample(rng)))

    def after_pass(self, number: int, enough: Callable[[], bool]) -> None:
        """The updates of the policy (section 2.2, "training the controller parameters"); one at least."""
        drawn: list[tuple[int, ...]] = []
        self.session.module.eval()  # here, not for each reward: it is a walk over all modules that were ever needed
        for step in range(self._steps):
            if step and enough():
                break
            rng = np.random.default_rng([self.session.seed, 2, number, step])
            samples = [Sample(self.draw(rng).codes) for _ in range(self.settings.samples)]
            rewards = [self._reward(sample, rng) for sample in samples]
            self._teach([sample.codes for sample in samples], rewards)
            drawn += [sample.codes for sample in samples]
        self._shown = frequencies(self.session.net, [self._space.from_codes(codes) for codes in drawn])

    def weights(self) -> Weights:
        """How often the policy took each option in the last pass."""
        assert self._shown is not None
        return self._shown

    def _teach(self, codes: Sequence[tuple[int, ...]], rewards: Sequence[float]) -> None:
        self.policy = self.policy.update([Sample(one) for one in codes], rewards)
        self._taught.append((codes, rewards))

    @torch.no_grad()
    def _reward(self, sample: Sample, rng: np.random.Generator) -> float:
        """Of one mini-batch. Raises `Diverged` for outputs that are no numbers."""
        session, task = self.session, self.session.task
        assert session.data.score_inputs is not None
        assert session.data.score_targets is not None
        count = len(session.data.score_inputs)
        rows = rng.choice(count, min(self.settings.batch or session.recipe.batch_size, count), replace=False)
        architecture = self._space.from_codes(sample.codes)
        inputs = session.data.score_inputs[torch.from_numpy(rows)]
        outputs = session.net.path(inputs, architecture).float().cpu().numpy()
        if session.data.scale is not None:
            outputs = session.data.scale.restore(outputs)
        if not np.isfinite(outputs).all():
            raise Diverged(
                f"With seed {session.seed} the path {architecture!r} gives outputs that are no numbers: the shared "
                "weights have diverged. Lower the learning rate, or set the recipe's clip."
            )
        metric = find_metric(task.metric, task.kind)
        value = metric.function(outputs, session.data.score_targets[rows])
        return value if metric.direction == "maximize" else -value

    def tensors(self) -> dict[str, Tensor]:
        if not self._taught:
            return {}
        codes = torch.tensor([codes for codes, _ in self._taught], dtype=torch.int64)
        return {"codes": codes, "rewards": torch.tensor([rewards for _, rewards in self._taught], dtype=torch.float64)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        if tensors:
            for codes, rewards in zip(tensors["codes"].tolist(), tensors["rewards"].tolist(), strict=True):
                self._teach([tuple(one) for one in codes], rewards)
            last = [tuple(one) for codes, _ in self._taught[-self._steps :] for one in codes]
            self._shown = frequencies(self.session.net, [self._space.from_codes(codes) for codes in last])

    @property
    def _space(self) -> Space:
        return self.session.net.space
