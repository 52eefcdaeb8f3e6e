"""Fresh train/validation splits of the development rows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from nasturtium.data.assignment import by_time, grouped, stratified

WINDOW = 0.8
Rows = Int[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class Layout:
    """What a resplit must honour.

    units: rows with one number stay together (a group, or a set of equal rows). strata: what is shared out evenly.
    times: the order of rows; empty where time plays no part. grouped: the units are the user's groups.
    """

    units: Rows
    strata: Rows
    times: Float[np.ndarray, " rows"]
    grouped: bool

    @property
    def arrays(self) -> dict[str, Shaped[np.ndarray, " rows"]]:
        return {"units": self.units, "strata": self.strata, "times": self.times}


def resplit(layout: Layout, train_share: float, seed: int, number: int) -> tuple[Rows, Rows]:
    """Train and score rows of resplit `number`, a function of its arguments.

    By time: a window over 80 % of the rows, placed at random, whose older part trains and whose newer part scores;
    so a resplit, like the test, is about the future.
    """
    rng = np.random.default_rng([seed, 1, number])
    fractions = (train_share, 1 - train_share)
    if len(layout.times) == 0:
        share = grouped if layout.grouped else stratified
        part = share(layout.strata, layout.units, fractions, rng)
        return np.flatnonzero(part == 0), np.flatnonzero(part == 1)
    order = np.argsort(layout.times, kind="stable")
    length = max(2, round(WINDOW * len(order)))
    start = int(rng.integers(0, len(order) - length + 1))
    window = np.sort(order[start : start + length])
    if len(np.unique(layout.times[window])) < 2:  # a window within one moment cannot be parted
        window = order
    part = by_time(layout.times[window], fractions)
    return np.sort(window[part == 0]), np.sort(window[part == 1])
