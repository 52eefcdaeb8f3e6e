"""Sampling with limit checks, and exact bounds: architectures and seconds, one core, each case in a fresh process.

Figures to reach: conv-macro at least 4,000 architectures a second cold and 30,000 warm; bounds of every additive cost
of every ready space in less than a second. Cold: the first `COLD` samples of a process. Warm: `WARM` samples after as
many. Both draw codes and check a limit on params; none builds a network. CPU seconds are what counts where the machine
is shared; wall seconds are recorded beside them.

Run: python benchmarks/sampling.py
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from _record import record

COLD, WARM, REPEATS = 5_000, 20_000, 3


def cases() -> dict[str, tuple[Callable[[], object], float | None]]:
    """Ready spaces by name, and the limit on params that is checked (None: bounds only)."""
    from nasturtium.task import Signal, Task
    from nasturtium.zoo import conv_macro, mlp, nasbench201, tabular

    def task(kind: str, *shape: int, cardinalities: tuple[int, ...] = ()) -> Task:
        return Task("classification", Signal(kind, shape, cardinalities), 10, "accuracy")  # type: ignore[arg-type]

    table = task("table", 8, cardinalities=(2, 7, 30))
    return {
        "conv-macro 1x8x8, 20k": (lambda: conv_macro(task("image", 1, 8, 8), max_params=2e4), 2e4),
        "conv-macro 1x28x28, 50k": (lambda: conv_macro(task("image", 1, 28, 28), max_params=5e4), 5e4),
        "conv-macro 3x32x32, 100k": (lambda: conv_macro(task("image", 3, 32, 32), max_params=1e5), 1e5),
        "conv-macro 3x224x224": (lambda: conv_macro(task("image", 3, 224, 224)), 1e5),
        "conv-macro sequence 1x128, 20k": (lambda: conv_macro(task("sequence", 1, 128), max_params=2e4), 2e4),
        "nasbench201 3x32x32": (lambda: nasbench201(task("image", 3, 32, 32)), None),
        "tabular": (lambda: tabular(table), None),
        "mlp": (lambda: mlp(task("vector", 30)), None),
    }


def timed(work: Callable[[], object]) -> dict[str, float]:
    """CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}


def sampling(name: str) -> dict[str, dict[str, float]]:
    """Architectures a second, cold and warm."""
    from nasturtium.hardware import CostModel, Limits

    make, most = cases()[name]
    space, rng = make(), np.random.default_rng(0)
    model, limits = CostModel(space), Limits(params=most)  # type: ignore[arg-type]

    def draw(count: int) -> None:
        for codes in space.sample_codes(rng, count):  # type: ignore[attr-defined]
            model.meets(codes, limits)

    cold = timed(lambda: draw(COLD))
    draw(WARM)
    warm = timed(lambda: draw(WARM))
    return {
        "cold": {f"per_{clock}": COLD / seconds for clock, seconds in cold.items()},
        "warm": {f"per_{clock}": WARM / seconds for clock, seconds in warm.items()},
    }


def bounding(name: str) -> dict[str, dict[str, float]]:
    """Seconds for the bounds of the additive costs."""
    from nasturtium.hardware import CostModel

    model = CostModel(cases()[name][0]())  # type: ignore[arg-type]
    return {"bounds": timed(lambda: model.bounds(names=("params", "macs", "activations")))}


def fresh(kind: str, name: str) -> dict[str, dict[str, float]]:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, kind, name], capture_output=True, text=True, check=True)
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def main() -> None:
    results: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for name, (_, most) in cases().items():
        kinds = ["bounding"] + (["sampling"] if most else [])
        for kind in kinds:
            runs = [fresh(kind, name) for _ in range(REPEATS)]
            for what in runs[0]:
                results.setdefault(name, {})[what] = {
                    clock: {
                        "median": round(statistics.median(run[what][clock] for run in runs), 3),
                        "low": round(min(run[what][clock] for run in runs), 3),
                        "high": round(max(run[what][clock] for run in runs), 3),
                    }
                    for clock in runs[0][what]
                }
        print(name, results[name])
    record("sampling", {"cold_samples": COLD, "warm_samples": WARM, "repeats": REPEATS, "spaces": results})


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps({"bounding": bounding, "sampling": sampling}[sys.argv[1]](sys.argv[2])))
    else:
        main()
