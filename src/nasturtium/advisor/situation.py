"""A completed need with what follows from it: all that rules look at."""

from dataclasses import dataclass
from functools import cached_property

from nasturtium.advisor.bounds import Bounds, bounds_of
from nasturtium.advisor.catalogue import Member, families, smallest
from nasturtium.advisor.fields import completed
from nasturtium.advisor.knowledge import Knowledge, load_knowledge
from nasturtium.advisor.requirements import Requirements
from nasturtium.advisor.targets import Target, find_target
from nasturtium.advisor.words import trainable
from nasturtium.errors import UserError
from nasturtium.task import Signal, SignalKind, Task
from nasturtium.training import default_metric, default_recipe
from nasturtium.training.metrics import find_metric

UNEVEN = 5.0
"""A commonest class so many times the rarest makes accuracy a bad metric."""
RANKS = {"image": 3, "audio": 3, "sequence": 2, "table": 1}


@dataclass(frozen=True)
class Situation:
    """need: completed. given_task: of the data, where there are any."""

    need: Requirements
    target: Target
    bounds: Bounds
    given_task: Task | None = None

    @property
    def kind(self) -> str:
        return str(self.need.get("task"))

    @property
    def modality(self) -> str:
        return str(self.need.get("modality"))

    @property
    def rows(self) -> int:
        return int(self.need.get("rows"))

    @property
    def train_rows(self) -> int:
        """Of the default split, about."""
        return max(1, round(0.6 * self.rows))

    @property
    def score_rows(self) -> int:
        """Rows that score the networks of a search, about."""
        return max(1, round(0.2 * self.rows))

    @property
    def trains(self) -> bool:
        return trainable(self.kind, self.modality)

    @property
    def knowledge(self) -> Knowledge:
        return load_knowledge()

    @cached_property
    def task(self) -> Task:
        """Only where it `trains`."""
        return self.given_task if self.given_task is not None else task_of(self.need)

    @property
    def families(self) -> tuple[str, ...]:
        """Of known networks that can be built here."""
        return families(self.task) if self.trains else ()

    @property
    def smallest(self) -> tuple[Member, ...]:
        """The least of each family."""
        return tuple(smallest(name, self.task) for name in self.families)

    @property
    def metric(self) -> str:
        """What to optimise: the data's own metric, or the usual one; under imbalance one that sees every class."""
        if self.given_task is not None and self.given_task.metric != default_metric(self.given_task.kind):
            return self.given_task.metric
        if self.kind == "classification" and self.need.get("imbalance") >= UNEVEN:
            return find_metric("balanced-accuracy", "classification").name
        usual = {"segmentation": "mIoU", "detection": "mAP", "language-modelling": "perplexity", "generation": "FID",
                 "forecasting": "rmse"}  # fmt: skip
        return usual.get(self.kind) or default_metric(self.kind)  # type: ignore[arg-type]

    @cached_property
    def epochs(self) -> int:
        """Passes of the default recipe."""
        return default_recipe(self.task, self.train_rows).epochs

    @property
    def side(self) -> int | None:
        """Shorter side of an image, or length of a sequence."""
        shape = self.need.get("input")
        return min(shape[1:]) if len(shape) > 1 else None


def situation(need: Requirements, task: Task | None = None) -> Situation:
    """Complete the need and see what follows. task: of the data. Raises `UserError` for an unknown device."""
    whole = completed(need)
    target = find_target(whole.get("device"))
    return Situation(whole, target, bounds_of(whole, target), task)


def task_of(need: Requirements) -> Task:
    """The learning problem that a completed need describes. Raises `UserError` where the shape is not of the input."""
    modality, shape, kind = need.get("modality"), need.get("input"), need.get("task")
    if len(shape) != RANKS[modality]:
        words = {3: "channels x height x width, as 3x32x32", 2: "channels x length, as 1x128", 1: "columns, as 20"}
        raise UserError(
            f"The shape {'x'.join(map(str, shape))} is not one of the input {modality!r}: it has {len(shape)} numbers. "
            f"Give {words[RANKS[modality]]}."
        )
    signal: SignalKind = "image" if modality == "audio" else modality
    outputs = int(need.get("outputs"))
    names = tuple(str(place) for place in range(outputs)) if kind != "regression" else ()
    return Task(kind, Signal(signal, shape), outputs, default_metric(kind), names)
