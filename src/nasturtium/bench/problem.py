"""A search problem whose answers stand in a table, and a benchmark made of such problems."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nasturtium.bench.metrics import Metric
from nasturtium.bench.published import Figure
from nasturtium.roles import Candidates, Outcome
from nasturtium.space import Architecture
from nasturtium.trial import Fidelity, Objective

Query = Callable[[Architecture, Fidelity, int], Outcome]
"""What training this architecture at this fidelity with this seed gave: measures, curve and seconds from scratch."""

Clock = Literal["queries", "seconds", "epochs"]


@dataclass(frozen=True)
class Problem:
    """One search: what may be proposed, what a proposal scores, for how long, and how the search is judged.

    key: tells the problems of one benchmark apart ("c10"); may be empty. candidates: for a seed. query: looks a score
    up. reported: what is told of the architecture with the best score so far, and never shown to a strategy. trials:
    most queries. seconds: most simulated seconds, None for unlimited. epochs: of a full training. curves: can shorter
    trainings be asked for? goal: the search ends when the first objective reaches it, because nothing is left to find.
    reference: for the hypervolume, with two objectives (see `hypervolume.py`). clock: what the anytime curves run over.
    """

    benchmark: str
    protocol: str
    key: str
    objectives: tuple[Objective, ...]
    candidates: Callable[[int], Candidates]
    query: Query
    metrics: tuple[Metric, ...]
    trials: int
    reported: Callable[[Architecture], Mapping[str, float]] = lambda architecture: {}
    seconds: float | None = None
    epochs: int = 1
    curves: bool = False
    goal: float | None = None
    reference: tuple[float, ...] | None = None
    clock: Clock = "queries"

    @property
    def name(self) -> str:
        return f"{self.benchmark}/{self.key}" if self.key else self.benchmark


@dataclass(frozen=True)
class Benchmark:
    """Problems that are reported together, one row of figures for each strategy.

    identities: by which an architecture may be "the same as before"; the first is the default, `own` of a strategy goes
    before it. problems: made for an identity. settings: published settings by strategy, for this protocol. figures:
    published results, shown in the same table. fingerprint: of the data. notes: what a reader has to know.
    """

    name: str
    protocol: str
    problems: Callable[[str], Sequence[Problem]]
    fingerprint: str
    identities: tuple[str, ...] = ("rows",)
    own: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()

    def identity(self, strategy: str, wanted: str | None) -> str:
        """By what a strategy's proposals are told apart. `wanted` counts where this benchmark has it."""
        return wanted if wanted in self.identities else self.own.get(strategy, self.identities[0])
