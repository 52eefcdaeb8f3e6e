"""Small tables in the form of the real ones."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("op_01", "op_02", "op_12", "op_03", "op_13", "op_23")


def cell(codes: tuple[int, ...]) -> str:
    a, b, c, d, e, f = (OPERATIONS[code] for code in codes)
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


def nb201_table() -> pd.DataFrame:
    """Every cell of the first four operations on three edges, the others fixed: 64 rows with made-up scores."""
    rows = []
    for number, (a, b, c) in enumerate(itertools.product(range(4), repeat=3)):
        codes = (3, a, b, 1, c, 3)
        value = 50 + 5 * a + 3 * b + 2 * c - 2 * (a == b) + 0.01 * number
        row = {"idx": number, "arch": cell(codes), "c10_val_12": value - 10, "train_s_200_c10": 1800.0 + 10 * number}
        row |= {f"{one}_test_200": value + shift for shift, one in enumerate(("c10", "c100", "in16"))}
        rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A data folder with small tables of every benchmark but NB301."""
    folder = tmp_path / "data" / "benchmarks"
    folder.mkdir(parents=True)
    cells = nb201_table()
    cells.to_parquet(folder / "nb201.parquet")
    runs = [
        {"idx": row.idx, "run": run, "c10_val_200": row.c10_test_200 + run, "c100_valtest_200": row.c100_test_200 - run}
        | {"in16_valtest_200": row.in16_test_200}
        for row in cells.itertuples()
        for run in range(2)
    ]
    pd.DataFrame(runs).to_parquet(folder / "nb201_runs.parquet")
    latency = [1.0 + (number * 7) % 13 for number in range(len(cells))]
    pd.DataFrame({"idx": cells.idx, "hwnb_c10_raspi4_latency": latency}).to_parquet(folder / "nb201_hw.parquet")
    macro_tables(folder)
    spiking_tables(folder)
    return tmp_path / "data"


def macro_tables(folder: Path) -> None:
    digits = ["".join(map(str, row)) + "0000" for row in itertools.product(range(3), repeat=4)]
    accuracy = [sum(map(int, text)) + 0.1 * place / len(digits) for place, text in enumerate(digits)]
    params = [1000 + 10 * sum(map(int, text)) for text in digits]
    frame = pd.DataFrame({"arch": digits, "mean_acc": accuracy, "params": params, "flops": params})
    frame.to_parquet(folder / "nb_macro.parquet")


def spiking_tables(folder: Path) -> None:
    codes = list(itertools.product(range(3), repeat=3))
    frame = pd.DataFrame([(a, b, 0, c, 0, 0) for a, b, c in codes], columns=["e01", "e02", "e03", "e12", "e13", "e23"])
    frame.insert(0, "idx", range(len(frame)))
    frame.to_parquet(folder / "spikenas_c10.parquet")
    final = np.array([60 + 4 * a + 2 * b + c for a, b, c in codes], dtype=float)
    curves = final[:, None] * (1 - np.exp(-np.arange(1, 101) / 15.0))
    held = {
        "idx100": np.arange(len(frame), dtype=np.int16),
        "val_acc_x250_100": np.round(curves * 250).astype(np.uint16),
    }
    np.savez(folder / "spikenas_c10_valacc.npz", **held)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A table with text, true/false, codes and levels: 3 x 2 x 3 x 4 rows; the best is conv, True, 2, 64."""
    rows = list(itertools.product(("conv", "pool", "skip"), (False, True), range(3), (8, 16, 32, 64)))
    frame = pd.DataFrame(rows, columns=["op", "se", "code", "width"])
    frame["y"] = 10.0 * (frame.op == "conv") + frame.se + 2.0 * frame.code + np.log2(frame.width)
    frame.to_csv(tmp_path / "plain.csv", index=False)
    return tmp_path / "plain.csv"
