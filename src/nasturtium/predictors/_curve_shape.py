"""How the learning curves of one study vary around their mean, and what that mean is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize

from nasturtium.predictors._segments import Curve, Ends, Segments, checked_curves
from nasturtium.predictors.power_law import power_law

Groups = list[tuple[int, Float[np.ndarray, "curves seen"]]]
Square = Float[np.ndarray, "points points"]


@dataclass(frozen=True)
class Shape:
    """Logarithms at epoch 1, and powers of the epoch.

    scale, fall: deviation between networks, exp(scale) * t^fall. rate, settling: how fast a network's standing is
    forgotten: at epoch t it changes as an Ornstein-Uhlenbeck process does, by exp(rate) * t^-settling for each unit of
    log t. noise, calming: deviation from epoch to epoch, exp(noise) * t^calming.
    """

    scale: float
    fall: float
    rate: float
    settling: float
    noise: float
    calming: float

    def covariance(self, times: Float[np.ndarray, " points"], counts: Float[np.ndarray, " points"]) -> Square:
        """Of segment means. times: of the segments. counts: epochs averaged in each."""
        logs = np.log(times)
        deviation = np.exp(self.scale + self.fall * logs)
        # The integral of t^-settling over log t; log t itself where settling is 0.
        clock = -np.expm1(-self.settling * logs) / self.settling if abs(self.settling) > 1e-6 else logs
        memory = np.exp(-np.exp(self.rate) * np.abs(np.subtract.outer(clock, clock)))
        noise = np.exp(2 * (self.noise + self.calming * logs)) / counts
        return np.asarray(memory * np.outer(deviation, deviation) + np.diag(noise))


TYPICAL = np.array([0.0, -0.4, np.log(0.3), 0.4, -0.5, -0.5])
LOOSENESS = np.array([2.0, 0.2, 0.7, 0.3, 2.0, 0.3])
"""Normal prior of a `Shape` of curves in units of their first segment's deviation: mean and deviation."""
BOUNDS = [(float(low), float(high)) for low, high in zip(TYPICAL - 4 * LOOSENESS, TYPICAL + 4 * LOOSENESS, strict=True)]
"""Curves that are all the same have no deviation, and would send its logarithm to minus infinity."""

IMPOSSIBLE = 1e10
"""Surprise of a shape whose covariance cannot be inverted."""


def learn_shape(curves: Sequence[Curve], ends: Ends) -> Shape:
    """The `Shape` of greatest posterior density given these curves (at least one of an epoch or more)."""
    segments = Segments.of(checked_curves(curves), ends)
    return _learnt(np.clip(segments.values, *segments.cut()).tobytes(), len(segments.values), ends)


@lru_cache(maxsize=64)
def _learnt(values: bytes, rows: int, ends: Ends) -> Shape:
    """By content, because a scheduler asks again and again for the same curves."""
    table, points = np.frombuffer(values).reshape(rows, -1), Segments.of([], ends)
    groups = grouped(table, np.isfinite(table).cumprod(1).sum(1))
    if not groups:  # no curve has completed the first segment
        return Shape(*TYPICAL)
    unit = float(np.nanstd(table[:, 0])) or 1.0
    scaled = [(count, there / unit) for count, there in groups]

    def loss(theta: Float[np.ndarray, " parameters"]) -> float:
        prior = 0.5 * float((((theta - TYPICAL) / LOOSENESS) ** 2).sum())
        try:
            return _surprise(Shape(*theta).covariance(points.times, points.counts), scaled) + prior
        except np.linalg.LinAlgError:  # a step to a corner, where points move as one
            return IMPOSSIBLE

    best = minimize(loss, TYPICAL, method="L-BFGS-B", bounds=BOUNDS, options={"maxiter": 30}).x
    return replace(Shape(*best), scale=best[0] + np.log(unit), noise=best[4] + np.log(unit))


def grouped(values: Float[np.ndarray, "curves points"], reached: Int[np.ndarray, " curves"]) -> Groups:
    """Curves with equally many points together: they share every matrix."""
    return [(int(count), values[reached == count, :count]) for count in np.unique(reached) if count]


def mean_curve(covariance: Square, groups: Groups, times: Float[np.ndarray, " points"]) -> tuple[np.ndarray, Square]:
    """The mean at every point and its covariance, by generalised least squares (Rasmussen and Williams 2006, section
    2.7); points that no curve has follow the power law of those before."""
    known, information, _ = _least_squares(covariance, groups)
    top, mean, doubt = len(known), np.empty(len(times)), np.zeros((len(times), len(times)))
    mean[:top], doubt[:top, :top] = known, np.linalg.inv(information)
    for point in range(top, len(times)):
        mean[point], deviation = power_law(known, times[:top], float(times[point]))
        doubt[point, point] = deviation**2
    return mean, doubt


def _least_squares(covariance: Square, groups: Groups) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The mean of the points that any curve has, the inverse of its covariance, and that of each group's points."""
    top = max(count for count, _ in groups)
    information, sums = np.zeros((top, top)), np.zeros(top)
    precisions = [np.linalg.inv(covariance[:count, :count]) for count, _ in groups]
    for (count, rows), precision in zip(groups, precisions, strict=True):
        information[:count, :count] += len(rows) * precision
        sums[:count] += precision @ rows.sum(0)
    return np.linalg.solve(information, sums), information, precisions


def _surprise(covariance: Square, groups: Groups) -> float:
    """Minus the log likelihood of the curves, the mean at its best, up to a constant."""
    mean, _, precisions = _least_squares(covariance, groups)
    total = 0.0
    for (count, rows), precision in zip(groups, precisions, strict=True):
        off = rows - mean[:count]
        total += 0.5 * float(((off @ precision) * off).sum()) - 0.5 * len(rows) * float(np.linalg.slogdet(precision)[1])
    return total
