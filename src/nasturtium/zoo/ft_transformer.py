"""FT-Transformer for tables (Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", NeurIPS;
arXiv:2106.11959, section 3.3 and appendix E).

Every column is a token; the result is read from a token of its own. The published default (three blocks, 192 features,
eight heads, ratio 4/3, dropout 0.2 and 0.1) is a point of the space of scale 3; ours begins with narrower ones.
"""

from typing import Any

from nasturtium.blocks import ColumnEmbedding, Encoder, TokenHead, sequence, stage
from nasturtium.errors import SpaceError
from nasturtium.space import Space, choice, integer
from nasturtium.task import Task
from nasturtium.zoo._scale import scaled
from nasturtium.zoo.vit import eights, pick

BASE_WIDTH = 64.0
FACTORS = (0.25, 0.5, 1.0)
HEADS = (2, 4, 8)
RATIOS = (2 / 3, 4 / 3, 8 / 3)
MOST_BLOCKS = 4


def ft_transformer(task: Task, *, max_params: float | None = None, max_macs: float | None = None) -> Space:
    """Tokens of columns, one to four transformer blocks with gated networks, a class token.

    max_params, max_macs: widths are chosen so that a good third of uniform samples is within them; without, they are 16
    to 64. Raises `SpaceError` for anything but tables.
    """
    if task.modality != "table":
        instead = "mlp" if task.modality == "vector" else "vit"
        raise SpaceError(f"The space ft-transformer needs a table, not a {task.modality}; use {instead}.")
    return scaled(lambda scale: Space(_tree(task, scale), task, "ft-transformer"), task, max_params, max_macs)


def _tree(task: Task, scale: float) -> Any:
    width = pick(eights(BASE_WIDTH * scale, FACTORS))
    drop = {"dropout": choice(0.0, 0.1, 0.2), "attention_dropout": choice(0.0, 0.2)}
    heads, ratio = choice(*HEADS), choice(*RATIOS)  # as published, equal in all blocks

    def block(position: int) -> Encoder:
        # The first normalisation is left out (section 3.3, "Transformer").
        return Encoder(heads=heads, ratio=ratio, activation="relu", gated=True, prenorm=position > 0, **drop)

    return sequence(
        embed=ColumnEmbedding(width),
        body=stage(block, width, integer(1, MOST_BLOCKS)),
        head=TokenHead(task, pool="first", activation="relu"),
    )
