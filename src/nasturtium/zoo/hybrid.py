"""Convolution first, attention later: stem, stages of inverted residuals, stages of relative attention.

Dai et al. 2021, "CoAtNet: Marrying Convolution and Attention for All Data Sizes", NeurIPS; arXiv:2106.04803, section
2.2. As there, no stage of convolutions follows one of attention. Ours leaves open what the last but one stage is made
of, and a stage of attention halves the sides by a strided 1x1 convolution, not by pooling.
"""

from functools import partial
from typing import Any

from nasturtium.blocks import ConvBN, Encoder, MBConv, TokenHead, sequence, stage
from nasturtium.errors import SpaceError
from nasturtium.space import Space, choice, integer
from nasturtium.task import Task
from nasturtium.zoo._scale import scaled
from nasturtium.zoo.conv_macro import plan
from nasturtium.zoo.vit import eights, pick

BASE_WIDTH = 16.0
GROWTH = 1.6
FACTORS = (0.75, 1.0, 1.5)
HEADS = (1, 2, 4)
RATIOS = (1.0, 2.0, 4.0)


def hybrid(task: Task, *, max_params: float | None = None, max_macs: float | None = None) -> Space:
    """Stages of convolutions, the last one or two of attention.

    max_params, max_macs: widths are chosen so that a good third of uniform samples is within them; without, stages
    begin at 8 to 24 wide. Raises `SpaceError` for tables and vectors.
    """
    if task.input.rank == 0:
        raise SpaceError(
            f"The space hybrid needs images or sequences, not a {task.modality}; for tables use ft-transformer."
        )
    return scaled(lambda scale: Space(partial(_tree, scale=scale), task, "hybrid"), task, max_params, max_macs)


def _tree(task: Task, scale: float) -> Any:
    shape = plan(task)
    last = len(shape.strides) - 1
    parts: dict[str, Any] = {"stem": ConvBN(pick(eights(BASE_WIDTH * scale, (0.5, 1.0))), 3, pick(shape.stem_strides))}
    for place, strides in enumerate(shape.strides):
        wide = eights(BASE_WIDTH * scale * GROWTH**place, FACTORS)
        here = partial(stage, width=pick(wide), depth=integer(1, 3), stride=pick(strides))
        conv, attention = partial(_convolution, shape.kernels), partial(_attention, wide)
        if place == last:
            parts[f"stage{place + 1}"] = here(attention)
        elif place == last - 1 and place:
            parts[f"stage{place + 1}"] = choice(conv=here(conv), attention=here(attention))
        else:
            parts[f"stage{place + 1}"] = here(conv)
    return sequence(**parts, head=TokenHead(task))


def _convolution(kernels: tuple[int, ...], position: int) -> MBConv:
    return MBConv(kernel=choice(*kernels), expand=choice(2, 4), se=choice(False, True), activation="gelu")


def _attention(widths: tuple[int, ...], position: int) -> Encoder:
    head_width = max(4, widths[-1] // HEADS[-1] // 4 * 4)
    return Encoder(heads=choice(*HEADS), ratio=choice(*RATIOS), head_width=head_width, relative=True)
