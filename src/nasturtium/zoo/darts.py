"""The search space of DARTS (Liu et al. 2019, "DARTS: Differentiable Architecture Search", ICLR; arXiv:1806.09055)."""

from itertools import combinations
from typing import Any

from nasturtium.blocks.cell_operations import DARTS_OPERATIONS
from nasturtium.blocks.cell_stack import INPUTS, Cell, CellNode, CellStack
from nasturtium.blocks.chain import Sequence, sequence
from nasturtium.blocks.heads import Head
from nasturtium.errors import SpaceError
from nasturtium.space import Space, choice
from nasturtium.task import Task
from nasturtium.zoo._scale import scaled
from nasturtium.zoo.genotypes import Genotype
from nasturtium.zoo.nasbench201 import ConvNorm

NODES = 4
SEARCH_WIDTH, SEARCH_CELLS = 16, 8
EVALUATION_WIDTH, EVALUATION_CELLS = 36, 20
CELL_SCALES = tuple(round(0.125 * 2 ** (step / 2), 3) for step in range(11))
"""1/8 … 4: factors on the width."""
STEM = 3
"""Channels of the stem, relative to the width."""


def darts(
    task: Task,
    *,
    max_params: float | None = None,
    max_macs: float | None = None,
    width: int = SEARCH_WIDTH,
    cells: int = SEARCH_CELLS,
    nodes: int = NODES,
    pool_norm: bool = False,
) -> Space:
    """Cells of `nodes` nodes, each with two of seven operations on two different earlier values; about 10^18 pairs of a
    normal and a reduction cell.

    max_params, max_macs: the width is changed so that a good third of uniform samples is within them.
    width: channels of the first cells (C). cells: length of the stack. The defaults are those of the search network;
    `EVALUATION_WIDTH`, `EVALUATION_CELLS` those of the network that is trained afterwards. pool_norm: normalise after
    pooling, as the search network does. Raises `SpaceError` unless given images.
    """
    _images(task, "darts")

    def make(scale: float) -> Space:
        normal, reduction = (Cell(tuple(_node(place) for place in range(nodes))) for _ in range(2))
        stack = CellStack(normal, reduction, even(width * scale), cells, pool_norm=pool_norm)
        return Space(stacked_network(task, stack), task, "darts")

    return scaled(make, task, max_params, max_macs, CELL_SCALES)


def even(width: float) -> int:
    """An even number of channels, 2 at least: a factorized reduction makes them in halves."""
    return max(2, round(width / 2) * 2)


def stacked_network(task: Task, stack: CellStack) -> Sequence:
    """A stack between a stem (3x3 convolution to three times the width) and a head, as for CIFAR-10."""
    return sequence(stem=ConvNorm(STEM * stack.width), cells=stack, head=Head(task))


def published_network(task: Task, cells: Genotype, *, width: int | None = None, length: int | None = None) -> Sequence:
    """The network of published cells. width, length (cells of the stack): those of the published network."""
    used = {name for cell in (cells.normal, cells.reduction) for node in cell.nodes for _, name in node.edges}
    stack = CellStack(
        cells.normal,
        cells.reduction,
        cells.width if width is None else width,
        cells.cells if length is None else length,
        operations=tuple(sorted(used)),
        distinct=cells.space == "darts",
    )
    _images(task, cells.name)
    return stacked_network(task, stack)


def _images(task: Task, name: str) -> None:
    if task.modality != "image":
        raise SpaceError(f"The space {name} needs images, not a {task.modality}.")


def _node(place: int) -> CellNode:
    pairs: list[Any] = list(combinations(range(INPUTS + place), 2))
    operations = (choice(*DARTS_OPERATIONS), choice(*DARTS_OPERATIONS))
    return CellNode(pairs[0] if len(pairs) == 1 else choice(*pairs), operations)
