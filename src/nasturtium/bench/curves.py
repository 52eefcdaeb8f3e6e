"""Anytime curves: what had been reached after so much, over the seeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from jaxtyping import Float

from nasturtium.bench.summary import Results

POINTS = 200


@dataclass(frozen=True)
class Curve:
    """Mean over the seeds with its 95 % interval. at: spent so far, by `clock`. shown: what is told, see `Problem`."""

    benchmark: str
    protocol: str
    problem: str
    strategy: str
    shown: str
    clock: str
    n: int
    at: Float[np.ndarray, " points"]
    mean: Float[np.ndarray, " points"]
    low: Float[np.ndarray, " points"]
    high: Float[np.ndarray, " points"]


def curves(results: Sequence[Results]) -> Iterator[Curve]:
    """The curves of everything that the searches show. A curve begins where every seed has a score."""
    for result in results:
        clock = result.problem.clock
        ends = [getattr(course, clock) for course in result.courses]
        last = result.problem.seconds if clock == "seconds" and result.problem.seconds else max(ends, default=0)
        names = dict.fromkeys(name for course in result.courses for point in course.points for name in point.shown)
        at = np.unique(np.ceil(np.linspace(1, max(last, 1), POINTS)))
        for name in names:
            rows = np.array([_values(course.points, name, clock, at) for course in result.courses])
            whole = np.isfinite(rows).all(axis=0)
            if whole.any():
                yield _curve(result, name, at[whole], rows[:, whole])


def _values(points: Sequence[object], name: str, clock: str, at: np.ndarray) -> Float[np.ndarray, " points"]:
    """What was shown at each moment; NaN before the first."""
    when = np.array([getattr(point, clock) for point in points])
    told = np.array([np.nan, *(point.shown[name] for point in points)])  # type: ignore[attr-defined]
    return np.asarray(told[np.searchsorted(when, at, side="right")])


def _curve(result: Results, name: str, at: np.ndarray, rows: Float[np.ndarray, "seeds points"]) -> Curve:
    """Student's t interval of the mean; of a single seed the mean alone."""
    from scipy.stats import t

    count = len(rows)
    mean = rows.mean(axis=0)
    half = t.ppf(0.975, count - 1) * rows.std(axis=0, ddof=1) / sqrt(count) if count > 1 else np.zeros(len(at))
    problem = result.problem
    return Curve(
        problem.benchmark,
        problem.protocol,
        problem.key,
        result.label,
        name,
        problem.clock,
        count,
        at,
        mean,
        mean - half,
        mean + half,
    )
