"""Sharing units of rows out among parts: stratified, grouped, or by time. Pure functions on numbers."""

import numpy as np
from jaxtyping import Float, Int

Fractions = tuple[float, ...]
Rows = Int[np.ndarray, " rows"]


def stratified(strata: Rows, units: Rows, fractions: Fractions, rng: np.random.Generator) -> Rows:
    """Part of each row, so that every stratum is shared out as `fractions` say and no unit is parted.

    strata, units: numbers per row; a unit belongs to the stratum of its first row. Within a stratum the units are
    shuffled and laid end to end; each goes to the part in which its middle falls. So the first part always gets a
    share of every stratum, and a stratum of 2 rows at 60/20/20 gives train and validation one each, of 3 train two
    and test one, of 4 and more something to each.
    """
    names, first, unit_of_row, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    stratum_of_unit = strata[first]
    order = np.lexsort((rng.random(len(names)), stratum_of_unit))
    size, stratum = sizes[order].astype(float), stratum_of_unit[order]
    starts = np.flatnonzero(np.r_[True, stratum[1:] != stratum[:-1]])
    totals = np.add.reduceat(size, starts)
    ends = np.cumsum(size)
    before = np.repeat(ends[starts] - size[starts], np.diff(np.r_[starts, len(size)]))
    middle = (ends - size / 2 - before) / np.repeat(totals, np.diff(np.r_[starts, len(size)]))
    part = np.empty(len(names), dtype=np.int64)
    part[order] = _part_at(middle, fractions)
    return part[unit_of_row.reshape(-1)]


def _part_at(place: Float[np.ndarray, " units"], fractions: Fractions) -> Rows:
    edges = np.cumsum(fractions)[:-1] / sum(fractions)
    return np.searchsorted(edges - 1e-9, place, side="right")


def grouped(strata: Rows, groups: Rows, fractions: Fractions, rng: np.random.Generator) -> Rows:
    """Part of each row, so that no group is parted and strata and sizes come near `fractions`.

    Groups go, largest first (ties shuffled), each to the part where the squared distance of the strata counts to
    those wanted grows least, as in scikit-learn's StratifiedGroupKFold. Every part gets a group, if there are as many.
    """
    names, group_of_row = np.unique(groups, return_inverse=True)
    _, stratum_of_row = np.unique(strata, return_inverse=True)
    counts = np.zeros((len(names), int(stratum_of_row.max()) + 1))
    np.add.at(counts, (group_of_row.reshape(-1), stratum_of_row.reshape(-1)), 1)
    shares = np.asarray(fractions) / sum(fractions)
    wanted = shares[:, None] * counts.sum(axis=0)
    weight = 1.0 / np.maximum(counts.sum(axis=0), 1.0)
    held = np.zeros_like(wanted)
    part = np.zeros(len(names), dtype=np.int64)
    order = np.lexsort((rng.random(len(names)), -counts.sum(axis=1)))
    for place, group in enumerate(order):
        empty = np.flatnonzero(np.bincount(part[order[:place]], minlength=len(shares)) == 0)
        open_parts = empty if len(order) - place <= len(empty) else np.arange(len(shares))
        growth = ((held[open_parts] + counts[group] - wanted[open_parts]) ** 2 * weight).sum(axis=1)
        growth -= ((held[open_parts] - wanted[open_parts]) ** 2 * weight).sum(axis=1)
        part[group] = open_parts[int(growth.argmin())]
        held[part[group]] += counts[group]
    return part[group_of_row.reshape(-1)]


def by_time(times: Float[np.ndarray, " rows"], fractions: Fractions) -> Rows:
    """Part of each row, the oldest first. Rows of one moment stay together."""
    moments, moment_of_row, counts = np.unique(times, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(times)
    part = _part_at(middle, fractions)
    if len(moments) >= len(fractions):  # few moments: still one for each part
        least = np.arange(len(moments)) - (len(moments) - len(fractions))
        part = np.clip(part, np.maximum(least, 0), np.minimum(np.arange(len(moments)), len(fractions) - 1))
    return part[moment_of_row.reshape(-1)]
