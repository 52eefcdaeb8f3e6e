"""Every abstract role on one page. Concrete parts live in their rooms and meet only in a study."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Float

from nasturtium.space import Architecture, Space
from nasturtium.trial import Fidelity, History


@dataclass(frozen=True)
class Job:
    """What a worker is asked to do: score one subject at one fidelity.

    subject: an `Architecture`, or another picklable thing that the evaluator knows (a baseline's spec).
    fold: which rows train and which score: "search", "resplit-K" (K = 0, 1 …) or "all" (trains on every development
        row, scores none).
    parent: checkpoint to continue from. rate: factor of the recipe's learning rate.
    checkpoint: where to leave the weights; None leaves none.
    deadline_s: seconds after which the training must end by itself, with what it has.
    """

    key: str
    subject: object
    fidelity: Fidelity
    seed: int
    fold: str = "search"
    parent: str | None = None
    rate: float = 1.0
    checkpoint: str | None = None
    deadline_s: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a job. measures: metrics and costs by name. stopped: ended early by the scheduler."""

    measures: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    seconds: float = 0.0
    checkpoint: str | None = None
    stopped: bool = False
    failure: str | None = None


Report = Callable[[tuple[float, ...]], bool]
"""Called after each epoch with the curve so far; True asks the training to stop."""


class OpenEvaluator(Protocol):
    """An evaluator with its data open, in one worker."""

    def __call__(self, job: Job, report: Report) -> Outcome:
        """Score the job. May raise: the executor turns what escapes into a failed outcome."""
        ...


@runtime_checkable
class Evaluator(Protocol):
    """A frozen, picklable spec. `open` is called once in each worker process."""

    def open(self) -> OpenEvaluator: ...


Features = Mapping[str, Float[np.ndarray, " features"]]
"""Features in groups, each of fixed length for a space; a group that a space has not is absent.

encoding: one-hot options and scaled numbers (`space.encode`). graph: counts and path lengths of the canonical graph.
costs: log(1 + cost) of params and MACs, then of others that are quickly counted. proxies: zero-cost scores, higher is
better, NaN where one is unknown; those that are known to rank best by themselves (nwot, synflow, jacov) first.
measured: the same, where each is measured when it is looked at, which costs time: look at few.
paths, wl: path encodings and Weisfeiler-Lehman counts of cells.
"""


class Candidates(Protocol):
    """What a strategy may know of architectures beyond the history; handed in by the wiring. Caches hold by it."""

    def __hash__(self) -> int: ...

    @property
    def space(self) -> Space: ...

    def feasible(self, architecture: Architecture) -> bool:
        """Does it meet every limit that can be checked before training?"""
        ...

    def sample(self, rng: np.random.Generator) -> Architecture:
        """A feasible architecture, uniform over the live decisions. Raises `LimitError` if none is found."""
        ...

    @property
    def listed(self) -> Sequence[Architecture] | None:
        """Every feasible architecture, one for each `arch_id`, where the space is small enough to list; else None."""
        ...

    def features(self, architecture: Architecture) -> Features:
        """What a predictor may see of an architecture before it is trained."""
        ...


class Strategy(Protocol):
    """Proposes architectures."""

    @property
    def name(self) -> str: ...

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> Sequence[Architecture]:
        """Up to `count` feasible architectures; fewer (or none) when the space has no new ones left.

        A pure function of its arguments: the same history and seed give the same answer, and results are read from the
        history, so a killed search resumes exactly. Caches are allowed if dropping one changes nothing.
        """
        ...


@dataclass(frozen=True)
class Fresh:
    """Start a new architecture at this fidelity."""

    fidelity: Fidelity


@dataclass(frozen=True)
class Continuation:
    """Train the architecture of trial `parent` on, up to this fidelity."""

    parent: int
    fidelity: Fidelity


class Scheduler(Protocol):
    """Decides who gets how much training."""

    @property
    def name(self) -> str: ...

    def next(self, history: History) -> Fresh | Continuation | None:
        """What to start now; None waits for running trials. Pure, like `Strategy.ask`."""
        ...

    def stop(self, curve: tuple[float, ...], history: History) -> bool:
        """Should the running trial with this curve (score per epoch, first objective) end early?"""
        ...


class Executor(Protocol):
    """Runs jobs on workers that may crash or hang."""

    @property
    def workers(self) -> int: ...

    def submit(self, job: Job, stop: Report | None = None) -> None:
        """Queue a job. `stop` is asked in this process with each reported curve; True ends the training early."""
        ...

    def wait(self, timeout_s: float) -> list[tuple[Job, Outcome]]:
        """Jobs that ended since the last call; blocks up to `timeout_s` for the first."""
        ...

    def cancel(self) -> list[Job]:
        """Ends what is running and returns those jobs."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class SearchBudget:
    """What a one-shot search may spend. epochs: passes over the training rows; None is the published number.

    deadline_s: seconds after which the search must end by itself: its schedule is shortened to what fits.
    """

    epochs: int | None = None
    deadline_s: float | None = None


@dataclass(frozen=True)
class Wanted:
    """What the derived architectures must be.

    limits: hard bounds on costs, by name ("macs", "params", "latency_ms").
    costs: how to work out limited costs that the supernet does not count, for one architecture (predicted latency).
    feasible: does an architecture meet every limit that can be checked before training? None: all do.
    count: how many architectures to derive, the most probable first.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, Callable[[Architecture], float]] = field(default_factory=dict)
    feasible: Callable[[Architecture], bool] | None = None
    count: int = 1


@dataclass(frozen=True)
class TraceEpoch:
    """A one-shot search after one epoch.

    weights: of each mixture over its options, as probabilities. entropy: mean over the mixtures, 1 where all options
        are equally probable. skips: share of skip connections among the edges, blocks and depths of the architecture
        that would be derived now; None where no mixture offers any. train_loss: mean over the epoch.
    validation_loss: of the rows that train the architecture; None while it is not trained.
    eigenvalue: the dominant one of the Hessian of the validation loss, where asked.
    costs: limited costs that are expected of the mixed network. derived_costs: of the architecture derived now.
    """

    weights: tuple[Float[np.ndarray, " options"], ...]
    entropy: float
    skips: float | None
    train_loss: float
    validation_loss: float | None
    eigenvalue: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)
    derived_costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """How a one-shot search went.

    mixtures: name and options of each. remarks: what a user should know, in sentences, in the order they arose.
    ended: "finished", or what ended it: "deadline", "report", "eigenvalue". seconds: spent, resumed parts included.
    share: of the schedule that is done, from 0 to 1. passes: over the rows that train weights, the last in part.
    looked: architectures that were scored by inherited weights since.
    """

    method: str
    mixtures: tuple[tuple[str, tuple[str, ...]], ...]
    epochs: tuple[TraceEpoch, ...] = ()
    remarks: tuple[str, ...] = ()
    ended: str = "finished"
    seconds: float = 0.0
    share: float = 1.0
    passes: float = 0.0
    looked: int = 0


@dataclass(frozen=True)
class Derived:
    """What a one-shot search yields. architectures: the most probable first; they enter the study as trials."""

    architectures: tuple[Architecture, ...]
    trace: Trace


@dataclass(frozen=True)
class Sample:
    """A row of codes, -1 where dead, and the natural logarithm of the probability with which it was drawn.

    log_prob: over the live decisions, numbers of many values by interval. None stands for the probability
    that the policy which is updated gives it: "this is one of yours".
    """

    codes: tuple[int, ...]
    log_prob: float | None = None


class Policy(Protocol):
    """A distribution over the architectures of a space. Immutable."""

    def sample(self, rng: np.random.Generator, count: int = 1) -> list[Sample]:
        """Independent draws, deciding along the tree, so that only live decisions are made. They may repeat."""
        ...

    def log_prob(self, codes: tuple[int, ...]) -> float:
        """Natural logarithm of the probability of a row of codes."""
        ...

    def update(self, samples: Sequence[Sample], rewards: Sequence[float]) -> "Policy":
        """The policy after one update with these samples, all together. rewards: larger is better, finite.

        A sample drawn otherwise (`log_prob` says how) counts by its importance weight, as each policy documents.
        """
        ...


TraceReport = Callable[[Trace], bool]
"""Called after each epoch, and now and then within a long one, with the trace so far; True asks the search to stop."""

SupernetT = TypeVar("SupernetT", contravariant=True)
RowsT = TypeVar("RowsT", contravariant=True)


class OneShot(Protocol[SupernetT, RowsT]):
    """Trains a supernet and derives architectures from it."""

    @property
    def name(self) -> str: ...

    def train(
        self,
        supernet: SupernetT,
        rows: RowsT,
        budget: SearchBudget,
        *,
        seed: int = 0,
        wanted: Wanted | None = None,
        report: TraceReport | None = None,
        checkpoint: Path | None = None,
    ) -> Derived:
        """Train `supernet` in place and derive architectures that are feasible.

        rows: of the search's training part alone. checkpoint: a file that is written every few minutes; if it is there
        already the search goes on from it, to the same result. Raises `LimitError` if nothing feasible is found near
        what was learnt, and `RunError` if the architecture weights diverge (the last checkpoint is kept).
        """
        ...
