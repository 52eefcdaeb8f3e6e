"""FairNAS: every option of every choice is trained equally often in every step.

Chu, Zhang and Xu, "FairNAS: Rethinking Evaluation Fairness of Weight Sharing Neural Architecture Search", ICCV 2021
(arXiv:1907.01845), section 3.3 and algorithm 1 (strict fairness).
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nasturtium.roles import Derived, SearchBudget, TraceReport, Wanted
from nasturtium.space import Architecture, Choice, Space
from nasturtium.supernet.course import Phase
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.inherited import HELD
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.path_search import Asked, Net, Session, Settings
from nasturtium.training import Recipe

MOST = 16
"""Paths a step at most."""


@dataclass(frozen=True)
class Fair:
    """m single paths: each decision of m options takes every one of them exactly once, in random order.

    paths: m; None is the largest number of options of a choice, 16 at most. The paper's choices all have m options. A
    decision of fewer takes each of them floor(m / n) or ceil(m / n) times, which ones more being drawn; one of more
    takes m different ones: equal in expectation. So are decisions that are live in some of the paths only.
    """

    space: Space
    paths: int | None = None

    def __call__(self, rng: np.random.Generator) -> list[Architecture]:
        count = self.count
        columns = [_spread(size, count, rng) for size in self.space.program.sizes]
        rows = zip(*columns, strict=True) if columns else [()] * count
        return [self.space.from_codes(self.space.program.mask(row)) for row in rows]

    @property
    def count(self) -> int:
        if self.paths is not None:
            return self.paths
        sizes = [named.decision.size for named in self.space.decisions if isinstance(named.decision, Choice)]
        return min(MOST, max(sizes, default=1))


@dataclass(frozen=True)
class FairNas:
    """A step trains m single paths, one after the other, that cover all options; their gradients add up to one update.

    paths: m, see `Fair`. recipe: of the shared weights; None is the task's default, with three times the passes;
    `original` has that of the paper. evolution: over inherited scores; the paper's is NSGA-II with three objectives,
    where here the limits are hard and the score is the one objective. held: share of the rows that score paths.
    """

    paths: int | None = None
    recipe: Recipe | None = None
    evolution: Evolution = field(default_factory=Evolution)
    held: float = HELD
    name: str = "fairnas"

    @classmethod
    def original(cls) -> "FairNas":
        """The paper's section 4.1: SGD, rate 0.045, batch 256, 150 passes, momentum 0.9, weight decay 4e-5, gradients
        clipped at 5; the rate falls along a cosine."""
        return cls(recipe=Recipe("sgd", 0.045, 4e-5, 0.9, "cosine", 0.0, 150, 256, clip=5.0))

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
        draw = Fair(space, self.paths)
        return [Phase("fair paths", draw, effort=draw.count)]


def _spread(size: int, count: int, rng: np.random.Generator) -> list[int]:
    """`count` codes below `size`, as evenly as can be, in random order."""
    if size > count:
        # Of a number with a million values only `count` are drawn, without listing them all.
        return [int(code) for code in rng.choice(size, count, replace=False, shuffle=True)]
    whole, rest = divmod(count, size)
    codes = np.concatenate([np.tile(np.arange(size), whole), rng.choice(size, rest, replace=False)])
    return [int(code) for code in rng.permutation(codes)]
