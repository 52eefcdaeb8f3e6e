"""Cells that were found elsewhere, as decisions of our cell spaces: `search --from known-cells`."""

from collections.abc import Iterator, Mapping
from typing import Any

from nasturtium.blocks.cell_stack import Cell
from nasturtium.zoo import GENOTYPES

KNOWN_CELLS = "known-cells"
BEST_OF_NASBENCH201: Mapping[str, tuple[str, ...]] = {
    "CIFAR-10": ("nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3", "skip_connect", "nor_conv_3x3", "nor_conv_1x1"),
    "CIFAR-100": ("nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3", "skip_connect", "nor_conv_3x3", "nor_conv_3x3"),
    "ImageNet16-120": ("nor_conv_3x3", "nor_conv_1x1", "nor_conv_1x1", "skip_connect", "nor_conv_3x3", "nor_conv_3x3"),
}
"""Operations of the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3 of the cells with the best mean validation accuracy after 200
epochs (Dong and Yang 2020, arXiv:2001.00326; the benchmark's table)."""


def known_cells() -> Iterator[dict[str, Any]]:
    """For the spaces `nasbench201` and `darts`; a search takes those of its own space."""
    for data, operations in BEST_OF_NASBENCH201.items():
        decisions = {f"blocks.cell1_1.operations.{edge}": name for edge, name in enumerate(operations)}
        yield {"space": "nasbench201", "decisions": decisions, "origin": f"NAS-Bench-201 on {data}"}
    for found in GENOTYPES.values():
        if found.space == "darts":
            decisions = {**_cell("normal", found.normal), **_cell("reduction", found.reduction)}
            yield {
                "space": "darts",
                "decisions": decisions,
                "origin": f"{found.name} ({found.source.partition(';')[0]})",
            }


def _cell(name: str, cell: Cell) -> dict[str, str]:
    """Decisions of the space `darts`: the pair of inputs in rising order, and the operation on each."""
    made: dict[str, str] = {}
    for place, node in enumerate(cell.nodes):
        (first, on_first), (second, on_second) = sorted(node.edges)
        path = f"blocks.cells.{name}.nodes.{place}"
        made |= {f"{path}.inputs": f"{first}x{second}", f"{path}.operations.0": on_first,
                 f"{path}.operations.1": on_second}  # fmt: skip
    return made
