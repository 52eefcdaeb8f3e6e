"""What the knowledge base holds: records with their sources. The files beside this one are their rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeVar

from pydantic import ConfigDict

from nasturtium.errors import KnowledgeError, hint

TaskName = Literal[
    "classification", "multi-label", "regression", "forecasting", "segmentation", "detection", "language-modelling",
    "generation",
]  # fmt: skip
Modality = Literal["image", "sequence", "table", "vector", "text", "audio", "graph"]
DeviceKind = Literal["microcontroller", "phone", "single-board", "laptop", "cpu-server", "gpu", "tpu"]

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Result:
    """One published figure. value: in the unit of the metric (percent for accuracy and error), spread: its standard
    deviation over runs where it was published."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    dataset: str
    metric: str
    value: float
    source: str
    spread: float | None = None


@dataclass(frozen=True)
class Known:
    """A known architecture.

    family: the idea it belongs to, such as "mobile". input: of the published configuration, such as "3x224x224".
    outputs: classes or targets of that configuration. params, macs: of that configuration; None where no source was
        found, or where they depend on the data. counted: recomputed by our own counters (a test does it again), or as
        published; figures: where params and MACs were published.
    results: published accuracies. source: authors, title, venue and arXiv number or address. why: what makes it work.
    when_not: when to take something else. devices: the classes of devices that it suits.
    builder: name for `nasturtium.zoo.build_known`, which makes it for a task, scaled; None: knowledge only.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    title: str
    family: str
    tasks: tuple[TaskName, ...]
    modalities: tuple[Modality, ...]
    year: int
    input: str
    params: float | None
    macs: float | None
    counted: bool
    figures: str
    source: str
    why: str
    when_not: str
    devices: tuple[DeviceKind, ...]
    outputs: int | None = None
    builder: str | None = None
    results: tuple[Result, ...] = ()


@dataclass(frozen=True)
class Genotype:
    """A cell that a search found, as published. genotype: its name in `nasturtium.zoo.genotypes`.

    searched_on: the data set of the search. gpu_days: of the search as its authors report it. params: of the network
    that was evaluated. results: its published errors.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    space: str
    genotype: str
    tasks: tuple[TaskName, ...]
    modalities: tuple[Modality, ...]
    year: int
    searched_on: str
    gpu_days: float | None
    params: float | None
    source: str
    why: str
    when_not: str
    results: tuple[Result, ...] = ()


@dataclass(frozen=True)
class StrategyFact:
    """A way to search: name as on the command line, what it costs, and what was published of it.

    kind: samples and trains each candidate ("multi-trial"), shares weights ("one-shot") or trains nothing ("proxy").
    cost: in words, with figures. suits: situations in which it is the one to take; when_not: in which it is not.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    kind: Literal["multi-trial", "one-shot", "proxy", "multi-fidelity"]
    cost: str
    evidence: str
    source: str
    suits: tuple[str, ...]
    when_not: str
    results: tuple[Result, ...] = ()


@dataclass(frozen=True)
class Conditions:
    """When a rule or pitfall applies. An empty tuple or None excludes nothing; bounds are inclusive.

    rows: of the training data. params: of the network. side: of the image in pixels, or length of the sequence.
    batch: rows of a training step.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    tasks: tuple[TaskName, ...] = ()
    modalities: tuple[Modality, ...] = ()
    devices: tuple[DeviceKind, ...] = ()
    min_rows: float | None = None
    max_rows: float | None = None
    min_params: float | None = None
    max_params: float | None = None
    min_side: float | None = None
    max_side: float | None = None
    min_batch: float | None = None
    max_batch: float | None = None

    def hold(
        self,
        *,
        task: str | None = None,
        modality: str | None = None,
        device: str | None = None,
        rows: float | None = None,
        params: float | None = None,
        side: float | None = None,
        batch: float | None = None,
    ) -> bool | None:
        """Do they hold? False: something known speaks against it. None: something that decides is not known."""
        named = ((self.tasks, task), (self.modalities, modality), (self.devices, device))
        answers = [None if value is None else value in allowed for allowed, value in named if allowed]
        bounds = (
            (self.min_rows, self.max_rows, rows),
            (self.min_params, self.max_params, params),
            (self.min_side, self.max_side, side),
            (self.min_batch, self.max_batch, batch),
        )
        for low, high, value in bounds:
            if low is not None or high is not None:
                inside = value is not None and (low is None or value >= low) and (high is None or value <= high)
                answers.append(None if value is None else inside)
        return False if False in answers else None if None in answers else True


@dataclass(frozen=True)
class DesignRule:
    """Advice on a design, when it applies and what it rests on. topic: such as "normalisation" or "resolution"."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    topic: str
    statement: str
    evidence: str
    source: str
    conditions: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True)
class Pitfall:
    """A mistake that is often made: how it shows, and what to do."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    topic: str
    symptom: str
    mend: str
    evidence: str
    source: str
    conditions: Conditions = field(default_factory=Conditions)


Record = TypeVar("Record", Known, Genotype, StrategyFact, DesignRule, Pitfall)


@dataclass(frozen=True)
class Knowledge:
    """All that is known, and the day (ISO) on which the newest of it was checked."""

    dated: str
    architectures: tuple[Known, ...] = ()
    genotypes: tuple[Genotype, ...] = ()
    strategies: tuple[StrategyFact, ...] = ()
    rules: tuple[DesignRule, ...] = ()
    pitfalls: tuple[Pitfall, ...] = ()

    def architecture(self, name: str) -> Known:
        """The architecture of that name; raises `KnowledgeError` with the nearest names."""
        return _named(self.architectures, name, "architecture")

    def strategy(self, name: str) -> StrategyFact:
        """The strategy of that name; raises `KnowledgeError` with the nearest names."""
        return _named(self.strategies, name, "strategy")


def _named(records: Sequence[Record], name: str, what: str) -> Record:
    key = name.lower().replace("_", "-")
    for record in records:
        if record.name == key:
            return record
    raise KnowledgeError(f"The knowledge base has no {what} {name!r}. {hint(key, [one.name for one in records])}")
