"""Published cells, as data. Inputs: 0 is the cell before the last one, 1 the last one, 2 the first node, and so on.

Each entry names the paper and, where it is not the paper's own figure, the published file the cell was read from.
"""

from dataclasses import dataclass

from nasturtium.blocks.cell_stack import Cell, CellNode
from nasturtium.errors import SpaceError, hint

Term = tuple[str, int]
MAX, AVG, SKIP, CONV71 = "max_pool_3x3", "avg_pool_3x3", "skip_connect", "conv_7x1_1x7"
SEP3, SEP5, SEP7, DIL3, DIL5 = "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "dil_conv_3x3", "dil_conv_5x5"


@dataclass(frozen=True)
class Genotype:
    """A normal and a reduction cell. width, cells, params_m: of the CIFAR-10 network whose size was published, without
    auxiliary head. space: the space the cells are from."""

    name: str
    normal: Cell
    reduction: Cell
    source: str
    width: int
    params_m: float
    cells: int = 20
    space: str = "darts"


def _cell(*nodes: tuple[Term, Term], join: str | tuple[int, ...] = "all") -> Cell:
    """A cell from (operation, input) pairs."""
    made = (CellNode((first[1], second[1]), (first[0], second[0])) for first, second in nodes)
    return Cell(tuple(made), join)


GENOTYPES = {
    genotype.name: genotype
    for genotype in (
        Genotype(
            "darts-v1",
            _cell(
                ((SEP3, 1), (SEP3, 0)),
                ((SKIP, 0), (SEP3, 1)),
                ((SKIP, 0), (SEP3, 1)),
                ((SEP3, 0), (SKIP, 2)),
            ),
            _cell(((MAX, 0), (MAX, 1)), ((SKIP, 2), (MAX, 0)), ((MAX, 0), (SKIP, 2)), ((SKIP, 2), (AVG, 0))),
            "Liu et al. 2019, arXiv:1806.09055, first order; github.com/quark0/darts, cnn/genotypes.py",
            36,
            3.3,
        ),
        Genotype(
            "darts-v2",
            _cell(((SEP3, 0), (SEP3, 1)), ((SEP3, 0), (SEP3, 1)), ((SEP3, 1), (SKIP, 0)), ((SKIP, 0), (DIL3, 2))),
            _cell(((MAX, 0), (MAX, 1)), ((SKIP, 2), (MAX, 1)), ((MAX, 0), (SKIP, 2)), ((SKIP, 2), (MAX, 1))),
            "Liu et al. 2019, arXiv:1806.09055, second order; github.com/quark0/darts, cnn/genotypes.py",
            36,
            3.3,
        ),
        Genotype(
            "gdas",
            _cell(((SKIP, 0), (SKIP, 1)), ((SKIP, 0), (SEP5, 2)), ((SEP3, 3), (SKIP, 0)), ((SEP5, 4), (SEP3, 3))),
            _cell(((SEP5, 0), (SEP3, 1)), ((SEP5, 2), (SEP5, 1)), ((DIL5, 2), (SEP3, 1)), ((SEP5, 0), (SEP5, 1))),
            "Dong and Yang 2019, arXiv:1910.04465; github.com/D-X-Y/AutoDL-Projects, GDAS_V1",
            36,
            3.4,
        ),
        Genotype(
            "pc-darts",
            _cell(((SEP3, 1), (SKIP, 0)), ((SEP3, 0), (DIL3, 1)), ((SEP5, 0), (SEP3, 1)), ((AVG, 0), (DIL3, 1))),
            _cell(((SEP5, 1), (MAX, 0)), ((SEP5, 1), (SEP5, 2)), ((SEP3, 0), (SEP3, 3)), ((SEP3, 1), (SEP3, 2))),
            "Xu et al. 2020, arXiv:1907.05737; github.com/yuhuixu1993/PC-DARTS, genotypes.py, PC_DARTS_cifar",
            36,
            3.6,
        ),
        Genotype(
            "drnas",
            _cell(((SEP3, 0), (SEP5, 1)), ((SEP3, 1), (SEP3, 2)), ((SKIP, 0), (SEP3, 1)), ((SEP3, 2), (DIL5, 3))),
            _cell(((MAX, 0), (SEP5, 1)), ((DIL5, 2), (SEP5, 1)), ((SEP5, 1), (DIL5, 3)), ((SKIP, 4), (SEP5, 1))),
            "Chen et al. 2021, arXiv:2006.10355; github.com/xiangning-chen/DrNAS, DrNAS_cifar10",
            36,
            4.0,
        ),
        Genotype(
            "enas",
            _cell(
                ((AVG, 0), (SEP3, 0)),
                ((SKIP, 0), (SEP5, 0)),
                ((SKIP, 0), (SEP5, 1)),
                ((SEP3, 1), (SEP5, 0)),
                ((AVG, 0), (SEP5, 1)),
                join="loose",
            ),
            _cell(
                ((SEP3, 1), (SEP3, 1)),
                ((MAX, 0), (AVG, 0)),
                ((SEP5, 1), (SEP5, 3)),
                ((SEP3, 1), (SKIP, 0)),
                ((MAX, 0), (SEP5, 1)),
                join="loose",
            ),
            "Pham et al. 2018, arXiv:1802.03268; github.com/melodyguan/enas, scripts/cifar10_micro_final.sh",
            36,
            4.6,
            cells=17,
            space="nasnet",
        ),
        Genotype(
            "nasnet-a",
            _cell(
                ((SEP5, 1), (SEP3, 0)),
                ((SEP5, 0), (SEP3, 0)),
                ((AVG, 1), (SKIP, 0)),
                ((AVG, 0), (AVG, 0)),
                ((SEP3, 1), (SKIP, 1)),
                join=(0, 2, 3, 4, 5, 6),
            ),
            _cell(
                ((SEP5, 1), (SEP7, 0)),
                ((MAX, 1), (SEP7, 0)),
                ((AVG, 1), (SEP5, 0)),
                ((SKIP, 3), (AVG, 2)),
                ((SEP3, 2), (MAX, 1)),
                join=(3, 4, 5, 6),
            ),
            "Zoph et al. 2018, arXiv:1707.07012; github.com/tensorflow/models, research/slim/nets/nasnet",
            32,
            3.3,
            space="nasnet",
        ),
        Genotype(
            "amoebanet-a",
            _cell(
                ((AVG, 0), (MAX, 1)),
                ((SEP3, 0), (SEP5, 2)),
                ((SEP3, 0), (AVG, 3)),
                ((SEP3, 1), (SKIP, 1)),
                ((SKIP, 0), (AVG, 1)),
                join="loose",
            ),
            _cell(
                ((AVG, 0), (SEP3, 1)),
                ((MAX, 0), (SEP7, 2)),
                ((SEP7, 0), (AVG, 1)),
                ((MAX, 0), (MAX, 1)),
                ((CONV71, 0), (SEP3, 5)),
                join="loose",
            ),
            "Real et al. 2019, arXiv:1802.01548; as written in github.com/quark0/darts, cnn/genotypes.py",
            36,
            3.2,
            space="nasnet",
        ),
    )
}
"""Published cells by name."""


def genotype(name: str) -> Genotype:
    """The published cells of that name (underscores are accepted). Raises `SpaceError` with the nearest names."""
    key = name.lower().replace("_", "-")
    if key not in GENOTYPES:
        raise SpaceError(f"There are no published cells {name!r}. {hint(key, GENOTYPES)}")
    return GENOTYPES[key]
