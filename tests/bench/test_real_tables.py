"""The real tables, where they are here: what is published about them, and that searches on them land near it."""

from pathlib import Path

import numpy as np
import pytest

from nasturtium.bench import BENCHMARKS
from nasturtium.bench.cells import Cells
from nasturtium.trial import Fidelity
from nasturtium.workflows.bench import BenchOptions, run_bench


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> Path:
    if not (shared_data / "benchmarks" / "nb201.parquet").is_file():
        pytest.skip(f"the benchmark tables are not in {shared_data}")
    return shared_data


def means(tables: Path, name: str, strategy: str, **options: object) -> dict[str, float]:
    found = run_bench(BenchOptions(name, strategy=strategy, data=str(tables), workers=1, **options))
    return {row.metric: row.mean for row in found.rows}


def test_the_table_of_cells_is_the_published_one(tables):
    cells = Cells(tables)
    assert len(cells.codes) == len(cells.candidates("strings").listed) == 15_625
    assert len(cells.candidates("networks").listed) == 5_260
    (official,) = BENCHMARKS["nb201"](tables, "official", None).problems("strings")
    assert official.queries == 109
    # The best 12-epoch cell of all: the ceiling of the protocol.
    table = cells.table
    best = official.candidates(0).space.from_codes(cells.codes[int(table.c10_val_12.idxmax())])
    told = official.reported(best, 0)
    assert [round(told[name], 2) for name in ("c10_test", "c100_test", "in16_test")] == [94.37, 73.09, 46.33]
    cost = [official.query(one, Fidelity(12), 0).seconds for one in official.candidates(0).listed]
    assert np.mean(cost) == pytest.approx(109.68, abs=0.01)


def test_random_search_lands_near_its_published_figures(tables):
    found = means(tables, "nb201", "random", protocol="official", seeds=40)
    assert found["c10_test"] == pytest.approx(93.70, abs=0.36)
    assert found["c100_test"] == pytest.approx(71.04, abs=1.07)
    assert found["in16_test"] == pytest.approx(44.57, abs=1.25)


def test_evolution_and_local_search_take_about_as_many_queries_as_published(tables):
    """Within three standard errors of 16 searches: 65 / 63 and 104 / 110, with spreads of about 45 and 60."""
    found = means(tables, "nb201", "local-search", protocol="queries", seeds=16, queries=300)
    assert 65 - 34 < found["queries_to_best_c10"] < 65 + 34
    assert 63 - 34 < found["queries_to_best_c100"] < 63 + 34
    found = means(tables, "nb201", "regularized-evolution", protocol="queries", seeds=16, queries=300)
    assert 104 - 45 < found["queries_to_best_c10"] < 104 + 45
    assert 110 - 45 < found["queries_to_best_c100"] < 110 + 45


def test_the_other_tables_open_and_answer(tables):
    for name, queries in (("nb-macro", 20), ("nb201-latency", 20), ("spiking", 20)):
        found = means(tables, name, "random", seeds=1, queries=queries)
        assert found
    (macro,) = BENCHMARKS["nb-macro"](tables, None, None).problems("rows")
    assert macro.goal == pytest.approx(93.1267, abs=1e-3)


def test_the_surrogate_answers_with_curves(tables):
    (problem,) = BENCHMARKS["nb301"](tables, None, None).problems("rows")
    candidates = problem.candidates(0)
    assert len(candidates.space.decisions) == 34
    architectures = [candidates.sample(np.random.default_rng(seed)) for seed in range(10)]
    outcomes = [problem.query(architecture, Fidelity(98), 0) for architecture in architectures]
    assert all(len(outcome.curve) == 98 for outcome in outcomes)
    assert all(85.0 < outcome.measures["val_accuracy"] < 96.0 for outcome in outcomes)
    assert len({outcome.measures["val_accuracy"] for outcome in outcomes}) > 5
    short = problem.query(architectures[0], Fidelity(3), 0)
    assert short.curve == pytest.approx(outcomes[0].curve[:3])
