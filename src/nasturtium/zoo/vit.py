"""Vision transformers of elastic width, depth, heads and ratio, for images and sequences of any size.

Chen et al. 2021, "AutoFormer: Searching Transformers for Visual Recognition", ICCV; arXiv:2107.00651, section 3.2. As
there, every block decides on its heads and its ratio, a head always has the same width, and width and depth are those
of the whole network. Ours adds the side of the patches, takes the mean of the tokens instead of a class token (their
option), and has widths for small data.
"""

from math import prod
from typing import Any

from nasturtium.blocks import Encoder, PatchEmbedding, TokenHead, sequence, stage
from nasturtium.errors import SpaceError
from nasturtium.space import Space, choice, integer
from nasturtium.task import Task
from nasturtium.zoo._scale import scaled

BASE_WIDTH = 64.0
FACTORS = (0.75, 1.0, 1.25)
RATIOS = (1.0, 2.0, 3.0, 4.0)
HEADS = (1, 2, 3, 4)
MOST_BLOCKS = 6
TOKENS = (9, 256)
"""Fewest and most patches."""
MOST_PATCHES = 3
"""Sides of patches to choose from."""


def vit(task: Task, *, max_params: float | None = None, max_macs: float | None = None) -> Space:
    """Patches, one to six transformer blocks, mean of the tokens.

    max_params, max_macs: widths are chosen so that a good third of uniform samples is within them; without, they are 48
    to 80. Raises `SpaceError` for tables and vectors.
    """
    if task.input.rank == 0:
        raise SpaceError(
            f"The space vit needs images or sequences, not a {task.modality}; for tables use ft-transformer."
        )
    return scaled(lambda scale: Space(_tree(task, scale), task, "vit"), task, max_params, max_macs)


def eights(base: float, factors: tuple[float, ...]) -> tuple[int, ...]:
    """`base` times each factor, rounded to multiples of 8, each once."""
    return tuple(dict.fromkeys(max(8, round(base * factor / 8) * 8) for factor in factors))


def patches(task: Task) -> tuple[int, ...]:
    """Sides of patches that divide the input into a sensible number of tokens, from small to large."""
    sides = task.input.shape[1:]
    fewest, most = TOKENS
    fitting = [side for side in range(1, min(sides) + 1) if prod(s // side for s in sides) <= most]
    good = [side for side in fitting if prod(s // side for s in sides) >= fewest] or fitting[:1]
    return tuple([side for side in good if not any(s % side for s in sides)] or good)[:MOST_PATCHES]


def pick(options: tuple[Any, ...]) -> Any:
    """A decision, or the only option."""
    return options[0] if len(options) == 1 else choice(*options)


def _tree(task: Task, scale: float) -> Any:
    widths = eights(BASE_WIDTH * scale, FACTORS)
    width = pick(widths)
    head_width = max(4, widths[-1] // HEADS[-1] // 4 * 4)

    def block(position: int) -> Encoder:
        return Encoder(heads=choice(*HEADS), ratio=choice(*RATIOS), head_width=head_width, dropout=dropout)

    dropout = choice(0.0, 0.1)
    return sequence(
        embed=PatchEmbedding(width, pick(patches(task)), dropout=dropout),
        body=stage(block, width, integer(1, MOST_BLOCKS)),
        head=TokenHead(task),
    )
