"""Architectures seen from several sides, and their distances from each: what the Gaussian process works on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice, takewhile
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist
from scipy.special import ndtri

from nasturtium.predictors.apart import Measure, apart
from nasturtium.predictors.gp_kernel import TREND, Distances
from nasturtium.roles import Candidates, Features
from nasturtium.space import Architecture, Choice, Space

Kept = TypeVar("Kept")

REFERENCE, PROBED_REFERENCE = 300, 60
"""Architectures drawn once (seed 0) from the space, for means, deviations and median distances; fewer where proxies are
measured, each of which takes as long as some steps of training."""

KEPT = 4096
"""Architectures whose features are remembered: those of the last ten asks or so, about 20 MB."""

SIZES = 2
"""The group "costs" begins with params and MACs."""
LEADING = 3
"""The group "proxies" begins with those that rank best without any trial."""
PROXY_TREND = 0.8
"""How much of a score the promise foretells where proxies are part of it, before any trial: ranks by several good ones
agree with those of trained networks by 0.8 to 0.9 (four of AZ-NAS by 0.89: VKDNW, CVPR 2025, table 1). Of 20 trials
on NAS-Bench-201, seeds 0 to 99: 94.33 / 73.02 / 46.32 %; with 0.3 as without proxies 94.24 / 72.82 / 46.18, with 0.5
94.31 / 72.98 / 46.26."""

PARTS: tuple[tuple[str, Measure], ...] = (
    ("encoding", "cityblock"),
    ("counts", "euclidean"),
    ("graph", "euclidean"),
    ("graph", "sqeuclidean"),
    ("costs", "sqeuclidean"),
    ("proxies", "sqeuclidean"),
)
"""Side and distance of each kernel; a space has those whose features vary in it."""
GROUPS = tuple(dict.fromkeys(name for name, _ in PARTS))


@dataclass(frozen=True)
class Side:
    """One part: which features, brought to what scale, compared how. unit: the median distance in the reference."""

    name: str
    measure: Measure
    columns: tuple[int, ...]
    change: Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, "n d"]]
    unit: float

    def rows(self, known: Sequence[Features]) -> Float[np.ndarray, "n d"]:
        return self.change(np.array([features[self.name] for features in known])[:, list(self.columns)])


class Views:
    """The sides of the architectures of one space."""

    def __init__(self, candidates: Candidates, measured: bool = False) -> None:
        """measured: with the proxies of the group "measured", for few architectures: the list of a small space is left
        alone, and the reference is smaller."""
        self._candidates, self._measured = candidates, measured
        self._listed = () if measured else candidates.listed or ()
        self._features: dict[tuple[int, ...], Features] = {}
        self._vectors: dict[tuple[int, ...], Float[np.ndarray, " d"]] = {}  # of all sides, one after the other
        self._to_listed: dict[str, Float[np.ndarray, "parts m"]] = {}
        self._tallies = tallies(candidates.space)
        rng = np.random.default_rng(0)
        self.reference = [candidates.sample(rng) for _ in range(PROBED_REFERENCE if measured else REFERENCE)]
        known = [self.features(one) for one in self.reference]
        sides = (_side(name, measure, known) for name, measure in PARTS if name in known[0])
        self.sides = tuple(side for side in sides if side is not None)
        self._ends = np.cumsum([len(side.columns) for side in self.sides]).tolist()
        self._among: tuple[list[tuple[int, ...]], Distances] = ([], np.empty((len(self.sides), 0, 0)))
        self._study: tuple[Sequence[Architecture], list[Float[np.ndarray, "n d"]]] = ((), [])
        self._promise = Promise.among(known) if "costs" in known[0] else None

    def features(self, architecture: Architecture) -> Features:
        """The candidates' groups, and "counts" where decisions share their options and there is no graph.

        In a small space those of the listed architecture that is the same network, whose dead parts say nothing.
        """
        if self._place:
            architecture = self._listed[self._place[architecture.arch_id]]
        codes = self._candidates.space.codes(architecture)
        found = self._features.get(codes)
        if found is None:
            known = self._candidates.features(architecture)
            found = {group: known[group] for group in GROUPS if group in known}
            if self._measured:
                found["proxies"] = known["measured"]
            if self._tallies and "graph" not in found:
                found["counts"] = tallied(self._tallies, codes)
            self._features[codes] = found
            _forget(self._features)
        return found

    def promise(self, architectures: Sequence[Architecture]) -> Float[np.ndarray, " n"]:
        """What is expected before any trial, as a normal score among the reference: large networks are mostly better,
        and those with good proxies. 0 where neither is known."""
        if self._promise is None:
            return np.zeros(len(architectures))
        return self._promise([self.features(one) for one in architectures])

    @property
    def trend(self) -> float:
        """The weight that the promise is believed to have."""
        return PROXY_TREND if self._promise is not None and self._promise.proxies is not None else TREND

    @cached_property
    def measurable(self) -> bool:
        """Can proxies be measured, for a few of these architectures?"""
        return "measured" in self._candidates.features(self.reference[0])

    @cached_property
    def listed_promise(self) -> Float[np.ndarray, " m"]:
        return self.promise(self._listed)

    def rows(self, architectures: Sequence[Architecture]) -> list[Float[np.ndarray, "n d"]]:
        """One matrix a side; the row of an architecture is worked out once."""
        codes = [self._candidates.space.codes(one) for one in architectures]
        fresh = {key: one for key, one in zip(codes, architectures, strict=True) if key not in self._vectors}
        if fresh:
            made = np.concatenate(self._matrices(list(fresh.values())), axis=1)
            self._vectors |= {key: row.copy() for key, row in zip(fresh, made, strict=True)}
        joined = np.array([self._vectors[key] for key in codes]).reshape(len(codes), self._ends[-1])
        _forget(self._vectors)
        return [np.ascontiguousarray(part) for part in np.split(joined, self._ends[:-1], axis=1)]

    def _matrices(self, architectures: Sequence[Architecture]) -> list[Float[np.ndarray, "n d"]]:
        known = [self.features(one) for one in architectures]
        return [side.rows(known) for side in self.sides]

    def among(self, architectures: Sequence[Architecture]) -> Distances:
        """Distances of all pairs, in units of each side's median; those of a study's earlier trials are kept.

        Each pair is measured from the later one and apart from all others, so that what is kept changes nothing.
        """
        codes, (old, known) = [self._candidates.space.codes(one) for one in architectures], self._among
        same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(codes, old, strict=False))))
        if same == len(codes):
            return known[:, :same, :same]
        fresh = self._one_by_one(architectures[same:], architectures)
        found = np.empty((len(fresh), len(codes), len(codes)))
        found[:, :same, :same] = known[:, :same, :same]
        found[:, same:, :same] = fresh[:, :, :same]
        found[:, :same, same:] = fresh[:, :, :same].transpose(0, 2, 1)
        latest = np.tril(fresh[:, :, same:])
        found[:, same:, same:] = latest + np.tril(latest, -1).transpose(0, 2, 1)
        self._among = (codes, found)
        return found

    def _one_by_one(self, first: Sequence[Architecture], second: Sequence[Architecture]) -> Distances:
        if self._place:
            return self.between(first, second)
        pairs = zip(self.sides, self.rows(first), self._rows_of_study(second), strict=True)
        return np.array([cdist(one, other, side.measure) / side.unit for side, one, other in pairs])

    def between(self, first: Sequence[Architecture], second: Sequence[Architecture]) -> Distances:
        """Distances in units of each side's median."""
        if self._place:
            columns = np.array([self._place[one.arch_id] for one in second])
            return np.stack([self._row(one)[:, columns] for one in first], axis=1)
        return self._apart(self._rows_of_study(first), self.rows(second))

    def _rows_of_study(self, architectures: Sequence[Architecture]) -> list[Float[np.ndarray, "n d"]]:
        """Of a tuple that is asked about again and again, as the trials of a study are within an ask."""
        asked, rows = self._study
        if architectures is not asked:
            rows = self.rows(architectures)
            if isinstance(architectures, tuple):
                self._study = architectures, rows
        return rows

    def to_listed(
        self, architectures: Sequence[Architecture], places: Int[np.ndarray, " m"] | None = None
    ) -> Distances:
        """Distances to those at these places of the list of a small space (None: to all of it)."""
        rows = [self._row(one) for one in architectures]
        return np.stack(rows if places is None else [row[:, places] for row in rows], axis=1)

    def _row(self, architecture: Architecture) -> Float[np.ndarray, "parts m"]:
        """To all of the list; worked out once."""
        known = self._to_listed.get(architecture.arch_id)
        if known is None:
            known = self._apart(self._matrices([architecture]), self._listed_rows)[:, 0].astype(np.float32)
            self._to_listed[architecture.arch_id] = known
        return known

    @cached_property
    def _place(self) -> Mapping[str, int]:
        return {one.arch_id: place for place, one in enumerate(self._listed)}

    @cached_property
    def _listed_rows(self) -> list[Float[np.ndarray, "m d"]]:
        return self._matrices(self._listed)

    def _apart(
        self, first: Sequence[Float[np.ndarray, "n d"]], second: Sequence[Float[np.ndarray, "m d"]]
    ) -> Distances:
        pairs = zip(self.sides, first, second, strict=True)
        return np.array([apart(one, other, side.measure) / side.unit for side, one, other in pairs])


def _forget(kept: dict[tuple[int, ...], Kept]) -> None:
    """What came first, where there are more than `KEPT`."""
    for key in list(islice(kept, max(0, len(kept) - KEPT))):
        del kept[key]


@lru_cache(maxsize=8)
def views(candidates: Candidates, measured: bool = False) -> Views:
    """The views of these candidates, made once."""
    return Views(candidates, measured)


def _side(name: str, measure: Measure, known: Sequence[Features]) -> Side | None:
    """None where nothing varies."""
    table = np.array([features[name] for features in known], dtype=float)
    columns = _distinct(table)
    if not columns:
        return None
    chosen = table[:, list(columns)]
    change: Callable[[Float[np.ndarray, "n d"]], Float[np.ndarray, "n d"]]
    if name == "encoding":
        change = _as_it_is
    elif name == "proxies":
        change = NormalScores.among(chosen)
    else:
        change = Standard(chosen.mean(0), chosen.std(0))
    pairs = apart(change(chosen), change(chosen), measure)[np.triu_indices(len(chosen), 1)]
    return Side(name, measure, columns, change, float(np.median(pairs[pairs > 0])))


def _distinct(table: Float[np.ndarray, "n d"]) -> tuple[int, ...]:
    """Columns that vary, the first of those that vary together; none of a space without decisions, whose table is
    empty."""
    if not table.size:
        return ()
    table = np.nan_to_num(table, nan=np.nanmin(table))
    varying = [column for column in range(table.shape[1]) if np.ptp(table[:, column]) > 1e-12]
    first: dict[bytes, int] = {}
    for column in varying:
        values = table[:, column]
        first.setdefault(np.round((values - values.min()) / np.ptp(values), 9).tobytes(), column)
    return tuple(sorted(first.values()))


def _as_it_is(rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    return rows


@dataclass(frozen=True)
class Standard:
    """Mean 0 and deviation 1 in the reference."""

    mean: Float[np.ndarray, " d"]
    deviation: Float[np.ndarray, " d"]

    def __call__(self, rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        return (rows - self.mean) / self.deviation


@dataclass(frozen=True)
class NormalScores:
    """Normal quantiles of the ranks among the reference: proxies have heavy tails. A missing score is the worst."""

    ordered: Float[np.ndarray, "reference d"]

    @staticmethod
    def among(rows: Float[np.ndarray, "reference d"]) -> "NormalScores":
        return NormalScores(np.sort(np.nan_to_num(rows, nan=-np.inf), axis=0))

    def __call__(self, rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        known = np.nan_to_num(rows, nan=-np.inf)
        ranks = [np.searchsorted(order, column) for order, column in zip(self.ordered.T, known.T, strict=True)]
        return np.asarray(ndtri((np.array(ranks).T + 0.5) / (len(self.ordered) + 1.0)))


@dataclass(frozen=True)
class Promise:
    """Normal quantile of the rank, in the reference, of z(log params) + z(log MACs) + scores of the first proxies."""

    standard: Standard
    proxies: NormalScores | None
    ordered: Float[np.ndarray, " reference"]

    @staticmethod
    def among(known: Sequence[Features]) -> "Promise":
        table = np.array([features["costs"][:SIZES] for features in known])
        standard = Standard(table.mean(0), np.maximum(table.std(0), 1e-12))
        proxies = None
        if "proxies" in known[0]:
            proxies = NormalScores.among(np.array([features["proxies"][:LEADING] for features in known]))
        unranked = Promise(standard, proxies, np.empty(0))
        return replace(unranked, ordered=np.sort(unranked.raw(known)))

    def raw(self, known: Sequence[Features]) -> Float[np.ndarray, " n"]:
        total = self.standard(np.array([features["costs"][:SIZES] for features in known])).sum(1)
        if self.proxies is not None:
            total = total + self.proxies(np.array([features["proxies"][:LEADING] for features in known])).sum(1)
        return np.asarray(total)

    def __call__(self, known: Sequence[Features]) -> Float[np.ndarray, " n"]:
        if not known:
            return np.empty(0)
        ranks = np.searchsorted(self.ordered, self.raw(known))
        return np.asarray(ndtri((ranks + 0.5) / (len(self.ordered) + 1.0)))


def tallies(space: Space) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    """Options that several choices share -> the numbers of these choices."""
    sharing: dict[tuple[str, ...], list[int]] = {}
    for named in space.decisions:
        if isinstance(named.decision, Choice):
            sharing.setdefault(tuple(named.decision.keys), []).append(named.index)
    return {keys: tuple(places) for keys, places in sharing.items() if len(places) > 1 and len(keys) > 1}


def tallied(
    sharing: Mapping[tuple[str, ...], tuple[int, ...]], codes: tuple[int, ...]
) -> Float[np.ndarray, " options"]:
    """How often each shared option is taken: spaces of cells and layers care more about what than about where."""
    counts = []
    for keys, places in sharing.items():
        taken = [codes[place] for place in places]
        counts += [float(taken.count(option)) for option in range(len(keys))]
    return np.array(counts)
