"""How often does the protocol claim what is not so? Whole studies simulated on tables.

    python benchmarks/honesty.py --studies 1000 --json benchmarks/results/honesty.json

1. Verdicts where every architecture and every baseline is truly equal: "search won" must come in at most 5 of 100
   studies. The best of many is chosen on validation rows that come back in the resplits: the winner's curse is there.
2. The same where the network really is better: how often that is found (the power; no promise).
3. 95 % intervals of the final test score: they must cover the truth in 93 to 97 of 100 studies.

Where NAS-Bench-201's single runs are at hand (NASTURTIUM_DATA or ../shared/data), their real seed noise is one case.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _record import record
from scipy import stats

from nasturtium.protocol.statistics import row_values, score_interval
from nasturtium.protocol.verdict import Finalist, Setting, decide

RESPLITS, SEEDS, BASELINES = 5, 5, 4
RANDOM_SHARE = 0.15
DATA = Path(os.environ.get("NASTURTIUM_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

# rows to develop on, accuracy, spread of row difficulty, of architectures on single rows, of trainings (probit), trials
STUDIES = [
    (1437, 0.99, 2.0, 1.0, 0.03, 40),
    (1437, 0.99, 1.0, 3.0, 0.0, 200),
    (1437, 0.95, 2.0, 2.0, 0.03, 40),
    (1437, 0.95, 1.0, 3.0, 0.0, 200),
    (455, 0.97, 2.0, 1.0, 0.1, 40),
    (353, 0.9, 1.0, 3.0, 0.0, 200),
]
GAINS = [
    (0.01, (1437, 0.98, 2.0, 1.0, 0.03, 40)),
    (0.02, (1437, 0.95, 2.0, 2.0, 0.03, 40)),
    (0.05, (353, 0.9, 2.0, 2.0, 0.03, 40)),
]
Score = Callable[[int, np.ndarray], float]


def verdict_of(score: Score, rows: int, trials: int, rng: np.random.Generator, setting: Setting) -> str:
    """One study. score: trains model `number` afresh and scores it on these rows; baselines come after the trials."""
    quarter = rows // 4
    search_rows = rng.permutation(rows)[:quarter]
    first = np.array([score(model, search_rows) for model in range(trials + BASELINES)])
    if setting.direction == "minimize":
        first = -first
    random = int(first[: max(2, round(RANDOM_SHARE * trials))].argmax())
    models = {"found": int(first[:trials].argmax()), "random": random}
    for place in range(BASELINES):
        models[f"baseline-{place}"] = trials + place
    best_baseline = trials + int(first[trials:].argmax())
    kept = {name: model for name, model in models.items() if model < trials or model == best_baseline}
    if kept["random"] == kept["found"]:
        del kept["random"]
    resplits = [rng.permutation(rows)[:quarter] for _ in range(RESPLITS)]
    finalists = [
        Finalist(name, _role(name), tuple(score(model, part) for part in resplits)) for name, model in kept.items()
    ]
    return decide(finalists, setting).verdict


def _role(name: str) -> Any:
    return name.split("-")[0]


def row_score(rng: np.random.Generator, case: tuple[Any, ...], gain: float = 0.0) -> Score:
    """Accuracy from a probit model of rows, architectures and trainings. gain: what the networks have above it."""
    rows, accuracy, difficulty, own, training, trials = case
    spread = np.sqrt(1 + difficulty**2 + own**2)
    hard = difficulty * rng.normal(size=rows)
    tastes = own * rng.normal(
        size=(trials + BASELINES, rows)
    )  # what an architecture gets right, training after training

    def score(model: int, part: np.ndarray) -> float:
        mean = accuracy + (gain if model < trials else 0.0)
        start = stats.norm.ppf(mean) * np.sqrt(spread**2 + (training * spread) ** 2)
        luck = training * spread * rng.normal() + rng.normal(size=len(part))
        return float((start + hard[part] + tastes[model, part] + luck > 0).mean())

    return score


def regression_score(rng: np.random.Generator, rows: int, trials: int) -> Score:
    """RMSE where errors are partly the row's, partly the architecture's and partly the training's."""
    shared = 0.8 * rng.standard_t(6, size=rows)
    tastes = 0.3 * rng.normal(size=(trials + BASELINES, rows))

    def score(model: int, part: np.ndarray) -> float:
        errors = shared[part] + tastes[model, part] + 0.2 * rng.normal(size=len(part))
        return float(np.sqrt((errors**2).mean()) * (1 + 0.01 * rng.normal()))

    return score


def null_studies(studies: int, seed: int) -> Iterable[dict[str, Any]]:
    """Share of studies in which search won though nothing was better."""
    for number, case in enumerate(STUDIES):
        rng = np.random.default_rng([seed, 1, number])
        setting = _setting("accuracy", case[0])
        won = sum(verdict_of(row_score(rng, case), case[0], case[-1], rng, setting) == "search" for _ in range(studies))
        yield _claim("accuracy, simulated rows", case, won, studies)
    rng = np.random.default_rng([seed, 1, 99])
    setting = _setting("rmse", 353)
    won = sum(verdict_of(regression_score(rng, 353, 40), 353, 40, rng, setting) == "search" for _ in range(studies))
    yield _claim("rmse, simulated rows", (353, None, None, None, None, 40), won, studies)


def power_studies(studies: int, seed: int) -> Iterable[dict[str, Any]]:
    """Share of studies in which search won where every network is really better."""
    for number, (gain, case) in enumerate(GAINS):
        rng = np.random.default_rng([seed, 2, number])
        setting = _setting("accuracy", case[0])
        won = sum(
            verdict_of(row_score(rng, case, gain), case[0], case[-1], rng, setting) == "search" for _ in range(studies)
        )
        yield _claim("accuracy, simulated rows", case, won, studies) | {"true_gain": gain}


def table_study(studies: int, seed: int) -> dict[str, Any] | None:
    """Nothing is better, and trainings differ by the real seed noise of NAS-Bench-201 (None without the table)."""
    path = DATA / "benchmarks" / "nb201_runs.parquet"
    if not path.exists():
        return None
    deviations = run_deviations(pd.read_parquet(path))
    rng = np.random.default_rng([seed, 3])
    rows, trials, quarter = 1437, 40, 359
    won = 0
    for _ in range(studies):
        shared = rng.normal(size=rows)

        def score(model: int, part: np.ndarray, shared: np.ndarray = shared) -> float:
            hard = (shared[part] + rng.normal(size=len(part)) + stats.norm.ppf(0.9) * np.sqrt(2) > 0).mean()
            return float(hard + rng.choice(deviations))

        won += verdict_of(score, rows, trials, rng, _setting("accuracy", rows)) == "search"
    found = _claim("accuracy, NAS-Bench-201's runs", (rows, 0.9, 1.0, 0.0, None, trials), won, studies)
    return found | {"run_noise_sd": round(float(deviations.std()), 5), "score_rows": quarter}


def run_deviations(runs: pd.DataFrame) -> np.ndarray:
    """Accuracy of single runs less their cell's mean, as fractions, inflated for the mean's own noise."""
    known = runs[["idx", "c10_val_200"]].dropna()
    group = known.groupby("idx")["c10_val_200"]
    count = group.transform("size")
    deviation = (known["c10_val_200"] - group.transform("mean")) * np.sqrt(count / (count - 1).clip(lower=1))
    learned = (count > 1) & (group.transform("min") > 50)  # a cell that never learned has no seed noise to speak of
    return deviation[learned].to_numpy() / 100


def intervals(studies: int, seed: int) -> Iterable[dict[str, Any]]:
    """Coverage of the 95 % interval of the final test score over fresh rows and fresh seeds."""
    for rows in (360, 1000):
        for accuracy in (0.9, 0.97, 0.99):
            for difficulty, seed_effect in ((1.0, 0.05), (2.0, 0.05), (3.0, 0.1)):
                rng = np.random.default_rng([seed, 4, rows, round(1000 * accuracy), round(difficulty)])
                tables = (correctness(rng, rows, accuracy, difficulty, seed_effect) for _ in range(studies))
                found = [score_interval(table, "share") for table in tables]
                case = {"metric": "accuracy", "rows": rows, "truth": accuracy}
                yield case | {"difficulty": difficulty, "seed_effect": seed_effect} | _coverage(found, accuracy)
    for rows in (88, 360, 1000):
        rng = np.random.default_rng([seed, 5, rows])
        found = []
        for _ in range(studies):
            errors = 0.8 * rng.normal(size=(1, rows)) + 0.4 * rng.normal(size=(SEEDS, rows))
            errors *= 1 + 0.02 * rng.normal(size=(SEEDS, 1))
            taken = row_values("rmse", _rmse, errors[:, :, None], np.zeros((rows, 1)))
            found.append(score_interval(taken.values, taken.scale))
        truth = float(np.sqrt(0.8))
        yield {"metric": "rmse", "rows": rows, "truth": round(truth, 4), "seed_effect": 0.02} | _coverage(found, truth)


def correctness(
    rng: np.random.Generator, rows: int, accuracy: float, difficulty: float, seed_effect: float
) -> np.ndarray:
    """0/1 [rows, seeds] with hard and easy rows, good and bad seeds; mean accuracy exactly as asked."""
    shift = seed_effect * np.sqrt(1 + difficulty**2)
    start = stats.norm.ppf(accuracy) * np.sqrt(1 + difficulty**2 + shift**2)
    latent = start + difficulty * rng.normal(size=(rows, 1)) + shift * rng.normal(size=(1, SEEDS))
    return (latent + rng.normal(size=(rows, SEEDS)) > 0).astype(float)


def _rmse(outputs: np.ndarray, targets: np.ndarray) -> float:
    return float(np.sqrt(((outputs - targets) ** 2).mean()))


def _coverage(found: list[Any], truth: float) -> dict[str, Any]:
    covered = float(np.mean([one.low <= truth <= one.high for one in found]))
    width = float(np.mean([one.high - one.low for one in found]))
    return {"n": len(found), "covered": covered, "standard_error": _error(covered, len(found)), "mean_width": width}


def _claim(kind: str, case: tuple[Any, ...], won: int, studies: int) -> dict[str, Any]:
    names = ("development_rows", "accuracy", "difficulty", "architecture_by_row", "training", "trials")
    share = won / studies
    return {"kind": kind, **dict(zip(names, case, strict=True)), "n": studies, "search_won": share} | {
        "standard_error": _error(share, studies)
    }


def _error(share: float, count: int) -> float:
    return round(float(np.sqrt(share * (1 - share) / count)), 4)


def _setting(metric: str, rows: int) -> Setting:
    direction: Any = "minimize" if metric == "rmse" else "maximize"
    return Setting(metric, direction, rows - rows // 4, rows // 4, share=metric == "accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    nulls = list(null_studies(options.studies, options.seed))
    table = table_study(options.studies, options.seed)
    nulls += [table] if table else []
    covered = list(intervals(options.studies, options.seed))
    figures = {
        "studies": options.studies,
        "seed": options.seed,
        "level": _setting("accuracy", 4).alpha,
        "equal": nulls,
        "equal_worst": max(one["search_won"] for one in nulls),
        "power": list(power_studies(options.studies, options.seed)),
        "intervals": covered,
        "intervals_range": [min(one["covered"] for one in covered), max(one["covered"] for one in covered)],
        "skipped": [] if table else [f"no NAS-Bench-201 runs at {DATA}"],
    }
    path = record("honesty", figures, options.json)
    print(f"search won where all is equal: at most {100 * figures['equal_worst']:.1f} % (promised: 5 %)")
    print("95 % intervals cover {:.1f} to {:.1f} %".format(*(100 * end for end in figures["intervals_range"])))
    print(f"written to {path}")


if __name__ == "__main__":
    main()
