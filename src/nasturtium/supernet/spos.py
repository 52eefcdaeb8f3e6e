"""Single path one-shot search (SPOS).

Guo, Zhang, Mu, Heng, Liu, Wei and Sun, "Single Path One-Shot Neural Architecture Search with Uniform Sampling", ECCV
2020 (arXiv:1904.00420): uniform single paths train the weights (section 3.1), then evolution looks for the best path
(section 3.3, algorithm 1), every path recalibrated before it is scored.
"""

from dataclasses import dataclass, field
from pathlib import Path

from nasturtium.roles import Candidates, Derived, SearchBudget, TraceReport, Wanted
from nasturtium.space import Space
from nasturtium.supernet.course import Phase
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.inherited import HELD
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.path_search import Asked, Net, Session, Settings
from nasturtium.supernet.paths import Uniform
from nasturtium.training import Recipe


@dataclass(frozen=True)
class Spos:
    """One uniform path a step.

    recipe: of the shared weights; None is the task's default, with three times the passes (`path_search.EFFORT`);
    `original` has that of the paper, made for ImageNet. evolution: the paper's, 50 architectures in each of 20
    generations. held: share of the rows that score paths. constrained: draw only paths within the limits.
    """

    recipe: Recipe | None = None
    evolution: Evolution = field(default_factory=Evolution)
    held: float = HELD
    constrained: bool = False
    name: str = "spos"

    @classmethod
    def original(cls) -> "Spos":
        """The paper's section 4: SGD, rate 0.5, batch 1024, 120 passes (150,000 steps), momentum 0.9, weight decay
        4e-5, label smoothing 0.1. The rate falls along a cosine here, linearly there."""
        return cls(Recipe("sgd", 0.5, 4e-5, 0.9, "cosine", 0.0, 120, 1024, 0.1))

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
        session.train(self.phases(supernet.space, session.candidates))
        return session.derive(self.evolution)

    def phases(self, space: Space, candidates: Candidates | None = None) -> list[Phase]:
        """The whole course."""
        return [Phase("uniform paths", Uniform(space, candidates if self.constrained else None))]
