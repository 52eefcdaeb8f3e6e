"""The convolutional macro space: stem, two to four stages of mixed blocks, head; for images and sequences of any size.

Blocks: residual (He et al. 2016), inverted residual (Sandler et al. 2018) and plain, with squeeze-excitation (Hu et al.
2018), as in the macro spaces of MnasNet (Tan et al. 2019) and Once-for-all (Cai et al. 2020).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import log2
from typing import Any

from nasturtium.blocks import ConvBN, Head, MBConv, Plain, Residual, Resolution, sequence, stage
from nasturtium.errors import SpaceError
from nasturtium.space import Space, choice, integer, optional
from nasturtium.task import Task
from nasturtium.zoo._scale import rounded, scaled, widths

BASE_WIDTH = 16.0
FACTORS = (0.5, 0.75, 1.0, 1.5)
"""Widths of a stage, relative to its base; the base grows by `GROWTH` a stage."""
GROWTH = 1.6
SMALL = 0.5
"""Below this scale stages have two blocks at most: few parameters are better spent on width."""


@dataclass(frozen=True)
class Plan:
    """What suits the size of the input.

    sides: resolutions to choose from beside the input's own. stem_strides; strides: those of each stage. required:
    stages that are always there; the rest is optional. kernels, stem_kernels: of blocks and stem.
    """

    sides: tuple[int, ...]
    stem_strides: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    required: int
    kernels: tuple[int, ...]
    stem_kernels: tuple[int, ...]


def conv_macro(task: Task, *, max_params: float | None = None, max_macs: float | None = None) -> Space:
    """The macro space for images or sequences, with widths that suit the limits.

    max_params, max_macs: a good third of uniform samples is within them; without them, stages begin at 8 to 24 wide.
    Raises `SpaceError` for tables and vectors.
    """
    if task.input.rank == 0:
        raise SpaceError(f"The space conv-macro needs images or sequences, not a {task.modality}; use tabular or mlp.")
    return scaled(lambda scale: Space(partial(_tree, scale=scale), task, "conv-macro"), task, max_params, max_macs)


def plan(task: Task) -> Plan:
    """Resolutions, strides and kernels for the task's input: little downsampling for small inputs, much for large."""
    short = min(task.input.shape[1:])
    if task.input.rank == 1:
        return _sequence_plan(short)
    sides = tuple(round(short * part / 2) * 2 for part in (3 / 4, 1 / 2)) if short >= 24 else ()
    if short <= 12:
        return Plan((), (1,), ((1,), (1, 2), (1, 2)), 2, (3, 5), (3,))
    if short <= 48:
        return Plan(sides, (1, 2), ((1,), (2,), (1, 2)), 2, (3, 5), (3, 5))
    return Plan(sides, (2,), ((1, 2), (2,), (2,), (1, 2)), 3, (3, 5), (3, 5))


def _sequence_plan(length: int) -> Plan:
    """Strides so that some 4 to 16 positions remain, kernels that see a good part of the sequence."""
    halvings = max(0, round(log2(max(length, 1) / 12)))
    kernels = (3, 7) if length >= 32 else (3, 5)
    stem_kernels = (5, 9, 15) if length >= 64 else (3, 5)
    sides = (length // 2,) if length >= 256 else ()
    strides = tuple((1, 2) if place < halvings else (1,) for place in range(4))
    return Plan(
        sides, (1, 2) if halvings > 1 else (1,), strides[: max(2, min(4, halvings + 1))], 2, kernels, stem_kernels
    )


def _tree(task: Task, scale: float) -> Any:
    """The tree at a scale of widths."""
    shape = plan(task)
    style = {"activation": choice("relu", "silu", "hardswish"), "norm": choice("batch", "group")}
    base = BASE_WIDTH * scale
    parts: dict[str, Any] = {}
    if shape.sides:
        parts["resolution"] = choice(native=None, **{f"side{side}": Resolution(side) for side in shape.sides})
    stem_widths = widths(base, (0.5, 1.0))
    parts["stem"] = ConvBN(_pick(stem_widths), _pick(shape.stem_kernels), _pick(shape.stem_strides), **style)
    block = _blocks(shape.kernels, style)
    for place, strides in enumerate(shape.strides):
        wide = widths(base * GROWTH**place, FACTORS)
        here = stage(block, _pick(wide), integer(1, 3 if scale >= SMALL else 2), _pick(strides))
        parts[f"stage{place + 1}"] = here if place < shape.required else optional(here)
    hidden = choice(0, rounded(base * GROWTH ** len(shape.strides) * 2)) if scale >= SMALL else 0
    pools = ("avg", "max", "flatten") if task.input.rank == 2 and min(task.input.shape[1:]) <= 12 else ("avg", "max")
    parts["head"] = Head(
        task, hidden=hidden, pool=_pick(pools), dropout=choice(0.0, 0.2), activation=style["activation"]
    )
    return sequence(**parts)


def _blocks(kernels: tuple[int, ...], style: dict[str, Any]) -> Callable[[int], Any]:
    """What may stand at a position of a stage; called for each position, so every position decides for itself."""

    def block(position: int) -> Any:
        kernel = partial(choice, *kernels)
        return choice(
            residual=Residual(
                kernel=kernel(), expand=choice(0.5, 1.0), se=choice(False, True), skip=choice(False, True), **style
            ),
            mbconv=MBConv(kernel=kernel(), expand=choice(2, 3, 4, 6), se=choice(False, True), **style),
            plain=Plain(kernel=kernel(), se=choice(False, True), skip=choice(False, True), **style),
        )

    return block


def _pick(options: tuple[Any, ...]) -> Any:
    """A decision, or the only option."""
    return options[0] if len(options) == 1 else choice(*options)
