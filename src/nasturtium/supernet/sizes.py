"""The ordered decisions of a space, its largest and its smallest network.

Once-for-all and BigNAS speak of the largest and the smallest network and of elastic kernels, depths and widths. Here
these are read from the space: a decision is *ordered* if it is a number or a choice between numbers, or decides how
many parts there are (the count of a `repeat`, an `optional`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nasturtium.errors import SpaceError
from nasturtium.hardware import CostModel
from nasturtium.space import Architecture, Choice, Integer, Space
from nasturtium.space.places import Fork, Group, Place, Span

Dimension = Literal["kernel", "depth", "width"]
DIMENSIONS: tuple[Dimension, ...] = ("kernel", "depth", "width")
"""The order in which once-for-all lets them shrink (expansion is a width)."""
SWEEPS = 8
STARTS = 64


@dataclass(frozen=True)
class Extremes:
    """The largest and the smallest network of a space by MACs, then params."""

    largest: Architecture
    smallest: Architecture


def dimensions(space: Space) -> dict[int, Dimension]:
    """The dimension of every ordered decision, by its number. Resolutions and strides are no part of the weights and so
    have none; nor have choices between blocks, activations and the like: they are free from the start."""
    depths = {_depth(place) for place in _places(space.root)}
    found: dict[int, Dimension] = {}
    for named in space.decisions:
        last = named.path.rpartition(".")[2].lower()
        if named.index in depths or last.startswith("depth"):
            found[named.index] = "depth"
        elif not _is_numeric(named.decision) or "stride" in last or "dropout" in last or "resolution" in last:
            continue
        else:
            found[named.index] = "kernel" if "kernel" in last else "width"
    return found


def extremes(space: Space) -> Extremes:
    """By coordinate ascent and descent over all decisions: from the greatest and the least codes of the ordered ones,
    and from the best of `STARTS` random architectures, because in a cell whose dead edges are left out no edge by
    itself adds anything.

    Raises `SpaceError` for a space whose costs cannot be counted.
    """
    costs, low = CostModel(space), [0] * len(space.decisions)
    return Extremes(_extreme(space, costs, greatest(space), 1), _extreme(space, costs, low, -1))


def greatest(space: Space) -> list[int]:
    """The greatest code of every ordered decision, the first of the others."""
    ordered = dimensions(space)
    return [size - 1 if index in ordered else 0 for index, size in enumerate(space.program.sizes)]


Size = tuple[int, int]


def _extreme(space: Space, costs: CostModel, raw: list[int], sign: int) -> Architecture:
    """The greatest (sign 1) or least MACs and params that are found."""

    def size(codes: Sequence[int]) -> Size | None:
        try:
            sums = costs.sums(space.program.mask(codes))
        except SpaceError:
            return None
        return sign * sums["macs"], sign * sums["params"]

    rng = np.random.default_rng(0)
    draws = [space.program.draw_raw(rng) for _ in range(STARTS)]
    drawn = [codes for codes in draws if size(codes) is not None]
    starts = [raw, *([max(drawn, key=lambda codes: size(codes) or (0, 0))] if drawn else [])]
    ends = [end for end in (_climbed(space, start, size) for start in starts) if size(end) is not None]
    if not ends:
        raise SpaceError(f"No network of the space {space.name!r} was found that can be built.")
    return space.from_codes(space.program.mask(max(ends, key=lambda codes: size(codes) or (0, 0))))


def _climbed(space: Space, raw: list[int], size: Callable[[Sequence[int]], Size | None]) -> list[int]:
    """The end of a coordinate search for the greatest size; a tie changes nothing."""
    best = size(raw)
    for _ in range(SWEEPS):
        before = list(raw)
        for named in space.decisions:
            if space.program.mask(raw)[named.index] < 0:
                continue
            for code in _looked_at(named.decision.size):
                attempt = [*raw[: named.index], code, *raw[named.index + 1 :]]
                found = size(attempt)
                if found is not None and (best is None or found > best):
                    raw, best = attempt, found
        if raw == before:
            break
    return raw


def _looked_at(size: int) -> list[int]:
    """All codes; of a number with many values the ends."""
    return list(range(size)) if size <= 64 else [0, size - 1]


def _is_numeric(decision: object) -> bool:
    if isinstance(decision, Choice):
        numbers = [
            option for option in decision.options if isinstance(option, int | float) and not isinstance(option, bool)
        ]
        return len(numbers) == len(decision.options) and numbers == sorted(numbers)
    return isinstance(decision, Integer)


def _depth(place: Place) -> int | None:
    """The decision that says how many parts stand here, if one does."""
    if isinstance(place, Fork) and place.decision.keys != ("off", "on"):
        return None
    return place.index if isinstance(place, Fork | Span) else None


def _places(root: Place) -> Iterator[Place]:
    """All places of the tree, each once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        place = waiting.pop()
        if id(place) in seen:
            continue
        seen.add(id(place))
        yield place
        waiting += _parts(place)


def _parts(place: Place) -> tuple[Place, ...]:
    if isinstance(place, Fork):
        return place.options
    if isinstance(place, Span):
        return place.items
    return place.parts if isinstance(place, Group) else ()
