"""Milliseconds of an `ask` at 500 trials, of every registered strategy, on two spaces, one core.

Figures to reach (median): evolution and local search 5 ms, `auto` 50 ms. The study is simulated with a made-up score,
so that nothing is trained: the strategy itself proposes up to `GIVEN_UP` seconds, random search the rest of the 500,
and then `ASKS` further trials are asked for, each with the answers to the ones before it. What is kept between asks is
thereby warm, as in a study. CPU seconds count where the machine is shared; wall seconds are recorded beside them.

Run: python benchmarks/asks.py [STRATEGY ...]
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from _record import RESULTS, record

TRIALS, ASKS, GIVEN_UP = 500, 25, 30.0


def spaces() -> dict[str, Callable[[], object]]:
    """Candidates by name: a cell space without limits, and the macro space under a limit on params."""
    from nasturtium.hardware import CostModel, LimitedCandidates, Limits
    from nasturtium.task import Signal, Task
    from nasturtium.zoo import conv_macro, nasbench201

    def task(*shape: int) -> Task:
        return Task("classification", Signal("image", shape), 10, "accuracy")

    def limited(space: object, limits: Limits) -> LimitedCandidates:
        return LimitedCandidates(space, CostModel(space), limits)  # type: ignore[arg-type]

    return {
        "nasbench201 3x32x32": lambda: limited(nasbench201(task(3, 32, 32)), Limits()),
        "conv-macro 3x32x32, 100k": lambda: limited(
            conv_macro(task(3, 32, 32), max_params=1e5), Limits(params=100_000)
        ),
    }


def score(architecture: object, space: object) -> float:
    """A separable loss with a little noise, so that there are slopes, ridges and local minima."""
    codes = np.array(space.codes(architecture))  # type: ignore[attr-defined]
    weights = np.random.default_rng(1).random((len(codes), 64))
    noise = np.random.default_rng([codes.clip(0).sum(), len(codes)]).normal(0.0, 0.3)
    return float(weights[np.arange(len(codes)), codes % 64].sum() + noise)


def measure(name: str, where: str) -> dict[str, object]:
    """Medians in milliseconds, or why there is none."""
    from nasturtium.errors import UserError
    from nasturtium.strategies import Random, strategy
    from nasturtium.trial import Fidelity, History, Objective, Trial

    candidates = spaces()[where]()
    asked, control = strategy(name, TRIALS), Random()
    history = History((Objective("loss", "minimize"),))
    wall, cpu, begun = list[float](), list[float](), time.perf_counter()
    for number in range(TRIALS + ASKS):
        own = number >= TRIALS or time.perf_counter() - begun < GIVEN_UP
        started, used = time.perf_counter(), time.process_time()
        try:
            proposed = (asked if own else control).ask(history, 1, number, candidates)  # type: ignore[arg-type]
        except UserError as error:
            return {"refused": str(error)}
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
        loss = score(proposed[0], candidates.space)  # type: ignore[attr-defined]
        origin = asked.name if own else control.name
        trial = Trial(number, proposed[0], Fidelity(1), number, origin, "complete", {"loss": loss})
        history = History(history.objectives, (*history.trials, trial))
    last = {"wall_ms": wall[TRIALS:], "cpu_ms": cpu[TRIALS:]}
    return {
        clock: {
            "median": round(1000 * statistics.median(seconds), 2),
            "low": round(1000 * min(seconds), 2),
            "high": round(1000 * max(seconds), 2),
        }
        for clock, seconds in last.items()
    }


def fresh(name: str, where: str) -> dict[str, object]:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--one", name, where], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main(names: list[str]) -> None:
    """All strategies, or those named, whose figures then take the place of the recorded ones."""
    from nasturtium.strategies import STRATEGIES

    target = RESULTS / "asks.json"
    results = json.loads(target.read_text())["spaces"] if names and target.exists() else {}
    for where in spaces():
        for name in names or STRATEGIES:
            results.setdefault(where, {})[name] = found = fresh(name, where)
            print(where, name, found, flush=True)
    record("asks", {"trials": TRIALS, "asks": ASKS, "objectives": 1, "spaces": results})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(*sys.argv[2:4])))
    else:
        main(sys.argv[1:])
