"""A search problem whose answers stand in a table, and a benchmark made of such problems."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nasturtium.bench.metrics import Metric
from nasturtium.bench.published import Figure
from nasturtium.errors import RunError
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
    up. metrics: what a search is judged by. trials: most queries; expected: how many there will be, if fewer. reported:
    what is told of the architecture with the best score so far (and the search's seed), and never shown to a strategy.
    seconds: most simulated seconds, None for unlimited. epochs: of a full training. curves: can shorter trainings be
    asked for? goal: the search ends when the objective reaches it, because nothing is left to find. reference, whole:
    of the hypervolume, with two objectives: where it ends, and that of the whole table. clock: what the anytime curves
    run over.
    """

    benchmark: str
    protocol: str
    key: str
    objectives: tuple[Objective, ...]
    candidates: Callable[[int], Candidates]
    query: Query
    metrics: tuple[Metric, ...]
    trials: int
    expected: int | None = None
    reported: Callable[[Architecture, int], Mapping[str, float]] = lambda architecture, seed: {}
    seconds: float | None = None
    epochs: int = 1
    curves: bool = False
    goal: float | None = None
    reference: tuple[float, float] | None = None
    whole: float = 1.0
    clock: Clock = "queries"

    @property
    def name(self) -> str:
        return f"{self.benchmark}/{self.key}" if self.key else self.benchmark

    @property
    def queries(self) -> int:
        """Expected number of queries of a search."""
        return self.trials if self.expected is None else min(self.trials, self.expected)


def only(benchmark: str, protocol: str, wanted: str | None) -> None:
    """Raises `RunError` where another protocol is wanted than the one there is."""
    if wanted not in (None, protocol):
        raise RunError(f"{benchmark} has no protocol {wanted!r}. It has {protocol!r} alone; leave --protocol out.")


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
        """By what a strategy's proposals are told apart. wanted: one of `identities`; None takes the strategy's own."""
        return self.own.get(strategy, self.identities[0]) if wanted is None else wanted
