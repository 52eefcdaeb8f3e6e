"""Widths that suit limits: a space is made for several scales, and the best-suited one is taken."""

from collections.abc import Callable, Sequence

from nasturtium.blocks import Block, Counts
from nasturtium.blocks.block import Chain
from nasturtium.blocks.counted import counted
from nasturtium.space import Space
from nasturtium.task import Signal, Task

SCALES = tuple(round(0.25 * 2 ** (step / 3), 3) for step in range(16))
"""0.25 … 8: factors on the widths of a space."""

SAMPLES = 96
SHARE = 0.35
"""Share of the samples that should meet the limits: random search wastes little, and the limit can be used up."""


def counts_of(block: Block, x: Signal) -> Counts:
    """Counted costs of a block tree, folded link by link."""
    if not isinstance(block, Chain):
        return counted(block.lower(x), x)
    total = Counts()
    for _, link in block.links():
        total = total.then(counts_of(link, x))
        x = link.lower(x).out(x)
    return total


def scaled(
    make: Callable[[float], Space],
    task: Task,
    max_params: float | None,
    max_macs: float | None,
    scales: Sequence[float] = SCALES,
) -> Space:
    """The space of the largest scale of which at least `SHARE` of the samples are within the limits (bisection).

    make: the space at a scale. Without limits, scale 1; where even the smallest scale is too large, the smallest.
    """
    if max_params is None and max_macs is None:
        return make(1.0)
    low, high = 0, len(scales) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if _share(make(scales[middle]), task, max_params, max_macs) >= SHARE:
            low = middle
        else:
            high = middle - 1
    return make(scales[low])


def _share(space: Space, task: Task, max_params: float | None, max_macs: float | None) -> float:
    """Share of `SAMPLES` seeded samples that are within the limits."""
    within = 0
    for seed in range(SAMPLES):
        counts = counts_of(space.sample(seed).tree, task.input)
        within += (max_params is None or counts.params <= max_params) and (max_macs is None or counts.macs <= max_macs)
    return within / SAMPLES


def widths(base: float, factors: Sequence[float]) -> tuple[int, ...]:
    """`base` times each factor, rounded as `rounded` does; each width once.

    >>> widths(16, (0.5, 0.75, 1, 1.5, 2.3))
    (8, 12, 16, 24, 40)
    """
    return tuple(dict.fromkeys(rounded(base * factor) for factor in factors))


def rounded(width: float) -> int:
    """An even width, 4 at least; from 16 on a multiple of 4, from 32 on a multiple of 8."""
    step = 2 if width < 16 else 4 if width < 32 else 8
    return max(4, round(width / step) * step)
