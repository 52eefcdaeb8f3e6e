"""Known transformers of images and tables: DeiT and FT-Transformer."""

from math import log2
from typing import Any

from nasturtium.blocks import Block, ColumnEmbedding, Encoder, PatchEmbedding, TokenHead, sequence, stage
from nasturtium.task import Task
from nasturtium.zoo._families import SCALES, Family, named, short_side

HEAD_WIDTH = 64
PATCHES_A_SIDE = 14
"""Published: patches of 16 on 224 pixels."""


def deit_tiny(task: Task) -> Family:
    """Twelve blocks of three heads; the label is the factor on the width. Patches are smaller on smaller images."""
    return _deit(task, "deit-tiny", heads=3)


def deit_small(task: Task) -> Family:
    """Twelve blocks of six heads; the label is the factor on the width. Patches are smaller on smaller images."""
    return _deit(task, "deit-small", heads=6)


def _deit(task: Task, name: str, heads: int) -> Family:
    patch = 2 ** max(0, round(log2(short_side(task) / PATCHES_A_SIDE)))

    def make(scale: float) -> Block:
        width = heads * max(4, round(HEAD_WIDTH * scale / 4) * 4)
        embed = PatchEmbedding(width, patch, token=True)
        return sequence(embed=embed, body=stage(Encoder(heads=heads), width, 12), head=TokenHead(task, pool="first"))

    citation = "Touvron et al. 2021, Training data-efficient image transformers (arXiv:2012.12877)"
    return Family(name, citation, make, named(SCALES), 1.0)


def ft_transformer(task: Task) -> Family:
    """Three blocks of eight heads on tokens of columns, the default of its authors; the label is the width."""

    def block(place: int) -> Any:
        # The first block has no normalisation before its attention (section 3.3).
        return Encoder(
            heads=8, ratio=4 / 3, activation="relu", gated=True, prenorm=place > 0, dropout=0.1, attention_dropout=0.2
        )

    def make(width: int) -> Block:
        head = TokenHead(task, pool="first", activation="relu")
        return sequence(embed=ColumnEmbedding(width), body=stage(block, width, 3), head=head)

    citation = "Gorishniy et al. 2021, Revisiting deep learning models for tabular data (arXiv:2106.11959)"
    return Family("ft-transformer", citation, make, named((8, 16, 24, 32, 48, 64, 96, 128, 192)), 192)
