"""The sandwich rule with in-place distillation.

Yu, Jin, Liu, Bender, Kindermans, Tan, Huang, Song, Pang and Le, "BigNAS: Scaling Up Neural Architecture Search with Big
Single-Stage Models", ECCV 2020 (arXiv:2003.11142), section 3.1; the rule is that of Yu and Huang, "Universally
Slimmable Networks and Improved Training Techniques", ICCV 2019 (arXiv:1903.05134), algorithm 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from nasturtium.roles import Derived, SearchBudget, TraceReport, Wanted
from nasturtium.space import Architecture, Space
from nasturtium.supernet.course import Phase
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.inherited import HELD
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.path_search import Asked, Net, Session, Settings
from nasturtium.supernet.paths import Batch
from nasturtium.supernet.sizes import Extremes, extremes
from nasturtium.training import Recipe


@dataclass(frozen=True)
class Sandwich:
    """The largest network, the smallest, and `between` random ones (2 in both papers), in this order."""

    space: Space
    extremes: Extremes
    between: int = 2

    def __call__(self, rng: np.random.Generator) -> list[Architecture]:
        drawn = [self.space.sample(rng) for _ in range(self.between)]
        return [self.extremes.largest, self.extremes.smallest, *drawn]


def in_place(paths: Sequence[Architecture], batch: Batch) -> Iterator[Float[Tensor, ""]]:
    """The first path learns the labels; the others learn what it says in this very step, and no labels (equation 1)."""
    first, *others = paths
    said = batch.forward(first)
    yield batch.loss(said, batch.targets)
    said = said.detach()
    for path in others:
        yield batch.soft(batch.forward(path), said)


@dataclass(frozen=True)
class BigNas:
    """The sandwich in every step, then evolution on inherited scores.

    between: random paths in a step. recipe: of the shared weights; None is the task's default, with three times the
    passes. The paper's stabilising of deep networks (residual blocks that begin at zero, a rate that falls
    exponentially to a constant) and its regularisation of the largest network alone are not part of this, and it
    chooses by a grid of stage sizes, then local changes, where evolution chooses here. held: share of the rows that
    score paths.
    """

    between: int = 2
    recipe: Recipe | None = None
    evolution: Evolution = field(default_factory=Evolution)
    held: float = HELD
    name: str = "bignas"

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
        session.train(self.phases(supernet.space))
        return session.derive(self.evolution)

    def phases(self, space: Space) -> list[Phase]:
        """The whole course."""
        draw = Sandwich(space, extremes(space), self.between)
        return [Phase("sandwiches", draw, in_place, effort=2.0 + self.between)]
