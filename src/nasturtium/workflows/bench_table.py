"""The figures of a bench as text for a terminal of 80 columns."""

from collections.abc import Iterator, Sequence

from nasturtium.bench.problem import Benchmark
from nasturtium.bench.published import Figure
from nasturtium.bench.summary import Row, Summary

WIDTH = 80
NAME = 21


def lines(summary: Summary) -> list[str]:
    """Everything that is worth reading: a table for each benchmark, ranks, and what has to be known."""
    told: list[str] = []
    for benchmark in summary.benchmarks:
        told += [*_benchmark(summary, benchmark), ""]
    told += _ranks(summary)
    return told


def _benchmark(summary: Summary, benchmark: Benchmark) -> Iterator[str]:
    rows = [row for row in summary.rows if (row.benchmark, row.protocol) == (benchmark.name, benchmark.protocol)]
    metrics = list(dict.fromkeys(row.metric for row in rows))
    counts = sorted({row.n for row in rows})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    plural = "search" if counts == [1] else "searches"
    yield f"{benchmark.name}, protocol {benchmark.protocol}: mean ± standard deviation of {seeds} {plural} each"
    for part in _parts(metrics):
        yield from _table(summary, benchmark, rows, part)
    yield from _remarks(summary, benchmark, rows)


def _parts(metrics: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many metrics side by side as there is room for."""
    start = 0
    while start < len(metrics):
        end = start + 1
        while end < len(metrics) and NAME + sum(_width(name) for name in metrics[start : end + 1]) <= WIDTH:
            end += 1
        yield metrics[start:end]
        start = end


def _width(metric: str) -> int:
    return max(14, len(metric) + 1)


def _table(summary: Summary, benchmark: Benchmark, rows: Sequence[Row], metrics: Sequence[str]) -> Iterator[str]:
    yield "strategy".ljust(NAME) + "".join(name.rjust(_width(name)) for name in metrics)
    for label in summary.strategies:
        own = {row.metric: row for row in rows if row.strategy == label}
        cells = [_cell(own.get(name)).rjust(_width(name)) for name in metrics]
        yield from _line(label, "".join(cells))
    for method in dict.fromkeys(figure.method for figure in benchmark.figures):
        told = {figure.metric: figure for figure in benchmark.figures if figure.method == method}
        if any(name in told for name in metrics):
            cells = [_published(told.get(name)).rjust(_width(name)) for name in metrics]
            yield from _line(f"{method} (published)", "".join(cells))


def _line(label: str, cells: str) -> Iterator[str]:
    """A long label stands on a line of its own."""
    if len(label) > NAME:
        yield label
        label = ""
    yield label.ljust(NAME) + cells


def _cell(row: Row | None) -> str:
    if row is None:
        return "–"
    more = "≥ " if row.capped else ""
    return f"{more}{number(row.mean)} ± {number(row.std)}"


def _published(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    return number(figure.mean) + ("" if figure.std is None else f" ± {number(figure.std)}")


def number(value: float) -> str:
    """About four digits: 93.92, 177.1, 12,345, 0.0123.

    >>> [number(value) for value in (93.9234, 177.06, 0.01234, 12345.6, 0.0)]
    ['93.92', '177.1', '0.0123', '12,346', '0']
    """
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 else f"{value:.3g}"


def _remarks(summary: Summary, benchmark: Benchmark, rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.capped:
            text = f"{row.strategy}: {row.capped} of {row.n} searches ended before {row.metric} was reached; they"
            yield f"  {text}"
            yield "    count with all their queries, so the true mean is larger."
    sources = dict.fromkeys(figure.source for figure in benchmark.figures)
    for source in sources:
        methods = dict.fromkeys(figure.method for figure in benchmark.figures if figure.source == source)
        yield f"  {', '.join(methods)}: {source}"
    yield from (f"  {note}" for note in benchmark.notes)


def _ranks(summary: Summary) -> Iterator[str]:
    ranking = summary.ranking
    if ranking is None:
        return
    yield f"Average ranks over {ranking.blocks} figures (1 is best), and the time of a proposal"
    for label, rank in sorted(ranking.ranks.items(), key=lambda one: one[1]):
        yield from _line(label, f"{rank:.2f}".rjust(8) + f"{summary.ask_ms.get(label, 0.0):.1f} ms".rjust(14))
    if ranking.p is not None and ranking.difference is not None:
        yield f"  Friedman's test that all are equal: p = {ranking.p:.2g}. Nemenyi's critical difference of two"
        yield f"  average ranks at 5 %: {ranking.difference:.2f}. Figures of one benchmark are not independent."


def show_bench(summary: Summary, folder: str | None) -> None:
    """Print it, and where everything is kept."""
    print("\n".join(lines(summary)))
    if folder is not None:
        print(f"\nEvery search is in {folder}.")
