"""The figures of a bench as text for a terminal of 80 columns."""

from collections.abc import Iterator, Sequence
from math import floor, log10
from textwrap import wrap

from nasturtium.bench.problem import Benchmark
from nasturtium.bench.published import Figure
from nasturtium.bench.summary import Row, Summary
from nasturtium.space.describe import plural

WIDTH = 80
NAME = 21
GAP = 1

Cells = tuple[str, list[str]]
"""A label and what stands beside it."""

SMALL = 1e-3
"""Figures below this are written with significant digits, not with decimals."""


def lines(summary: Summary) -> list[str]:
    """Everything that is worth reading: a table for each benchmark, ranks, and what has to be known."""
    parts = [*(_benchmark(summary, benchmark) for benchmark in summary.benchmarks), _ranks(summary)]
    return "\n\n".join(text for part in parts if (text := "\n".join(part))).splitlines()


def _benchmark(summary: Summary, benchmark: Benchmark) -> Iterator[str]:
    rows = [row for row in summary.rows if (row.benchmark, row.protocol) == (benchmark.name, benchmark.protocol)]
    metrics = list(dict.fromkeys(row.metric for row in rows))
    counts = sorted({row.n for row in rows})
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    yield f"{benchmark.name}, protocol {benchmark.protocol}: mean ± standard deviation, n = {each}"
    ours = [_own(rows, label, metrics) for label in summary.strategies]
    methods = dict.fromkeys(figure.method for figure in benchmark.figures)
    theirs = [_published(benchmark.figures, method, metrics) for method in methods]
    theirs = [cells for cells in theirs if any(cell != "–" for cell in cells[1])]
    widths = [max(len(cell) for cell in column) for column in zip(metrics, *(c for _, c in ours + theirs), strict=True)]
    for start, end in _parts(widths):
        yield "strategy".ljust(NAME) + _beside(metrics[start:end], widths[start:end])
        for part in (ours, theirs):
            if part is theirs and part:
                yield "published:"
            for label, cells in part:
                yield from _line(label, _beside(cells[start:end], widths[start:end]))
    yield from _remarks(benchmark, rows)


def _parts(widths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Columns from and to, as many side by side as there is room for."""
    start = 0
    while start < len(widths):
        end = start + 1
        while end < len(widths) and NAME + sum(width + GAP for width in widths[start : end + 1]) <= WIDTH:
            end += 1
        yield start, end
        start = end


def _beside(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(cell.rjust(width + GAP) for cell, width in zip(cells, widths, strict=True))


def _line(label: str, cells: str) -> Iterator[str]:
    """A long label stands on a line of its own."""
    if len(label) > NAME:
        yield label
        label = ""
    yield label.ljust(NAME) + cells


def _own(rows: Sequence[Row], label: str, metrics: Sequence[str]) -> Cells:
    known = {row.metric: row for row in rows if row.strategy == label}
    return label, [_cell(known[name]) if name in known else "–" for name in metrics]


def _cell(row: Row) -> str:
    return ("≥ " if row.capped else "") + spread(row.mean, row.std if row.n > 1 else None)


def _published(figures: Sequence[Figure], method: str, metrics: Sequence[str]) -> Cells:
    known = {figure.metric: figure for figure in figures if figure.method == method}
    return f"  {method}", [spread(known[name].mean, known[name].std) if name in known else "–" for name in metrics]


def spread(mean: float, std: float | None) -> str:
    """Mean and standard deviation, to two digits of the latter, below 100 to at least two decimals.

    >>> spread(45.5423, 1.03), spread(104.3, 57.2), spread(0.98123, 0.0019), spread(9.6, 0.0), spread(65, None)
    ('45.54 ± 1.03', '104 ± 57', '0.9812 ± 0.0019', '9.6 ± 0', '65')
    >>> spread(1.234e-10, 5.6e-12), spread(1.234e-10, 0.0)
    ('1.23e-10 ± 5.6e-12', '1.23e-10 ± 0')
    """
    if 0 < abs(mean) < SMALL:
        return f"{mean:.3g}" + ("" if std is None else f" ± {std:.2g}")
    if not std:
        text = f"{mean:,.4f}".rstrip("0").rstrip(".") if abs(mean) < 1000 else f"{mean:,.0f}"
        return text if std is None else f"{text} ± 0"
    decimals = min(4, max(2 if abs(mean) < 100 else 0, 1 - floor(log10(std))))
    return f"{mean:,.{decimals}f} ± {std:,.{decimals}f}"


def _remarks(benchmark: Benchmark, rows: Sequence[Row]) -> Iterator[str]:
    capped = [row for row in rows if row.capped]
    if capped:
        yield from _wrapped("≥: some searches ended before it was reached and count with all that they had spent:")
        for row in capped:
            yield from _wrapped(f"{row.strategy}, {row.metric}: {row.capped} of {row.n}", indent=6)
    for source in dict.fromkeys(figure.source for figure in benchmark.figures):
        methods = dict.fromkeys(figure.method for figure in benchmark.figures if figure.source == source)
        yield from _wrapped(f"{', '.join(methods)}: {source}")
    for note in benchmark.notes:
        yield from _wrapped(note)


def _wrapped(text: str, indent: int = 2) -> list[str]:
    return wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))


def _ranks(summary: Summary) -> Iterator[str]:
    ranking = summary.ranking
    if ranking is None:
        return
    yield f"Average rank over {plural(ranking.blocks, 'figure')} (1 is best), and the time of a proposal"
    for label, rank in sorted(ranking.ranks.items(), key=lambda one: one[1]):
        yield from _line(label, f"{rank:.2f}".rjust(8) + f"{summary.ask_ms.get(label, 0.0):.1f} ms".rjust(14))
    if ranking.p is not None and ranking.difference is not None:
        yield from _wrapped(
            f"Friedman's test that all are equal: p = {ranking.p:.2g}. Critical difference of two average ranks "
            f"(Nemenyi, 5 %): {ranking.difference:.2f}. Figures of one benchmark are not independent."
        )


def show_bench(summary: Summary, folder: str | None) -> None:
    """Print it, and where everything is kept."""
    print("\n".join(lines(summary)))
    if folder is not None:
        print(f"\nbench.html, bench.json, curves.csv and every search (searches.jsonl) are in\n{folder}")
