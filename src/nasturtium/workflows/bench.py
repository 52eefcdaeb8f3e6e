"""Strategies × benchmarks × seeds, side by side."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nasturtium.bench.cells import IDENTITIES
from nasturtium.bench.contenders import Contender, check_budget, configured_pair, contenders
from nasturtium.bench.files import data_folder, is_table
from nasturtium.bench.jobs import Entry, code_version, planned, probe, run_jobs
from nasturtium.bench.metrics import Course
from nasturtium.bench.plain import load_plain
from nasturtium.bench.problem import Benchmark, Problem
from nasturtium.bench.registry import BENCHMARKS
from nasturtium.bench.store import Lines
from nasturtium.bench.summary import Results, Summary, summarised
from nasturtium.errors import RunError, hint
from nasturtium.roles import Scheduler, Strategy
from nasturtium.schedulers.registry import scheduler
from nasturtium.space.describe import plural
from nasturtium.strategies.registry import ALIASES, strategy
from nasturtium.trial import Direction
from nasturtium.workflows.alone import strategy_alone
from nasturtium.workflows.bench_files import save
from nasturtium.workflows.folder import writable
from nasturtium.workflows.progress import Progress, Silent

COMBINED = {"bohb": ("tpe", "hyperband")}
"""Names for a strategy with a scheduler."""


@dataclass(frozen=True)
class BenchOptions:
    """What `nasturtium bench` is asked for. Several benchmarks or strategies are separated by commas.

    protocol, queries, identity: None takes the benchmark's own. data: folder with the tables of the benchmarks.
    output: folder for results; None keeps nothing.
    """

    benchmark: str
    strategy: str = "auto,regularized-evolution,local-search,random"
    protocol: str | None = None
    seeds: int = 10
    seed: int = 0
    queries: int | None = None
    scheduler: str = "full"
    decisions: tuple[str, ...] = ()
    objective: str | None = None
    direction: Direction = "maximize"
    identity: str | None = None
    workers: int | None = None
    data: str | None = None
    output: str | None = None


def run_bench(options: BenchOptions, progress: Progress | None = None) -> Summary:
    """Run what is not finished yet, and summarise. Everything is checked before anything is written.

    Raises `DataError` for tables and `RunError` for options, strategies and searches that cannot work.
    """
    shown = progress or Silent()
    _check(options)
    folder = None if options.output is None else writable(Path(options.output))
    wanted = contenders(options.strategy)
    benchmarks = [_told(_benchmark(name, options), options.scheduler) for name in _names(options.benchmark)]
    _refuse_identity(options.identity, benchmarks)
    entries, fingerprints = list[Entry](), list[str]()
    for benchmark in benchmarks:
        for contender in wanted:
            made = _entries(benchmark, contender, options)
            entries += made
            fingerprints += [f"{benchmark.fingerprint} {benchmark.identity(contender.name, options.identity)}"] * len(
                made
            )
    for done, entry in enumerate(entries):
        shown.jobs(done, len(entries), f"{entry.label} on {entry.problem.name} is tried")
        entry.problem.candidates(options.seed).listed  # noqa: B018 (kept by the candidates: forked workers share it)
        probe(entry, options.seed)
    code = code_version()
    lines = Lines(None if folder is None else folder / "searches.jsonl")
    jobs = planned(entries, fingerprints, range(options.seed, options.seed + options.seeds), code)
    run_jobs(
        entries, jobs, lines, options.workers or usable_cores(), lambda done, all_: shown.jobs(done, all_, "searches")
    )
    records = [(job.entry, lines.records[job.key]) for job in jobs]
    results = [
        Results(
            entry.label,
            entry.problem,
            tuple(Course.from_json(record["course"]) for at, record in records if at == place),
            tuple(record["ask_ms"][0] for at, record in records if at == place),
            entry.settings,
        )
        for place, entry in enumerate(entries)
    ]
    summary = summarised(benchmarks, [one.label for one in wanted], results)
    if folder is not None:
        save(folder, summary, code)
    return summary


def default_folder(benchmark: str) -> str:
    """Where results go unless told otherwise: runs/bench-NAME."""
    return str(Path("runs") / ("bench-" + "-".join(Path(name).stem for name in _names(benchmark))))


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(options: BenchOptions) -> None:
    for name in ("seeds", "queries", "workers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise RunError(f"--{name} is {value}: at least 1 is needed.")
    if options.identity not in (None, *IDENTITIES):
        raise RunError(f"There is no identity {options.identity!r}. {hint(options.identity, IDENTITIES)}")
    if options.seed < 0:
        raise RunError(f"--seed is {options.seed}: seeds begin at 0.")


def _refuse_identity(wanted: str | None, benchmarks: Sequence[Benchmark]) -> None:
    """Raises `RunError` where a benchmark has not this identity: its figures would not be what was asked for."""
    without = [one.name for one in benchmarks if wanted is not None and wanted not in one.identities]
    if without:
        raise RunError(
            f"{without[0]} tells architectures apart in one way only, so --identity {wanted} would change nothing "
            "there. Leave it out, or take benchmarks that have it alone: nb201, nb201-latency."
        )


def _names(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise RunError(f"Name a benchmark or a table. {hint('', BENCHMARKS)}")
    return list(dict.fromkeys(names))


def _benchmark(name: str, options: BenchOptions) -> Benchmark:
    if is_table(name):
        if options.objective is None:
            raise RunError(f"Say which column of {name!r} is to be optimised: --objective COLUMN.")
        if options.protocol not in (None, "plain"):
            raise RunError(f"A plain table has no protocol {options.protocol!r}. Leave --protocol out.")
        # Two tables of one name, in different folders, go by their paths.
        alike = [one for one in _names(options.benchmark) if is_table(one) and Path(one).stem == Path(name).stem]
        called = name if len(alike) > 1 else None
        return load_plain(Path(name), options.decisions, options.objective, options.direction, options.queries, called)
    key = name.lower().replace("_", "-")
    if key not in BENCHMARKS:
        raise RunError(
            f"There is no benchmark {name!r}. {hint(key, BENCHMARKS)} A table of your own is named by its file, "
            ".parquet or .csv."
        )
    if options.decisions or options.objective or options.direction == "minimize":
        raise RunError(
            f"--decisions, --objective and --minimize are for plain tables; {name} has its own. Leave them out."
        )
    return BENCHMARKS[key](data_folder(options.data), options.protocol, options.queries)


def _told(benchmark: Benchmark, schedule: str) -> Benchmark:
    """The benchmark with a note on the scheduler, which no label names."""
    return benchmark if schedule == "full" else replace(benchmark, notes=(*benchmark.notes, f"Scheduler: {schedule}."))


def _entries(benchmark: Benchmark, contender: Contender, options: BenchOptions) -> list[Entry]:
    """The contender on each problem of the benchmark, with published settings where there are such."""
    made = []
    for problem in benchmark.problems(benchmark.identity(contender.name, options.identity)):
        searcher, schedule = _parts(benchmark, contender, problem, options)
        check_budget(searcher, contender.label, problem.queries, problem.name)
        settings = f"{searcher!r} {schedule!r}"
        made.append(Entry(contender.label, problem, searcher, schedule, strategy("random"), settings))
    return made


def _parts(
    benchmark: Benchmark, contender: Contender, problem: Problem, options: BenchOptions
) -> tuple[Strategy, Scheduler]:
    named = ALIASES.get(contender.name, contender.name)
    own = dict(contender.settings)
    asked = own.pop("scheduler", options.scheduler)
    name, schedule = COMBINED.get(named, (named, asked))
    paced = scheduler(schedule, max_epochs=problem.epochs, min_epochs=max(1, problem.epochs // 9))
    if schedule != "full" and not problem.curves and named not in COMBINED:
        raise RunError(
            f"{problem.name} (protocol {problem.protocol}) holds one fidelity, {plural(problem.epochs, 'epoch')}; "
            f"--scheduler {schedule} asks for others. Leave it out, or take a table with curves: spiking or nb301."
        )
    chosen = strategy_alone(name, problem.queries, "the table of a bench")
    published = benchmark.settings.get(named, {})
    for settings in (published, own):
        chosen, paced = configured_pair(chosen, paced, settings, contender.name)
    return chosen, paced
