"""NAS-Bench-201 as trainable networks (Dong and Yang 2020, "NAS-Bench-201", ICLR; arXiv:2001.00326)."""

from dataclasses import dataclass

from nasturtium.blocks import (
    NB201_EDGES,
    NB201_OPERATIONS,
    Block,
    Expr,
    Head,
    NB201Cell,
    NB201Reduction,
    NormAct,
    Sequence,
    sequence,
)
from nasturtium.blocks.conv import conv_norm
from nasturtium.errors import SpaceError
from nasturtium.space import Open, Space, choice, register
from nasturtium.task import Signal, Task

PUBLISHED_WIDTH, PUBLISHED_CELLS = 16, 5


@register
@dataclass(frozen=True)
class ConvNorm(Block):
    """A 3x3 convolution and batch normalisation without activation: the stem of networks whose cells begin with one."""

    width: Open[int]

    def lower(self, x: Signal) -> Expr:
        return conv_norm(self.width, 3)


def nasbench201(task: Task, *, width: int = PUBLISHED_WIDTH, cells: int = PUBLISHED_CELLS, prune: bool = True) -> Space:
    """The 15,625 cells of NAS-Bench-201 in its macro network: stem, 3 stages of equal cells, reductions between.

    width: channels of the first stage (C), doubled by each reduction. cells: of a stage (N). prune: leave out what
    cannot reach the output of a cell; False counts as the benchmark does. Raises `SpaceError` unless given images.
    """
    if task.modality != "image":
        raise SpaceError(f"The space nasbench201 needs images, not a {task.modality}.")
    # One tuple, so one decision an edge: all cells of a network are equal.
    cell = NB201Cell(tuple(choice(*NB201_OPERATIONS) for _ in NB201_EDGES), prune)
    return Space(network(task, cell, width, cells), task, "nasbench201")


def network(task: Task, cell: NB201Cell, width: int = PUBLISHED_WIDTH, cells: int = PUBLISHED_CELLS) -> Sequence:
    """The network around a cell, decided or open."""
    parts: dict[str, Block] = {"stem": ConvNorm(width)}
    for stage in range(3):
        if stage:
            parts[f"reduction{stage}"] = NB201Reduction(width * 2**stage)
        parts |= {f"cell{stage + 1}_{place + 1}": cell for place in range(cells)}
    return sequence(**parts, last=NormAct(), head=Head(task))
