"""What a learning curve will come to, learnt from the curves of the other trials, with its uncertainty.

A design of ours, near to Swersky, Snoek and Adams, "Freeze-Thaw Bayesian Optimization" (arXiv:1406.3896), in that all
curves, finished or not, share one Gaussian process and the unfinished are conditioned on what they have shown; unlike
it, the shared course of the curves is estimated epoch by epoch, not assumed, and a curve's own part is an
Ornstein-Uhlenbeck process in the logarithm of time around it. Neighbouring epochs are averaged in segments that grow
with the epoch: noise from epoch to epoch is most of what tells two good networks apart in the middle of training, and
what makes the last score alone a poor guide. With too few finished curves, `extrapolate` falls back on `power_law`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.predictors._curve_shape import Shape, grouped, learn_shape, mean_curve
from nasturtium.predictors._segments import Curve, Ends, Segments, checked_curves, ladder, middle, spans
from nasturtium.predictors.power_law import power_law

LEAST_FINISHED = 3
"""Finished curves from which on `extrapolate` learns from the others."""


@dataclass(frozen=True)
class CurveModel:
    """A Gaussian process over curves, fitted to some of them.

    ends: last epoch of each segment. mean: at each point. doubt: covariance of that mean. low, high: what is believed
    of each point.
    """

    ends: Ends
    shape: Shape
    mean: Float[np.ndarray, " points"]
    doubt: Float[np.ndarray, "points points"]
    low: Float[np.ndarray, " points"]
    high: Float[np.ndarray, " points"]

    @staticmethod
    def of(curves: Sequence[Curve], ends: Ends, shape: Shape | None = None) -> "CurveModel":
        """Fit to curves of which at least one completes the first segment. ends: see `ladder`.

        shape: None learns it from these curves. Raises `RunError` if there is no such curve or a score is not finite.
        """
        segments = Segments.of(checked_curves(curves), ends)
        shape = learn_shape(curves, ends) if shape is None else shape
        low, high = segments.cut()
        groups = grouped(np.clip(segments.values, low, high), segments.reached)
        if not groups:
            raise RunError(
                f"No learning curve has the {ends[0]} epochs of the first segment: there is nothing to extrapolate "
                "from."
            )
        covariance = shape.covariance(segments.times, segments.counts)
        return CurveModel(ends, shape, *mean_curve(covariance, groups, segments.times), low, high)

    def predict(self, curves: Sequence[Curve]) -> tuple[Float[np.ndarray, " curves"], Float[np.ndarray, " curves"]]:
        """Mean and deviation of the score after the last epoch, its noise included; known, so 0, where it is there.

        What a curve has of an unfinished segment is used, too; an empty one gives what is expected of a new network.
        """
        means, deviations = np.empty(len(curves)), np.empty(len(curves))
        lengths = np.array([min(len(curve), self.ends[-1]) for curve in curves], dtype=int)
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            alike = np.array([curves[int(row)][:length] for row in rows], dtype=float).reshape(len(rows), length)
            means[rows], deviations[rows] = self._conditioned(alike)
        return means, deviations

    def _conditioned(self, curves: Float[np.ndarray, "curves length"]) -> tuple[Float[np.ndarray, " curves"], float]:
        """Curves of one length: kriging with an estimated mean (Rasmussen and Williams, "Gaussian Processes for Machine
        Learning", 2006, equations 2.41 and 2.42)."""
        length = curves.shape[1]
        if length == self.ends[-1]:
            return curves[:, -1], 0.0
        shown = [(start, min(end, length)) for start, end in spans(self.ends) if start < length]
        times = np.array([*(middle(*span) for span in shown), self.ends[-1]])
        counts = np.array([*(end - start for start, end in shown), 1.0])
        covariance = self.shape.covariance(times, counts)
        weights = np.linalg.solve(covariance[:-1, :-1], covariance[:-1, -1])
        place = self._placed(times)
        expected = place @ self.mean
        seen = np.array([curves[:, start:end].mean(1) for start, end in shown]).reshape(len(shown), len(curves))
        seen = np.clip(seen, self.low[: len(shown), None], self.high[: len(shown), None])
        left = place[-1] - weights @ place[:-1]
        variance = covariance[-1, -1] - weights @ covariance[:-1, -1] + left @ self.doubt @ left
        return expected[-1] + weights @ (seen - expected[:-1, None]), float(np.sqrt(max(variance, 0.0)))

    def _placed(self, times: Float[np.ndarray, " asked"]) -> Float[np.ndarray, "asked points"]:
        """Weights of the mean's points at these times, of which the last is the end. A segment that is not finished has
        its time between two points."""
        grid = np.log([middle(*span) for span in spans(self.ends)])
        placed = np.zeros((len(times), len(self.mean)))
        placed[:-1, :-1] = np.array([np.interp(np.log(times[:-1]), grid, unit) for unit in np.eye(len(grid))]).T
        placed[-1, -1] = 1.0
        return placed


def are_telling(finished: Sequence[float]) -> bool:
    """Do these last scores of finished curves tell of others? Too few do not, nor those of dead networks alone, which
    are all equal."""
    return len(finished) >= LEAST_FINISHED and len(set(finished)) > 1


def extrapolate(prefix: Curve, curves: Sequence[Curve], epochs: int) -> tuple[float, float]:
    """Mean and deviation of the score after epoch `epochs` of a curve that has shown `prefix`, its noise included.

    curves: of the other trials, finished or not, of any length. With fewer than 3 finished ones, or where these have
    all ended at one score, the prefix alone is extrapolated, by `power_law`. Raises `RunError` for an empty prefix and
    for scores that are not finite.
    """
    mine = checked_curves([prefix])[0]
    if len(mine) >= epochs:
        return float(mine[epochs - 1]), 0.0
    if not are_telling([curve[epochs - 1] for curve in curves if len(curve) >= epochs]):
        return power_law(np.asarray(mine, dtype=float), np.arange(1.0, len(mine) + 1), epochs)
    means, deviations = CurveModel.of([*curves, mine], ladder(epochs)).predict([mine])
    return float(means[0]), float(deviations[0])
