"""The NASNet search space.

Zoph et al. 2018, "Learning Transferable Architectures for Scalable Image Recognition", CVPR; arXiv:1707.07012.

Ours differs from it in that the results of two operations are always added (the paper also lets them be concatenated,
which none of its best cells does), and that convolutions are in the form of DARTS.
"""

from nasturtium.blocks.cell_operations import NASNET_OPERATIONS
from nasturtium.blocks.cell_stack import INPUTS, Cell, CellStack, CellTerm, FreeNode
from nasturtium.errors import SpaceError
from nasturtium.space import Space, choice
from nasturtium.task import Task
from nasturtium.zoo._scale import scaled
from nasturtium.zoo.darts import CELL_SCALES, even, stacked_network

NODES = 5
SEARCH_WIDTH, SEARCH_CELLS = 32, 8
"""Two normal cells a stage (N = 2) with 32 channels, as while NASNet searches; N = 6 is the published network."""
JOINS = ("loose", "all")


def nasnet(
    task: Task,
    *,
    max_params: float | None = None,
    max_macs: float | None = None,
    width: int = SEARCH_WIDTH,
    cells: int = SEARCH_CELLS,
    nodes: int = NODES,
    join: str = "loose",
) -> Space:
    """Cells of `nodes` nodes, each with two of thirteen operations on two earlier values, which may be the same.

    max_params, max_macs: the width is changed so that a good third of uniform samples is within them.
    width: channels of the first cells. cells: length of the stack. join: "loose", the nodes that no other reads are
    concatenated, as published; "all", every node, which mixtures of operations need (see `Relaxable`). Raises
    `SpaceError` unless given images, and for another join.
    """
    if task.modality != "image":
        raise SpaceError(f"The space nasnet needs images, not a {task.modality}.")
    if join not in JOINS:
        raise SpaceError(f"The space nasnet joins {' or '.join(JOINS)} nodes, not {join!r}.")

    def make(scale: float) -> Space:
        normal, reduction = (Cell(tuple(_node(place) for place in range(nodes)), join) for _ in range(2))
        stack = CellStack(normal, reduction, even(width * scale), cells, NASNET_OPERATIONS, distinct=False)
        return Space(stacked_network(task, stack), task, "nasnet")

    return scaled(make, task, max_params, max_macs, CELL_SCALES)


def _node(place: int) -> FreeNode:
    first, second = (CellTerm(choice(*range(INPUTS + place)), choice(*NASNET_OPERATIONS)) for _ in range(2))
    return FreeNode((first, second))
