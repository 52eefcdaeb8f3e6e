"""`nasturtium bench` from end to end."""

import doctest
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from nasturtium import cli
from nasturtium.errors import RunError
from nasturtium.workflows import bench_table
from nasturtium.workflows.bench import BenchOptions, run_bench
from nasturtium.workflows.bench_table import lines

PLAIN = ("--decisions", "op,se,code,width", "--objective", "y")


@pytest.fixture
def nasturtium(tmp_path, monkeypatch, capsys):
    """Run a command in `tmp_path`; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nasturtium", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return run


def test_json_is_a_list_of_rows_and_nothing_else(nasturtium, plain):
    code, out, _ = nasturtium(
        "bench", plain, *PLAIN, "--strategy", "random,local-search[initial=1]", "--seeds", 4, "--json", "--workers", 1
    )
    rows = json.loads(out)
    assert code == 0
    known = ("strategy", "benchmark", "protocol", "metric", "mean", "std", "n", "unreached")
    assert {tuple(row) for row in rows} == {known}
    assert {row["strategy"] for row in rows} == {"random", "local-search[initial=1]"}
    assert [row["metric"] for row in rows[:4]] == [
        "queries_to_best",
        "best_after_20",
        "best_after_50",
        "best_after_100",
    ]
    assert {(row["benchmark"], row["protocol"], row["n"]) for row in rows} == {("plain", "plain", 4)}
    assert not Path("runs").exists()


def test_searches_that_never_found_the_best_are_counted(nasturtium, plain):
    arguments = ("bench", plain, *PLAIN, "--strategy", "random", "--seeds", 8, "--queries", 40, "--workers", 1)
    row, *others = json.loads(nasturtium(*arguments, "--json")[1])
    _, out, _ = nasturtium(*arguments, "-o", "out")
    lines = map(json.loads, Path("out/searches.jsonl").read_text().splitlines())
    best = pd.read_csv(plain).y.max()
    unreached = sum(one["course"]["points"][-1][3]["y"] < best for one in lines)
    assert 0 < unreached < 8
    assert (row["metric"], row["unreached"], row["n"]) == ("queries_to_best", unreached, 8)
    assert {one["unreached"] for one in others} == {0}
    assert f"random, queries_to_best: {unreached} of 8" in out
    every = json.loads(nasturtium("bench", plain, *PLAIN, "--strategy", "random", "--json", "--seeds", 2)[1])
    assert every[0]["unreached"] == 0


def test_workers_change_nothing(nasturtium, tables):
    told = [
        nasturtium(
            *("bench", "nb201", "--protocol", "queries", "--strategy", "random,regularized-evolution"),
            *("--seeds", 3, "--json", "--data", tables, "--workers", workers),
        )[1]
        for workers in (1, 2)
    ]
    assert told[0] == told[1]
    assert [row["metric"] for row in json.loads(told[0])[:3]] == [
        f"queries_to_best_{one}" for one in ("c10", "c100", "in16")
    ]


def test_the_table_fits_eighty_columns_and_shows_what_was_published(nasturtium, tables):
    code, out, _ = nasturtium(
        "bench",
        "nb201,nb-macro",
        "--strategy",
        "random,regularized-evolution,local-search",
        "--seeds",
        3,
        "--data",
        tables,
    )
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert re.search(r"^  REA +93\.92 ± 0\.30 +71\.84 ± 0\.99 +45\.54 ± 1\.03$", out, re.MULTILINE)
    assert "Average rank over 7 figures" in out  # best_after_100 of a table of 81 rows is not among them
    assert "Critical difference" in out


def test_the_folder_holds_figures_curves_and_a_page(nasturtium, plain):
    nasturtium("bench", plain, *PLAIN, "--strategy", "random,local-search", "--seeds", 3, "--workers", 1)
    folder = Path("runs/bench-plain")
    assert sorted(path.name for path in folder.iterdir()) == [
        "bench.html",
        "bench.json",
        "curves.csv",
        "searches.jsonl",
    ]
    saved = json.loads((folder / "bench.json").read_text())
    assert saved["rows"][0]["strategy"] == "random"
    curve = pd.read_csv(folder / "curves.csv").query("strategy == 'random'")
    assert (curve["low"] <= curve["mean"]).all()
    assert curve["mean"].is_monotonic_increasing
    assert curve["mean"].iloc[-1] == pd.read_csv(plain).y.max()
    page = (folder / "bench.html").read_text()
    assert "Plotly.newPlot" in page
    assert "http-equiv" in page
    assert page.count("data-chart=") == 1


def test_finished_searches_are_not_run_again(nasturtium, plain, monkeypatch):
    arguments = ("bench", plain, *PLAIN, "--strategy", "random", "--workers", 1, "-o", "out")
    nasturtium(*arguments, "--seeds", 2)
    first = Path("out/searches.jsonl").read_text()
    nasturtium(*arguments, "--seeds", 3)
    assert Path("out/searches.jsonl").read_text().startswith(first)
    assert len(Path("out/searches.jsonl").read_text().splitlines()) == 3
    monkeypatch.setattr("nasturtium.bench.jobs.search", lambda *given: pytest.fail("searched again"))
    code, out, _ = nasturtium(*arguments, "--seeds", 3, "--json")
    assert (code, json.loads(out)[0]["n"]) == (0, 3)


def test_other_settings_or_another_table_are_searched_anew(nasturtium, plain):
    arguments = ("bench", plain, *PLAIN, "--seeds", 1, "--workers", 1, "-o", "out", "--json")
    nasturtium(*arguments, "--strategy", "local-search[initial=1]")
    nasturtium(*arguments, "--strategy", "local-search[initial=2]")
    table = pd.read_csv(plain)
    table.assign(y=table.y + 1).to_csv(plain, index=False)
    nasturtium(*arguments, "--strategy", "local-search[initial=1]")
    assert len(Path("out/searches.jsonl").read_text().splitlines()) == 3


def test_a_bench_that_was_killed_goes_on(tmp_path, plain):
    """Killed at some point: what was finished is kept, and the figures are those of an undisturbed bench."""
    command = [sys.executable, "-m", "nasturtium.cli", "bench", str(plain), *PLAIN, "--strategy", "tpe", "--seeds", "4"]
    command += ["--queries", "20", "--workers", "2", "-o", str(tmp_path / "out"), "--json"]
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    path = tmp_path / "out" / "searches.jsonl"
    while running.poll() is None and not path.exists():
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    options = BenchOptions(
        str(plain),
        strategy="tpe",
        seeds=4,
        queries=20,
        decisions=("op", "se", "code", "width"),
        objective="y",
        workers=1,
        output=str(tmp_path / "out"),
    )
    continued = run_bench(options)
    undisturbed = run_bench(BenchOptions(**{**vars(options), "output": None}))
    assert continued.rows == undisturbed.rows


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bench", "nb20"), "There is no benchmark 'nb20'. Did you mean 'nb201'"),
        (("bench", "nb201", "--strategy", "randm"), "There is no strategy 'randm'. Did you mean 'random'?"),
        (("bench", "nb201", "--strategy", "random[x=1]"), "random has no setting 'x'"),
        (("bench", "nb201", "--seeds", "0"), "--seeds is 0: at least 1 is needed."),
        (("bench", "nb201", "--identity", "string"), "There is no identity 'string'. Did you mean 'strings'?"),
        (("bench", "nb201,nb-macro", "--identity", "networks"), "nb-macro tells architectures apart in one way only"),
        (("bench", "plain.csv", *PLAIN, "--identity", "strings"), "so --identity strings would change nothing there. "),
        (("bench", "nb201", "--decisions", "a", "--objective", "b"), "are for plain tables; nb201 has its own"),
        (("bench", "nb201", "--minimize"), "--minimize are for plain tables; nb201 has its own"),
        (("bench", "nb201", "--strategy", "darts"), "The strategy 'darts' trains the shared weights of a whole space"),
        (("bench", "nb201", "--scheduler", "asho"), "There is no scheduler 'asho'. Did you mean 'asha'?"),
        (("bench", "nb201", "--strategy", "random[scheduler=asho]"), "There is no scheduler 'asho'"),
        (("bench", "nb201", "-o", "plain.csv/out"), "'plain.csv/out' cannot be made"),
        (("bench", "plain.csv", *PLAIN, "--scheduler", "asha"), "holds one fidelity, 1 epoch; --scheduler asha"),
        (("bench", "nb201", "--scheduler", "asha"), "nb201 (protocol official) holds one fidelity, 12 epochs"),
        (("bench", "nb201", "--protocol", "queries", "--queries", "20"), "begins with 30 trials (population=30)"),
        (("bench", "plain.csv", "--decisions", "op"), "Say which column of 'plain.csv' is to be optimised"),
        (("bench", "none.csv", *PLAIN), "There is no file 'none.csv'"),
        (("bench", "plain.csv", *PLAIN, "--protocol", "official"), "A plain table has no protocol 'official'"),
        (("bench", "nb201-latency", "--strategy", "cma-es"), "cma-es on nb201-latency: The strategy"),
        (("bench", "nb201", "--data", "nowhere"), "The data folder 'nowhere' of --data is not there"),
    ],
)
def test_bad_input_is_one_or_two_sentences_and_nothing_is_written(nasturtium, tables, plain, arguments, said):
    before = sorted(Path().rglob("*"))
    chosen = () if "--data" in arguments else ("--data", tables)
    named = () if "--strategy" in arguments else ("--strategy", "random,regularized-evolution")
    code, out, err = nasturtium(*arguments, *named, *chosen)
    assert code == 2
    assert said in err
    assert out == ""
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 2
    assert sorted(Path().rglob("*")) == before


def test_a_table_smaller_than_the_beginning_is_refused(tmp_path):
    pd.DataFrame({"a": ["x", "y", "z"], "y": [1.0, 2.0, 3.0]}).to_csv(tmp_path / "tiny.csv", index=False)
    options = BenchOptions(str(tmp_path / "tiny.csv"), decisions=("a",), objective="y", seeds=1, workers=1)
    with pytest.raises(RunError, match=r"begins with 10 trials \(population=10\), and tiny has 3 queries"):
        run_bench(BenchOptions(**{**vars(options), "strategy": "regularized-evolution[population=10,sample=3]"}))
    found = run_bench(BenchOptions(**{**vars(options), "strategy": "random"}))
    assert {row.metric: row.mean for row in found.rows}["best_after_20"] == 3.0
    assert "queries_to_best" in "\n".join(lines(found))


@pytest.mark.parametrize("queries", [2, 3, 4])
def test_a_few_queries_are_enough_for_every_strategy_with_its_own_settings(plain, queries):
    found = run_bench(
        BenchOptions(
            str(plain),
            strategy="auto,regularized-evolution,local-search,random,tpe,nsga2,bananas,nas-bowl",
            decisions=("op", "se", "code", "width"),
            objective="y",
            queries=queries,
            seeds=1,
            workers=1,
        )
    )
    assert {result.courses[0].queries for result in found.results} == {queries}
    told = lines(found)
    assert max(map(len, told)) <= 80
    assert "±" not in told[2]


@pytest.mark.parametrize(("rows", "figures"), [(19, 1), (20, 1), (21, 2), (72, 3)])
def test_figures_of_searches_that_have_seen_every_row_are_not_ranked(plain, rows, figures):
    """queries_to_best, and best_after_20, _50 and _100 of tables with more rows than that."""
    pd.read_csv(plain).head(rows).to_csv(plain, index=False)
    options = BenchOptions(
        str(plain), strategy="random,tpe", decisions=("op", "se", "code", "width"), objective="y", seeds=2, workers=1
    )
    summary = run_bench(options)
    assert len({row.metric for row in summary.rows}) == 4
    best = pd.read_csv(plain).y.max()
    assert {row.mean for row in summary.rows if not row.ranked} == {best}
    assert summary.ranking is not None
    assert summary.ranking.blocks == figures


def test_tables_of_one_name_are_told_apart(tmp_path, plain):
    other = tmp_path / "other" / "plain.csv"
    other.parent.mkdir()
    frame = pd.read_csv(plain)
    frame.assign(y=frame.y + 100).to_csv(other, index=False)
    options = BenchOptions(
        f"{plain},{other}",
        strategy="random",
        decisions=("op", "se", "code", "width"),
        objective="y",
        seeds=1,
        workers=1,
    )
    rows = run_bench(options).rows
    assert [(row.benchmark, row.mean) for row in rows if row.metric == "best_after_100"] == [
        (str(plain), frame.y.max()),
        (str(other), frame.y.max() + 100),
    ]


def test_schedulers_stand_side_by_side(tables):
    named = "random,random[scheduler=asha],random[scheduler=hyperband,eta=4]"
    found = run_bench(BenchOptions("spiking", strategy=named, seeds=1, workers=1, data=str(tables)))
    assert found.strategies == ("random", "random[scheduler=asha]", "random[scheduler=hyperband,eta=4]")
    assert ["Full" in one.settings for one in found.results] == [True, False, False]
    assert "eta=4" in found.results[2].settings
    told = run_bench(BenchOptions("spiking", strategy="random", scheduler="asha", seeds=1, workers=1, data=str(tables)))
    assert "  Scheduler: asha." in lines(told)


def test_bohb_is_tpe_with_hyperband(tables):
    found = run_bench(BenchOptions("nb201", strategy="bohb", seeds=1, workers=1, data=str(tables)))
    assert {row.strategy for row in found.rows} == {"bohb"}
    assert found.results[0].settings.startswith("Tpe(startup=8, draws=4")
    assert "Hyperband(min_epochs=3, max_epochs=108, eta=3" in found.results[0].settings


def test_numbers_are_written_as_the_examples_say():
    assert doctest.testmod(bench_table).failed == 0
