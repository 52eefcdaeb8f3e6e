"""Latency, measured in ONNX Runtime: eager torch at this size measures Python, not the network."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.hardware.devices import THIS_MACHINE
from nasturtium.task import Signal

WARM_UP_S = 0.05
REPEAT_S = 0.1
REPEATS = 5
LEAST_CALLS = 20


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one call with one row. p50_ms and p95_ms: the quietest repeat's, as others only add the load of
    the machine. spread: (greatest - least) / least of the repeats' medians. calls: of all repeats."""

    p50_ms: float
    p95_ms: float
    spread: float
    calls: int
    threads: int
    device: str = THIS_MACHINE


def measure_latency(
    path: str | Path, signal: Signal, threads: int = 1, repeats: int = REPEATS, repeat_s: float = REPEAT_S
) -> Latency:
    """Latency of an ONNX file on this machine for one row, through ONNX Runtime's CPU provider.

    signal: type of the network's raw input. threads: of ONNX Runtime. repeats: measurements of `repeat_s` seconds each,
    after a warm-up; of each, the median and 95th percentile of many short calls are taken.
    """
    session = open_session(path, threads)
    row = {session.get_inputs()[0].name: np.zeros((1, *signal.tensor_shape), dtype=np.float32)}
    _calls(session, row, WARM_UP_S)
    timed = [_calls(session, row, repeat_s) for _ in range(repeats)]
    medians = [float(np.median(calls)) for calls in timed]
    best = timed[int(np.argmin(medians))]
    return Latency(
        p50_ms=min(medians) * 1e3,
        p95_ms=float(np.percentile(best, 95)) * 1e3,
        spread=(max(medians) - min(medians)) / min(medians),
        calls=sum(map(len, timed)),
        threads=threads,
    )


def open_session(path: str | Path, threads: int = 1) -> Any:
    """An ONNX Runtime session on the CPU that prints nothing below errors."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _calls(session: Any, row: dict[str, np.ndarray], seconds: float) -> list[float]:
    """Seconds of each call, for at least `seconds` and `LEAST_CALLS` calls."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < LEAST_CALLS or time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, row)
        taken.append(time.perf_counter() - start)
    return taken
