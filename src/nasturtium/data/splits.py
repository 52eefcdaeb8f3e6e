"""Train, validation and test rows, decided once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from nasturtium.data.assignment import by_time, grouped, stratified
from nasturtium.data.hashing import array_fingerprint, row_hashes
from nasturtium.data.raw import SPLIT_NAMES, TEST, TRAIN, VALIDATION, RawData
from nasturtium.data.task_inference import strata
from nasturtium.errors import DataError

FRACTIONS = (0.6, 0.2, 0.2)
COARSE_SHARE = 0.2
Rows = Int[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class Splits:
    """Ascending row numbers of the three parts.

    how: a sentence for people. seed, fractions: as given. repeats: number of each row's set of equal rows.
    together: equal rows stay in one part, wherever the parts are
    not the user's own. across: rows outside train that also occur in train (by features).
    fingerprint: sha256 over the three parts.
    """

    train: Rows
    validation: Rows
    test: Rows
    seed: int
    fractions: tuple[float, float, float]
    how: str
    repeats: Rows
    together: bool
    across: int
    fingerprint: str


def split(raw: RawData, seed: int, fractions: tuple[float, float, float] = FRACTIONS) -> Splits:
    """Parts a data set, the same for the same data, seed and fractions.

    The user's own split is kept; a part that it lacks is carved from its train rows. With `group`, no group crosses
    parts; with `time`, train is the oldest and test the newest. Else the parts are stratified by class, pattern of
    labels or quantile of the target. Equal rows (same features) then stay in one part, because a copy in the test set
    is an answer given away; unless more than 20 % of the rows repeat an earlier one, as in coarse tables, where meeting
    equal rows is part of the task: those are parted at random. Either way copies across parts are counted.

    Raises `DataError` for fractions that are not three positive numbers, too few groups or moments, an empty part, or
    a class that train and validation lack.
    """
    if len(fractions) != 3 or not all(np.isfinite(part) and part > 0 for part in fractions):
        raise DataError(f"The fractions of the split must be three positive numbers, not {fractions!r}.")
    shares = (fractions[0] / sum(fractions), fractions[1] / sum(fractions), fractions[2] / sum(fractions))
    _, repeats = np.unique(row_hashes(raw.features), return_inverse=True)
    repeats = repeats.reshape(-1)
    together = raw.groups is None and raw.times is None and not coarse(repeats)
    part, how = (
        _own(raw, repeats, together, shares, seed)
        if raw.own_split is not None
        else _fresh(raw, np.arange(raw.rows), repeats, together, shares, seed)
    )
    parts = [np.flatnonzero(part == number) for number in range(3)]
    _check(raw, parts)
    across = int(np.isin(repeats[part != TRAIN], repeats[part == TRAIN]).sum())
    train, validation, test = parts
    return Splits(train, validation, test, seed, shares, how, repeats, together, across, array_fingerprint(*parts))


def coarse(repeats: Rows) -> bool:
    """More than 20 % of the rows repeat an earlier one."""
    return len(np.unique(repeats)) < (1 - COARSE_SHARE) * len(repeats)


def share_out(
    raw: RawData, rows: Rows, units: Rows, fractions: tuple[float, ...], rng: np.random.Generator
) -> tuple[Rows, str]:
    """Part of each of `rows`, by time, by group or stratified, as the data asks, and how."""
    if raw.times is not None:
        return by_time(raw.times[rows], fractions), "by time, the newest rows for the test"
    layers = strata(raw.target[rows], raw.kind)
    if raw.groups is not None:
        return grouped(layers, raw.groups[rows], fractions, rng), "stratified, no group in two parts"
    return stratified(layers, units[rows], fractions, rng), "stratified"


def _fresh(
    raw: RawData, rows: Rows, repeats: Rows, together: bool, shares: tuple[float, ...], seed: int
) -> tuple[Rows, str]:
    units = repeats if together else np.arange(raw.rows)
    part, how = share_out(raw, rows, units, shares, np.random.default_rng([seed, 0]))
    return part, f"{how}, {'/'.join(f'{100 * share:.0f}' for share in shares)}"


def _own(
    raw: RawData, repeats: Rows, together: bool, shares: tuple[float, float, float], seed: int
) -> tuple[Rows, str]:
    """The user's parts, with those that are absent carved from train in the proportions asked."""
    assert raw.own_split is not None
    part = raw.own_split.astype(np.int64)
    absent = [number for number in (VALIDATION, TEST) if not (part == number).any()]
    train = np.flatnonzero(part == TRAIN)
    if len(train) == 0:
        raise DataError("The split has no train rows. Mark some rows as train.")
    if not absent:
        return part, "the user's own"
    wanted = tuple(shares[number] for number in (TRAIN, *absent))
    carved, how = _fresh(raw, train, repeats, together, tuple(share / sum(wanted) for share in wanted), seed)
    part[train] = np.array([TRAIN, *absent])[carved]
    names = " and ".join(SPLIT_NAMES[number] for number in absent)
    return part, f"the user's own, with {names} taken from train ({how})"


def _check(raw: RawData, parts: list[Rows]) -> None:
    for name, rows in zip(SPLIT_NAMES, parts, strict=True):
        if len(rows) == 0:
            raise DataError(f"No row is left for {name}: {raw.rows} rows are too few for this split.")
    seen = np.concatenate(parts[:TEST])
    for name, values in (("groups", raw.groups), ("moments", raw.times)):
        if values is not None and len(np.unique(values[seen])) < 2:
            raise DataError(f"Train and validation need two or more {name}, so that resplits can part them.")
    if raw.kind == "classification":
        learnt: Bool[np.ndarray, " classes"] = np.isin(np.arange(len(raw.classes)), raw.target[seen])
        if not learnt.all():
            lost = raw.classes[int(learnt.argmin())]
            raise DataError(f"The class {lost!r} occurs in the test rows only, so nothing could learn it.")
