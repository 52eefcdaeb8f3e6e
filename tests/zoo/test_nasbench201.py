"""NAS-Bench-201: counts as the benchmark has them, and the number of different networks."""

from pathlib import Path

import pytest

from nasturtium.blocks import NB201_EDGES, NB201_OPERATIONS, NB201Cell
from nasturtium.hardware import CostModel
from nasturtium.space import Space, choice
from nasturtium.task import Signal, Task
from nasturtium.zoo import nasbench201

CIFAR = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")


def test_the_space_has_15625_cells_that_are_the_same_in_every_place() -> None:
    space = nasbench201(CIFAR)
    assert space.size == 15_625
    blocks = [block for _, block in space.sample(0).tree.links()]
    assert len({block for block in blocks if isinstance(block, NB201Cell)}) == 1
    assert sum(isinstance(block, NB201Cell) for block in blocks) == 15


def test_params_and_macs_equal_the_published_table(shared_data: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = shared_data / "benchmarks" / "nb201.parquet"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    table = pandas.read_parquet(path)
    model = CostModel(nasbench201(CIFAR, prune=False))
    codes = table[[f"op_{source}{target}" for source, target in NB201_EDGES]].values.tolist()
    wrong = 0
    for row, params_m, flops_m in zip(codes, table.params_m_c10, table.flops_m_c10, strict=True):
        sums = model.sums(row)
        wrong += sums["params"] != round(params_m * 1e6)
        # The benchmark counts the additions of the classifier's bias, 10 here, as multiply-accumulates.
        assert sums["macs"] + CIFAR.outputs == round(flops_m * 1e6)
    # 150 published counts are wrong (`params_mismatch_nats`); the table may have them mended.
    assert wrong in (0, int(table.params_mismatch_nats.sum()))


def test_the_cells_are_some_5260_different_networks() -> None:
    signal = Signal("image", (4, 8, 8))
    task = Task("classification", signal, 4, "accuracy")
    cell = Space(NB201Cell(tuple(choice(*NB201_OPERATIONS) for _ in NB201_EDGES)), task)
    assert 5_200 <= len({architecture.arch_id for architecture in cell.enumerate()}) <= 5_320
