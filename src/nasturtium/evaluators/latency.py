"""The latency of a network before it is trained: weights do not change how long it takes."""

import tempfile
from pathlib import Path

from nasturtium.blocks import Expr, construct, deployed
from nasturtium.hardware import measure_latency, write_onnx
from nasturtium.task import Task


def latency_of(expr: Expr, task: Task) -> float:
    """Median milliseconds of one row in ONNX Runtime on one thread of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_onnx(construct(deployed(expr, task)).eval(), task.input, path)
        return measure_latency(path, task.input).p50_ms
