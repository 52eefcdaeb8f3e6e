"""The figures of a bench from its finished searches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from nasturtium.bench.metrics import Course, Measured, Metric
from nasturtium.bench.problem import Benchmark, Problem
from nasturtium.bench.statistics import Ranking, ranking, spread


@dataclass(frozen=True)
class Row:
    """A figure of one strategy. capped: searches that ended before it was reached; the mean is then a lower bound.
    ranked: does it count in the ranks?"""

    strategy: str
    benchmark: str
    protocol: str
    metric: str
    mean: float
    std: float
    n: int
    capped: int = 0
    direction: str = "maximize"
    ranked: bool = True

    def to_json(self) -> dict[str, Any]:
        names = ("strategy", "benchmark", "protocol", "metric", "mean", "std", "n")
        return {**{name: getattr(self, name) for name in names}, "unreached": self.capped}


@dataclass(frozen=True)
class Results:
    """Finished searches of one strategy on one problem. ask_ms: mean time of a proposal, of each search."""

    label: str
    problem: Problem
    courses: tuple[Course, ...]
    ask_ms: tuple[float, ...] = ()
    settings: str = ""


@dataclass(frozen=True)
class Summary:
    """rows: in the order of benchmarks, strategies, metrics. ask_ms: mean milliseconds of a proposal, by strategy."""

    benchmarks: tuple[Benchmark, ...]
    strategies: tuple[str, ...]
    rows: tuple[Row, ...]
    results: tuple[Results, ...]
    ask_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def ranking(self) -> Ranking | None:
        """Over every figure that all strategies have and that can tell them apart; None for a single strategy."""
        losses = self._losses()
        return None if len(self.strategies) < 2 or not len(losses) else ranking(losses, self.strategies)

    def _losses(self) -> Float[np.ndarray, "blocks strategies"]:
        """Means, signed so that smaller is better; one row a figure."""
        table: dict[tuple[str, str, str], dict[str, float]] = {}
        for row in (row for row in self.rows if row.ranked):
            sign = -1.0 if row.direction == "maximize" else 1.0
            table.setdefault((row.benchmark, row.protocol, row.metric), {})[row.strategy] = sign * row.mean
        whole = [
            [found[name] for name in self.strategies] for found in table.values() if len(found) == len(self.strategies)
        ]
        return np.array(whole, dtype=float).reshape(len(whole), len(self.strategies))


def summarised(benchmarks: Sequence[Benchmark], strategies: Sequence[str], results: Iterable[Results]) -> Summary:
    """Figures of what has been searched."""
    known = tuple(results)
    rows = []
    for benchmark in benchmarks:
        for label in strategies:
            for result in known:
                problem = result.problem
                if result.label == label and (problem.benchmark, problem.protocol) == (
                    benchmark.name,
                    benchmark.protocol,
                ):
                    rows += [row for metric in problem.metrics if (row := _row(result, metric)) is not None]
    asked = {label: [ms for one in known if one.label == label for ms in one.ask_ms] for label in strategies}
    ask_ms = {label: float(np.mean(times)) for label, times in asked.items() if times}
    return Summary(tuple(benchmarks), tuple(strategies), tuple(rows), known, ask_ms)


def _row(result: Results, metric: Metric) -> Row | None:
    measured: list[Measured] = [found for course in result.courses if (found := metric.of(course)) is not None]
    if not measured:
        return None
    mean, std = spread(np.array([one.value for one in measured]))
    problem = result.problem
    return Row(
        strategy=result.label,
        benchmark=problem.benchmark,
        protocol=problem.protocol,
        metric=metric.name,
        mean=mean,
        std=std,
        n=len(measured),
        capped=sum(one.capped for one in measured),
        direction=metric.direction,
        ranked=metric.ranked,
    )
