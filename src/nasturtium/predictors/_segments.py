"""Learning curves as means over segments that grow with the epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from nasturtium.errors import RunError

Curve = Sequence[float]
Ends = tuple[int, ...]
"""Last epoch of each segment, rising; the last one is the length of a full curve."""

GROWTH = 1.5
OUTLYING = 3.0
"""Deviations (of the tighter side) from the median at which segment means are cut off: dead networks teach nothing."""
MANY = 10
"""Curves that must have a segment before any of it is cut off."""


def ladder(epochs: int, first: int = 1, growth: float = GROWTH) -> Ends:
    """Segments that end at `first`, then at `growth` times the end before, the last one cut to `epochs`.

    Raises `RunError` unless 1 <= first <= epochs and growth > 1.

    >>> ladder(20)
    (1, 2, 3, 4, 6, 9, 14, 20)
    """
    if not 1 <= first <= epochs:
        raise RunError(f"A curve of {epochs} epochs cannot be cut into segments from {first} on: 1 <= first <= epochs.")
    if growth <= 1:
        raise RunError(f"Segments that grow by {growth} never get there: more than 1 is needed.")
    ends = [first]
    while ends[-1] < epochs:
        ends.append(min(epochs, max(ends[-1] + 1, round(ends[-1] * growth))))
    return tuple(ends)


@lru_cache(maxsize=64)
def spans(ends: Ends) -> tuple[tuple[int, int], ...]:
    """Each segment as the bounds of a slice."""
    return tuple(zip((0, *ends[:-1]), ends, strict=True))


@lru_cache(maxsize=1024)
def middle(start: int, end: int) -> float:
    """Geometric mean of the epochs start + 1 … end."""
    return float(np.exp(np.log(np.arange(start + 1, end + 1)).mean()))


@dataclass(frozen=True)
class Segments:
    """Curves as points: the mean over each segment, and the last epoch's score by itself.

    times: geometric mean of each point's epochs. counts: epochs in each. values: NaN where a curve has not completed
    a segment. reached: number of leading points that each curve has.
    """

    times: Float[np.ndarray, " points"]
    counts: Float[np.ndarray, " points"]
    values: Float[np.ndarray, "curves points"]
    reached: Int[np.ndarray, " curves"]

    @staticmethod
    def of(curves: Sequence[Curve], ends: Ends) -> "Segments":
        padded = np.full((len(curves), ends[-1]), np.nan)
        for row, curve in zip(padded, curves, strict=True):
            row[: len(curve)] = curve[: ends[-1]]
        values = np.stack([*(padded[:, start:end].mean(1) for start, end in spans(ends)), padded[:, -1]], axis=1)
        counts = np.array([*(end - start for start, end in spans(ends)), 1], dtype=float)
        times = np.array([*(middle(*span) for span in spans(ends)), ends[-1]])
        return Segments(times, counts, values, np.isfinite(values).cumprod(1).sum(1))

    def cut(self) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
        """Lowest and highest value of each point that is believed."""
        low, high = np.full(len(self.times), -np.inf), np.full(len(self.times), np.inf)
        for point in range(len(self.times)):
            there = self.values[self.reached > point, point]
            if len(there) >= MANY:
                below, centre, above = np.percentile(there, [10, 50, 90])
                room = OUTLYING * min(centre - below, above - centre) / 1.2816  # of a normal, in deviations
                if room > 0:
                    low[point], high[point] = centre - room, centre + room
        return low, high


def checked_curves(curves: Sequence[Curve]) -> Sequence[Curve]:
    """The curves that have an epoch. Raises `RunError` if none has, and for scores that are not finite."""
    kept = [curve for curve in curves if len(curve)]
    if not kept:
        raise RunError("There is no learning curve of an epoch or more: at least 1 is needed to extrapolate from.")
    scores = np.concatenate([np.asarray(curve, dtype=float) for curve in kept])
    if not np.isfinite(scores).all():
        at, epoch = next((a, e) for a, curve in enumerate(kept) for e, one in enumerate(curve) if not np.isfinite(one))
        raise RunError(f"Curve {at} is {kept[at][epoch]} after epoch {epoch + 1}: leave out trials that diverged.")
    return kept
