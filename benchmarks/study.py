"""What the study itself costs: milliseconds a trial with the journal on disk, and the memory of the main process.

    python benchmarks/study.py            recorded in results/study.json

The evaluator does nothing, so the wall time divided by the trials is the study's overhead: proposal (random search,
each with its limit check), three appends to the journal, and the pipe to a worker process and back.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from _record import record

from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.roles import Job, OpenEvaluator, Outcome, Report
from nasturtium.schedulers import Full
from nasturtium.space import Architecture
from nasturtium.strategies import Random
from nasturtium.study import Event, Finished, JournalStore, LocalExecutor, Study, run_study
from nasturtium.task import Signal, Task
from nasturtium.trial import Objective
from nasturtium.zoo import conv_macro

TRIALS, REPEATS = 1000, 3


@dataclass(frozen=True)
class Nothing:
    """An evaluator that looks at nothing but the architecture's id."""

    def open(self) -> OpenEvaluator:
        return self._score

    def _score(self, job: Job, report: Report) -> Outcome:
        assert isinstance(job.subject, Architecture)
        return Outcome({"score": int(job.subject.arch_id[:6], 16) / 16**6}, curve=(0.5,) * 30)


def resident_mb() -> float:
    """Resident memory of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1]) / 1000


def one(trials: int, workers: int) -> dict[str, object]:
    """One study: overhead a trial, and memory after every hundredth trial."""
    task = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")
    space, limits = conv_macro(task, max_params=20_000), Limits(params=20_000)
    memory: dict[int, float] = {}
    moments: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, Finished):
            moments.append(time.perf_counter())
            if len(moments) % 100 == 0:
                memory[len(moments)] = round(resident_mb(), 1)

    with tempfile.TemporaryDirectory() as folder:
        executor = LocalExecutor(Nothing(), workers)
        study = Study(
            strategy=Random(),
            control=Random(),
            scheduler=Full(30),
            candidates=LimitedCandidates(space, CostModel(space), limits),
            objectives=(Objective("score", "maximize"),),
            seed=0,
            trials=trials,
        )
        with JournalStore(Path(folder) / "study.journal", study.identity, space) as store:
            run_study(study, executor, store, listen)
        executor.close()
    ms = 1000 * (moments[-1] - moments[0]) / (len(moments) - 1)
    last = 1000 * (moments[-1] - moments[-101]) / 100
    return {"ms_a_trial": round(ms, 2), "ms_a_trial_last_100": round(last, 2), "resident_mb": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS)
    options = parser.parse_args()
    runs = [one(options.trials, workers=1) for _ in range(REPEATS)]
    overhead = [float(str(run["ms_a_trial"])) for run in runs]
    figures = {
        "trials": options.trials,
        "promised": {"ms_a_trial": 15, "memory_growth_mb": 50},
        "ms_a_trial_median": statistics.median(overhead),
        "runs": runs,
    }
    print(record("study", figures), overhead, runs[-1]["resident_mb"])


if __name__ == "__main__":
    main()
