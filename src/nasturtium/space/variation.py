"""Steps between architectures: mutation, crossover, neighbours.

Each works on a full row of codes, with a value for what is dead, and then lets the space say what is live.
"""

from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture
from nasturtium.space.decisions import Choice, Decision

if TYPE_CHECKING:
    from nasturtium.space.space import Space

LISTED = 64
"""Numbers with more values than this have neighbours at 1 % and 10 % of their range only."""


def mutate(architecture: Architecture, rng: np.random.Generator, rate: float | None = None) -> Architecture:
    """Re-draws one live decision, uniformly among its other values; decisions that become live are sampled.

    rate: re-draw each live decision with this probability instead, and one if that takes none. The result differs from
    `architecture` unless it has no alternative. Real et al. 2019 (arXiv:1802.01548) mutate one at a time.
    """
    space, codes = opened(architecture)
    sizes = space.program.sizes
    free = [index for index, code in enumerate(codes) if code >= 0 and sizes[index] > 1]
    if not free:
        return architecture
    chosen = [] if rate is None else [index for index in free if rng.random() < rate]
    raw = [drawn if code < 0 else code for code, drawn in zip(codes, space.program.draw_raw(rng), strict=True)]
    for index in chosen or [free[rng.integers(len(free))]]:
        other = int(rng.integers(sizes[index] - 1))
        raw[index] = other + (other >= codes[index])
    return space.from_codes(space.program.mask(raw))


def crossover(first: Architecture, second: Architecture, rng: np.random.Generator) -> Architecture:
    """A child that takes each decision that is live in both from one of them, with equal chance.

    A decision that is live in the child and in one parent is that parent's; in neither (tied parts can), sampled.
    Raises `SpaceError` where the parents are of different spaces.
    """
    space, codes = opened(first)
    others = space.codes(second)
    coins = rng.random(len(codes)) < 0.5
    drawn = space.program.draw_raw(rng)
    raw = [
        (mine if coin else yours) if mine >= 0 and yours >= 0 else max(mine, yours) if max(mine, yours) >= 0 else fresh
        for mine, yours, coin, fresh in zip(codes, others, coins, drawn, strict=True)
    ]
    return space.from_codes(space.program.mask(raw))


def neighbours(architecture: Architecture) -> list[Architecture]:
    """All architectures in which one live decision has another value, in the order of the space.

    Decisions that become live take their first option or lowest value. Numbers with more than `LISTED` values go 1 %
    and 10 % of their range up and down instead.
    """
    return [neighbour(architecture, *step) for step in steps(architecture)]


def steps(architecture: Architecture) -> list[tuple[int, int]]:
    """Of each of the `neighbours`: the number of the decision and its other code."""
    space, codes = opened(architecture)
    decided = zip(space.decisions, codes, strict=True)
    return [(named.index, other) for named, code in decided if code >= 0 for other in other_codes(named.decision, code)]


def neighbour(architecture: Architecture, index: int, other: int) -> Architecture:
    """The one in which this decision has the other code."""
    space, codes = opened(architecture)
    raw = [max(code, 0) for code in codes]
    raw[index] = other
    return space.from_codes(space.program.mask(raw))


def other_codes(decision: Decision, code: int) -> list[int]:
    """Codes of the neighbouring values of one decision."""
    if isinstance(decision, Choice) or decision.size <= LISTED:
        return [other for other in range(decision.size) if other != code]
    steps = (max(1, decision.size // 100), max(2, decision.size // 10))
    near = {min(max(code + sign * step, 0), decision.size - 1) for step in steps for sign in (-1, 1)}
    return sorted(near - {code})


def opened(architecture: Architecture) -> "tuple[Space, tuple[int, ...]]":
    """The space and codes. Raises `SpaceError` for an architecture that has lost its space in a pickle."""
    if architecture.space is None or architecture.codes is None:
        raise SpaceError(
            f"{architecture!r} has travelled without its space, so it cannot be varied or encoded; "
            "call space.attach(architecture) first"
        )
    return architecture.space, architecture.codes
