"""Every search strategy on the tabular benchmarks, beside the published figures and what is promised.

    python benchmarks/strategies.py                       every case, recorded in results/strategies-CASE.json
    python benchmarks/strategies.py queries --seeds 20    one case, fewer seeds

Seeds begin at 5000: none of them was looked at while the default strategy was chosen (seeds 0 to 2039 were). With
proxies they begin at 6000: how far to trust proxies was chosen on 0 to 99, and 5000 to 5099 were looked at as well.
Searches that are finished are kept in runs/strategies-CASE, so that a killed benchmark goes on.
"""

import argparse
import time
from dataclasses import dataclass
from typing import Any

from _record import record

from nasturtium.terminal import view
from nasturtium.workflows.bench import BenchOptions, run_bench


@dataclass(frozen=True)
class Promise:
    """What a mean over the seeds has to be."""

    strategy: str
    metric: str
    least: float | None = None
    most: float | None = None

    def kept(self, mean: float, capped: int) -> bool:
        """capped: searches that ended before they were there; the mean is then a lower bound, and proves no `most`."""
        enough = self.least is None or mean >= self.least - 1e-9
        return enough and (self.most is None or (mean <= self.most + 1e-9 and not capped))


@dataclass(frozen=True)
class Case:
    benchmark: str
    protocol: str | None
    strategies: str
    promises: tuple[Promise, ...]
    seeds: int = 100
    identity: str | None = None
    queries: int | None = None
    first_seed: int = 5000


def _near(strategy: str, **published: tuple[float, float]) -> tuple[Promise, ...]:
    """Within one published standard deviation."""
    return tuple(Promise(strategy, name, mean - std, mean + std) for name, (mean, std) in published.items())


def _within(strategy: str, share: float, **published: float) -> tuple[Promise, ...]:
    return tuple(Promise(strategy, name, mean * (1 - share), mean * (1 + share)) for name, mean in published.items())


CASES = {
    "official": Case(
        "nb201",
        "official",
        "auto,random,regularized-evolution,reinforce,bohb,local-search",
        (
            Promise("auto", "c10_test", least=94.36),
            Promise("auto", "c100_test", least=73.07),
            Promise("auto", "in16_test", least=46.31),
            *_near("random", c10_test=(93.70, 0.36), c100_test=(71.04, 1.07), in16_test=(44.57, 1.25)),
            *_near("regularized-evolution", c10_test=(93.92, 0.30), c100_test=(71.84, 0.99), in16_test=(45.54, 1.03)),
            *_near("reinforce", c10_test=(93.85, 0.37), c100_test=(71.71, 1.09), in16_test=(45.24, 1.18)),
            *_near("bohb", c10_test=(93.61, 0.52), c100_test=(70.85, 1.28), in16_test=(44.42, 1.49)),
        ),
    ),
    "queries": Case(
        "nb201",
        "queries",
        "auto,local-search,regularized-evolution",
        (
            Promise("auto", "queries_to_best_c10", most=20),
            Promise("auto", "queries_to_best_c100", most=25),
            Promise("auto", "queries_to_best_in16", most=40),
            *_within("local-search", 0.1, queries_to_best_c10=65, queries_to_best_c100=63, queries_to_best_in16=320),
            *_within(
                "regularized-evolution",
                0.1,
                queries_to_best_c10=104,
                queries_to_best_c100=110,
                queries_to_best_in16=177,
            ),
        ),
    ),
    "proxies": Case(
        "nb201",
        "queries",
        "auto",
        (
            Promise("auto", "queries_to_best_c10", most=16),
            Promise("auto", "queries_to_best_c100", most=16),
            Promise("auto", "queries_to_best_in16", most=32),
        ),
        identity="proxies",
        first_seed=6000,
    ),
    "twenty": Case(
        "nb201",
        "official",
        "auto",
        (
            Promise("auto", "c10_test", least=94.30),
            Promise("auto", "c100_test", least=73.0),
            Promise("auto", "in16_test", least=46.25),
        ),
        identity="proxies",
        queries=20,
        first_seed=6000,
    ),
    "macro": Case(
        "nb-macro",
        None,
        "auto,regularized-evolution,local-search",
        (Promise("auto", "queries_to_within_0.05", most=15),),
    ),
    "latency": Case("nb201-latency", None, "auto,nsga2", (Promise("auto", "queries_to_nsga2_200", most=80),), seeds=50),
}


def run(name: str, case: Case, seeds: int) -> dict[str, Any]:
    """The case's figures, and which promises were kept."""
    options = BenchOptions(
        case.benchmark,
        strategy=case.strategies,
        protocol=case.protocol,
        seeds=seeds,
        seed=case.first_seed,
        identity=case.identity,
        queries=case.queries,
        output=f"runs/strategies-{name}",
    )
    started = time.monotonic()
    with view(quiet=False) as progress:
        summary = run_bench(options, progress)
    found = {(row.strategy, row.metric): (row.mean, row.capped) for row in summary.rows}
    return {
        "case": name,
        "options": {key: value for key, value in vars(options).items() if value is not None},
        "seeds": [case.first_seed, case.first_seed + seeds - 1],
        "seconds": round(time.monotonic() - started, 1),
        "rows": [row.__dict__ for row in summary.rows],
        "promises": [
            {
                "strategy": one.strategy,
                "metric": one.metric,
                "least": one.least,
                "most": one.most,
                "reached": found[one.strategy, one.metric][0],
                "kept": one.kept(*found[one.strategy, one.metric]),
            }
            for one in case.promises
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []])
    parser.add_argument("--seeds", type=int)
    options = parser.parse_args()
    for name in options.cases or CASES:
        figures = run(name, CASES[name], options.seeds or CASES[name].seeds)
        print(
            record(f"strategies-{name}", figures), [one for one in figures["promises"] if not one["kept"]], flush=True
        )


if __name__ == "__main__":
    main()
