"""The course of a search, and the figures that are read from it."""

from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from nasturtium.trial import Direction


@dataclass(frozen=True)
class Point:
    """Where a search stood when something improved. queries, seconds, epochs: spent so far, this query included."""

    queries: int
    seconds: float
    epochs: int
    shown: dict[str, float]


@dataclass(frozen=True)
class Course:
    """One search. points: in order; between two, nothing changed. queries, seconds, epochs: spent in all."""

    points: tuple[Point, ...]
    queries: int
    seconds: float
    epochs: int

    def at(self, spent: float, clock: str = "queries") -> dict[str, float]:
        """What was shown when so much had been spent; empty before the first score."""
        shown: dict[str, float] = {}
        for point in self.points:
            if getattr(point, clock) > spent:
                break
            shown = point.shown
        return shown

    def to_json(self) -> dict[str, Any]:
        points = [[point.queries, point.seconds, point.epochs, point.shown] for point in self.points]
        return {"points": points, "queries": self.queries, "seconds": self.seconds, "epochs": self.epochs}

    @staticmethod
    def from_json(record: dict[str, Any]) -> "Course":
        points = tuple(Point(*point) for point in record["points"])
        return Course(points, record["queries"], record["seconds"], record["epochs"])


@dataclass(frozen=True)
class Measured:
    """A figure of one search. capped: the search ended before it was reached, so the true value is larger."""

    value: float
    capped: bool = False


class Metric(Protocol):
    """A figure of merit, named as in the results."""

    @property
    def name(self) -> str: ...

    @property
    def direction(self) -> Direction: ...

    @property
    def ranked(self) -> bool:
        """Can it tell strategies apart, so that it counts in their ranks?"""
        ...

    def of(self, course: Course) -> Measured | None:
        """None where the search says nothing about it."""
        ...


@dataclass(frozen=True)
class Reached:
    """What `shown` was after `queries` queries (None: at the end)."""

    name: str
    direction: Direction
    shown: str
    queries: int | None = None
    ranked: bool = True

    def of(self, course: Course) -> Measured | None:
        shown = course.at(inf if self.queries is None else self.queries)
        return Measured(shown[self.shown]) if self.shown in shown else None


@dataclass(frozen=True)
class Spent:
    """How much was spent in all."""

    name: str
    clock: str
    direction: Direction = "minimize"
    ranked: bool = True

    def of(self, course: Course) -> Measured:
        return Measured(float(getattr(course, self.clock)))


@dataclass(frozen=True)
class Until:
    """How much was spent until `shown` was at least as good as `target`; all that was spent, if it never was.

    better: whether larger or smaller values of `shown` are. clock: what is counted.
    """

    name: str
    shown: str
    target: float
    better: Direction
    clock: str = "queries"
    direction: Direction = "minimize"
    ranked: bool = True

    def of(self, course: Course) -> Measured:
        sign = 1.0 if self.better == "maximize" else -1.0
        slack = 1e-9 * abs(self.target)  # of rounding: objectives may be of any size, such as joules
        for point in course.points:
            if self.shown in point.shown and sign * (point.shown[self.shown] - self.target) >= -slack:
                return Measured(float(getattr(point, self.clock)))
        return Measured(float(getattr(course, self.clock)), capped=True)
