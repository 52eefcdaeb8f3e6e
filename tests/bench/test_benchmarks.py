"""The ready benchmarks on small tables of the same form: protocols, identities, and what is wrong with a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasturtium.bench import BENCHMARKS
from nasturtium.bench.cells import PUBLISHED_PROXIES, Cells, _candidates
from nasturtium.bench.files import read
from nasturtium.bench.nb_macro import chain_features
from nasturtium.bench.plain import are_codes, load_plain
from nasturtium.bench.search import search
from nasturtium.blocks import NB201_OPERATIONS
from nasturtium.errors import DataError, RunError
from nasturtium.schedulers.registry import scheduler
from nasturtium.strategies.auto import Auto
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.strategies.nsga2 import Nsga2
from nasturtium.strategies.random_search import Random
from nasturtium.trial import Fidelity


def problems(tables: Path, name: str, protocol: str | None = None, identity: str = "strings", queries=None):
    return BENCHMARKS[name](tables, protocol, queries).problems(identity)


def run(problem, strategy, seed=0, schedule="full"):
    return search(problem, strategy, scheduler(schedule, max_epochs=problem.epochs), Random(), seed)


def test_the_official_protocol_spends_its_seconds_and_tells_the_tests_of_the_best_validation(tables):
    (problem,) = problems(tables, "nb201", "official")
    found = run(problem, Random())
    table = pd.read_parquet(tables / "benchmarks" / "nb201.parquet")
    assert problem.seconds == 12_000.0
    # 64 cells of 108 to 146 s: all fit.
    assert found.course.queries == 64
    assert found.course.seconds == pytest.approx(table.train_s_200_c10.sum() * 12 / 200, abs=0.1)
    best = table.loc[table.c10_val_12.idxmax()]
    assert [metric.of(found.course).value for metric in problem.metrics] == [
        best.c10_test_200,
        best.c100_test_200,
        best.in16_test_200,
    ]


def test_a_query_that_would_end_after_the_budget_is_not_made(tables):
    path = tables / "benchmarks" / "nb201.parquet"
    table = pd.read_parquet(path)
    table["train_s_200_c10"] = 50_000.0  # 3,000 s a query: four fit, the fifth would end where the budget does not
    table.to_parquet(path)
    course = run(problems(tables, "nb201", "official")[0], Random()).course
    assert (course.queries, course.seconds) == (4, 12_000.0)
    table["train_s_200_c10"] = 51_000.0
    table.to_parquet(path)
    course = run(problems(tables, "nb201", "official")[0], Random()).course
    assert (course.queries, course.seconds) == (3, 12_000.0)


def test_queries_end_at_the_best_cell_of_each_data_set(tables):
    for problem in problems(tables, "nb201", "queries"):
        found = run(problem, LocalSearch(1))
        measured = problem.metrics[0].of(found.course)
        assert not measured.capped
        assert measured.value == found.course.queries < 64
        assert found.end == "The best was found."


def test_a_capped_search_says_so(tables):
    problem = problems(tables, "nb201", "queries", queries=2)[0]
    found = run(problem, Random())
    assert problem.metrics[0].of(found.course).capped
    assert found.end == "All 2 queries were made."


def test_noisy_runs_are_chosen_by_the_seed_of_the_trial(tables):
    problem = problems(tables, "nb201", "noisy")[0]
    architecture = problem.candidates(0).listed[0]
    seen = {problem.query(architecture, Fidelity(200), seed).measures["c10_val_200"] for seed in range(4)}
    assert len(seen) == 2
    assert [metric.name for metric in problem.metrics] == [f"c10_test_after_{count}" for count in (20, 50, 100)]


def test_cells_that_are_the_same_network_are_one_among_networks(tables):
    strings = problems(tables, "nb201", "queries", "strings")[0].candidates(0)
    networks = problems(tables, "nb201", "queries", "networks")[0].candidates(0)
    assert len(strings.listed) == 64
    assert len(networks.listed) < 64
    assert set(networks.features(networks.listed[0])) == {"encoding", "costs", "graph", "paths", "wl"}
    assert set(strings.features(strings.listed[0])) == {"encoding"}


def test_the_quick_identity_of_cells_is_that_of_whole_networks():
    from nasturtium.bench.cells import CIFAR
    from nasturtium.zoo import nasbench201

    rng = np.random.default_rng(0)
    rows = sorted({tuple(row) for row in rng.integers(0, len(NB201_OPERATIONS), (150, 6)).tolist()})
    rows += [(0, 0, 0, 0, 0, code) for code in range(5)] + [(1, 0, 0, code, 0, 0) for code in range(5)]
    whole, quick = nasbench201(CIFAR), _candidates("networks", tuple(dict.fromkeys(rows))).space
    pairs = {(whole.from_codes(row).arch_id, quick.from_codes(row).arch_id) for row in rows}
    assert len({first for first, _ in pairs}) == len(pairs) == len({second for _, second in pairs})
    assert len(pairs) < len(set(rows))


def test_the_hypervolume_is_a_share_of_the_whole_tables(tables):
    (problem,) = problems(tables, "nb201-latency")
    found = run(problem, Nsga2(8))
    assert found.course.queries == 64
    assert found.course.points[-1].shown["hypervolume"] == pytest.approx(1.0)
    shares = [point.shown["hypervolume"] for point in found.course.points]
    assert shares == sorted(shares)


def test_macro_counts_queries_to_near_the_best_and_to_the_best(tables):
    (problem,) = problems(tables, "nb-macro")
    found = run(problem, LocalSearch(1))
    values = {metric.name: metric.of(found.course) for metric in problem.metrics}
    assert values["queries_to_within_0.05"].value <= values["queries_to_best"].value == found.course.queries
    assert values["best_after_100"].value == problem.goal


def test_full_training_of_all_cells_has_no_regret_and_costs_every_epoch(tables):
    (problem,) = problems(tables, "spiking")
    found = run(problem, Random())
    assert found.course.epochs == 27 * 100
    assert found.course.points[-1].shown == {"val_accuracy": pytest.approx(74.0, abs=0.3), "regret": 0.0}


def test_schedulers_spend_fewer_epochs_on_the_same_cells(tables):
    (problem,) = problems(tables, "spiking")
    for name in ("asha", "successive-halving"):
        found = run(problem, Random(), schedule=name)
        values = {metric.name: metric.of(found.course).value for metric in problem.metrics}
        assert values["epochs_spent"] < 27 * 100
        assert values["regret"] <= 1.0
        assert values["epochs_to_within_0.3"] <= values["epochs_spent"]


def test_a_continuation_pays_for_its_new_epochs_alone(tables):
    (problem,) = problems(tables, "spiking")
    course = run(problem, Random(), schedule="asha").course
    # The paid epochs are those of the highest rung of each cell: never more than the cells have.
    assert course.epochs % 1 == 0
    assert course.queries > 27
    assert course.epochs <= 27 * 100


def test_each_seed_of_the_curves_draws_its_own_cells(tables):
    (problem,) = problems(tables, "spiking", queries=10)
    first, second = (set(problem.candidates(seed).row) for seed in (0, 1))
    assert len(first) == len(second) == 10
    assert first != second


@pytest.mark.parametrize(
    ("name", "protocol", "said"),
    [
        ("nb201", "offical", "nb201 has no protocol 'offical'. Did you mean 'official'?"),
        ("nb-macro", "official", "nb-macro has no protocol 'official'. It has 'queries' alone"),
        ("spiking", "curve", "spiking has no protocol 'curve'. Did you mean 'curves'?"),
    ],
)
def test_an_unknown_protocol_is_named(tables, name, protocol, said):
    with pytest.raises(RunError) as refused:
        BENCHMARKS[name](tables, protocol, None)
    assert said in str(refused.value)


def spoiled(tables: Path, name: str, change) -> None:
    path = tables / "benchmarks" / name
    frame = pd.read_parquet(path)
    change(frame).to_parquet(path)


@pytest.mark.parametrize(
    ("change", "protocol", "said"),
    [
        (
            lambda frame: frame.drop(columns="c10_val_12").rename(columns={"idx": "c10_val_200"}),
            "official",
            "no column 'c10_val_12', which the protocol 'official' needs (validation accuracy after 12 epochs). "
            "Did you mean 'c10_val_200'",
        ),
        (lambda frame: frame.drop(columns="in16_test_200"), "queries", "no column 'in16_test_200'"),
        (lambda frame: frame.drop(columns="arch"), "queries", "no column 'arch', which names the cells"),
        (
            lambda frame: frame.assign(arch=frame.arch.str.replace("nor_conv_1x1", "nor_conv_5x5")),
            "queries",
            "has the unknown operation 'nor_conv_5x5' in",
        ),
        (lambda frame: frame.assign(arch="|none~0|"), "queries", "Row 0 of 'nb201.parquet' has the cell '|none~0|'"),
        (
            lambda frame: pd.concat([frame, frame.head(3)], ignore_index=True),
            "queries",
            "has 3 rows whose decisions stand in an earlier row too: rows 0 and 64",
        ),
        (
            lambda frame: frame.assign(c10_test_200=frame.c10_test_200.where(frame.idx > 1)),
            "queries",
            "Column 'c10_test_200' of 'nb201.parquet' has no finite number in 2 of 64 rows, first in row 0",
        ),
        (lambda frame: frame.head(0), "queries", "has no rows"),
    ],
)
def test_what_is_wrong_with_a_table_of_cells_is_said(tables, change, protocol, said):
    spoiled(tables, "nb201.parquet", change)
    with pytest.raises(DataError) as refused:
        BENCHMARKS["nb201"](tables, protocol, None)
    assert said in str(refused.value)


def test_tables_that_do_not_match_are_refused(tables):
    spoiled(tables, "nb201_hw.parquet", lambda frame: frame.iloc[::-1])
    with pytest.raises(DataError, match=r"The rows of 'nb201_hw.parquet' are not those of 'nb201.parquet'"):
        BENCHMARKS["nb201-latency"](tables, None, None)
    spoiled(tables, "nb201_runs.parquet", lambda frame: frame[frame.idx != 5])
    with pytest.raises(DataError, match="has no run of the cell in row 5"):
        BENCHMARKS["nb201"](tables, "noisy", None)


def test_unknown_operations_of_the_other_tables_are_named(tables):
    spoiled(tables, "nb_macro.parquet", lambda frame: frame.assign(arch=frame.arch.str.replace("2", "7")))
    with pytest.raises(DataError, match=r"has the unknown operation '7' in '00070000'"):
        BENCHMARKS["nb-macro"](tables, None, None)
    spoiled(tables, "spikenas_c10.parquet", lambda frame: frame.assign(e02=9))
    with pytest.raises(DataError, match=r"unknown operation 9 in 'e02': known are 0 … 4"):
        BENCHMARKS["spiking"](tables, None, None)


def test_a_missing_table_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError, match=r"nb201.parquet or nb201.csv is neither in .* nor in its folder 'benchmarks'"):
        BENCHMARKS["nb201"](tmp_path, None, None)


def test_the_columns_of_a_plain_table_become_options_codes_and_levels(plain):
    benchmark = load_plain(plain, ["op", "se", "code", "width"], "y", "maximize", None)
    (problem,) = benchmark.problems("rows")
    space = problem.candidates(0).space
    assert [type(named.decision).__name__ for named in space.decisions] == ["Choice", "Choice", "Choice", "Integer"]
    assert space.size == len(problem.candidates(0).listed) == 72
    assert benchmark.notes[-1] == "width: 4 levels, 8 … 64"


def test_few_numbers_from_zero_without_a_gap_are_codes():
    assert are_codes([0, 1, 2])
    assert not are_codes([1, 2, 3])
    assert not are_codes([0, 2, 4])
    assert not are_codes(list(range(20)))


def test_an_incomplete_table_is_searched_by_its_rows_alone(plain):
    table = pd.read_csv(plain).sample(30, random_state=0)
    table.to_csv(plain, index=False)
    (problem,) = load_plain(plain, ["op", "se", "code", "width"], "y", "maximize", None).problems("rows")
    for strategy in (Random(), LocalSearch(1)):
        found = run(problem, strategy)
        assert found.course.points[-1].shown["y"] == table.y.max()
        assert found.course.queries <= 30


def test_smaller_is_better_where_it_is_asked_for(plain):
    (problem,) = load_plain(plain, ["op", "se", "code", "width"], "y", "minimize", None).problems("rows")
    found = run(problem, LocalSearch(1))
    assert found.course.points[-1].shown["y"] == pd.read_csv(plain).y.min()
    assert problem.metrics[1].direction == "minimize"


@pytest.mark.parametrize(
    ("decisions", "objective", "change", "said"),
    [
        (["op", "wdth"], "y", None, "'plain.csv' has no column 'wdth', which is a decision. Did you mean 'width'?"),
        (["op"], "acc", None, "has no column 'acc', which is the objective"),
        ([], "y", None, "Say which columns of 'plain.csv' are decisions: --decisions op,se,code."),
        (["op", "y"], "y", None, "Column 'y' is named as a decision and as the objective"),
        (["se", "code"], "op", None, "Column 'op' of 'plain.csv' holds"),
        (["op", "se"], "y", None, "has 66 rows whose decisions stand in an earlier row too: rows 0 and 1"),
        (["op", "width"], "y", lambda frame: frame.assign(y=np.nan), "has no finite number in 72 of 72 rows"),
        (
            ["op", "width"],
            "y",
            lambda frame: frame.assign(width=frame.width.where(frame.width > 8)),
            "The decision 'width' of 'plain.csv' has no value in 18 of 72 rows, first in row 0",
        ),
    ],
)
def test_what_is_wrong_with_a_plain_table_is_said(plain, decisions, objective, change, said):
    if change is not None:
        change(pd.read_csv(plain)).to_csv(plain, index=False)
    with pytest.raises(DataError) as refused:
        load_plain(plain, decisions, objective, "maximize", None)
    assert said in str(refused.value)


def test_a_decision_that_holds_lists_is_refused(tmp_path):
    pd.DataFrame({"op": [[1], [2]], "y": [1.0, 2.0]}).to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(DataError, match=r"The decision 'op' of 'lists\.parquet' holds a ndarray in its cells"):
        load_plain(tmp_path / "lists.parquet", ["op"], "y", "maximize", None)


def test_an_index_with_a_name_is_a_column(plain):
    frame = pd.read_csv(plain)
    frame.set_index(["op", "se"]).to_parquet(plain.with_suffix(".parquet"))
    benchmark = load_plain(plain.with_suffix(".parquet"), ["op", "se", "code", "width"], "y", "maximize", None)
    assert benchmark.notes[0] == "op: 3 options, conv … skip"


def test_notes_on_columns_are_short(tmp_path):
    pd.DataFrame({"lr": [0.1234567891, 2 / 3], "fixed": [7, 7], "y": [1.0, 2.0]}).to_csv(tmp_path / "t.csv")
    benchmark = load_plain(tmp_path / "t.csv", ["lr", "fixed"], "y", "maximize", None)
    assert benchmark.notes == ("lr: 2 levels, 0.123457 … 0.666667", "fixed: always 7")


@pytest.mark.parametrize(("separator", "named"), [(";", "';'"), ("\t", "tabs"), ("|", "'|'")])
def test_another_separator_than_the_comma_is_named_with_a_mend_that_works(plain, monkeypatch, separator, named):
    table = pd.read_csv(plain)
    table.to_csv(plain, index=False, sep=separator)
    with pytest.raises(DataError) as refused:
        read(plain)
    sentence = str(refused.value)
    assert sentence.startswith(f"The columns of {str(plain)!r} are separated by {named}, and a bench reads commas. ")
    monkeypatch.chdir(plain.parent)
    exec("import pandas\n" + sentence.partition("Write the table anew: ")[2].rstrip("."))
    assert read(Path("plain-commas.csv")).equals(table)


def test_a_folder_is_not_taken_for_a_missing_file(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(DataError, match=r"t\.csv' is a folder"):
        load_plain(tmp_path / "t.csv", ["a"], "y", "maximize", None)


def test_identities_are_no_part_of_a_chain():
    features = chain_features((1, 0, 0, 2, 2, 0, 1, 0))
    assert features[:3].tolist() == [4, 2, 2]
    assert features[3:].reshape(3, 3).tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 1]]


def test_proxies_of_a_cell_are_those_of_its_network(tables):
    folder = tables / "benchmarks"
    table = pd.read_parquet(folder / "nb201.parquet")
    rng = np.random.default_rng(0)
    scores = pd.DataFrame({name: rng.random(len(table)) for name in PUBLISHED_PROXIES})
    scores["idx"], scores["dataset"] = table.idx, "cifar10"
    scores.iloc[1:].to_parquet(folder / "nb201_zcproxies.parquet")
    cells = Cells(folder)
    known = cells.candidates("proxies")
    one = known.space.from_codes(cells.codes[5])
    assert set(known.features(one)) == {"encoding", "costs", "graph", "paths", "wl", "proxies"}
    same = [row for row, codes in enumerate(cells.codes) if known.space.from_codes(codes).arch_id == one.arch_id]
    given = known.features(one)["proxies"].tolist()
    assert given in scores.iloc[same][list(PUBLISHED_PROXIES)].to_numpy().tolist()
    (problem,) = problems(tables, "nb201", "official", "proxies")
    assert run(problem, Auto()).course.queries > 5
