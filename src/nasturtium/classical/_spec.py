"""Which simple models a task deserves, and the caps that keep them quick."""

from dataclasses import dataclass
from typing import Literal

from nasturtium.errors import UserError, hint
from nasturtium.task import Task

Family = Literal["trivial", "linear", "kernel", "boosting"]

FAMILIES: dict[str, Family] = {
    "majority": "trivial",
    "mean": "trivial",
    "logistic": "linear",
    "ridge": "linear",
    "svc": "kernel",
    "svr": "kernel",
    "boosting": "boosting",
}
KERNEL_ROWS = 10_000
"""Kernel machines cost the square of the rows: none is offered above this."""
KERNEL_NUMBERS = 8_000_000
"""Rows x features above which no kernel machine is offered (10,000 Fashion-MNIST images: about 20 s)."""
LINEAR_NUMBERS = 40_000_000
"""Rows x features used by a linear model; more rows are thinned (48,000 Fashion-MNIST images are not)."""
BOOSTING_WORK = 50_000_000
"""Rows x features x outputs used by boosting; more rows are thinned. One round costs about 3 s per thousand million."""


@dataclass(frozen=True)
class Classical:
    """A simple model to fit: a frozen, picklable subject for an evaluator.

    name: "majority", "mean", "logistic", "ridge", "svc", "svr" or "boosting".
    max_rows: training rows used; above it a stratified subsample is drawn by the seed, and `Fitted.note` says so.
    """

    name: str
    max_rows: int | None = None

    def __post_init__(self) -> None:
        if self.name not in FAMILIES:
            raise UserError(f"There is no simple model called {self.name!r}. {hint(self.name, FAMILIES)}")

    @property
    def family(self) -> Family:
        return FAMILIES[self.name]


def applicable(task: Task, rows: int) -> tuple[Classical, ...]:
    """The simple models worth fitting on `rows` training rows, the cheapest first.

    The trivial one is always there. Kernel machines are left out above `KERNEL_ROWS` or `KERNEL_NUMBERS`.
    """
    trivial, linear, kernel = ("mean", "ridge", "svr") if task.kind == "regression" else ("majority", "logistic", "svc")
    width = feature_count(task)
    values = 1 if task.kind == "classification" and task.outputs == 2 else task.outputs
    machines = 1 if task.kind == "classification" else task.outputs
    found = [Classical(trivial), _thinned(linear, rows, LINEAR_NUMBERS // width)]
    if rows <= KERNEL_ROWS and rows * width * machines <= KERNEL_NUMBERS:
        found.append(Classical(kernel))
    found.append(_thinned("boosting", rows, BOOSTING_WORK // (task.input.size * values)))
    return tuple(found)


def feature_count(task: Task) -> int:
    """Numbers in one row after one-hot coding, without flags of missing values."""
    return task.input.size - len(task.input.cardinalities) + sum(task.input.cardinalities)


def _thinned(name: str, rows: int, most: int) -> Classical:
    # Never below 1,000 rows: a simple model of a very wide table is slow rather than worthless.
    return Classical(name, max(most, 1_000) if rows > max(most, 1_000) else None)
