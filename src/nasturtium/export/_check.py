"""Does a file give what the trained model gives? Differences in numbers, and the agreement of answers."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nasturtium.errors import RunError
from nasturtium.task import Task

TOLERANCE = 1e-3
"""Largest difference allowed, as a part of the largest score (at least 1). Float32 runtimes differ by 1e-6 to 1e-4."""
STRAYS = 0.01
"""Share of rows that may differ more: models with steps (trees, votes) can fall to the other side of one."""
TIMEOUT_S = 180

Scores = Float[np.ndarray, "rows outputs"]


@dataclass(frozen=True)
class Agreement:
    """file: what was compared with the trained model. rows: how many real rows.

    max_difference: largest absolute difference of any score. agreement: share of rows with the same answer (the same
    class, the same set of labels; regression: within the tolerance).
    """

    file: str
    rows: int
    max_difference: float
    agreement: float


def compare(file: str, expected: Scores, given: Scores, task: Task) -> Agreement:
    """Raises `RunError` where the file does not give what the trained model gives, or where scores are not finite."""
    if given.shape != expected.shape:
        raise RunError(f"{file} gives scores of shape {given.shape}; the trained model gives {expected.shape}.")
    if not np.isfinite(expected).all():
        raise RunError("The trained model gives scores that are not finite on real rows, so it cannot be handed over.")
    difference = np.abs(np.nan_to_num(given, nan=np.inf) - expected)
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0)))
    near = (difference <= allowed).all(1)
    same = {
        "classification": expected.argmax(1) == given.argmax(1),
        "multi-label": ((expected > 0) == (given > 0)).all(1),
        "regression": near,
    }[task.kind]
    result = Agreement(
        file, len(expected), float(difference.max(initial=0.0)), float(same.mean()) if len(same) else 1.0
    )
    if (~near).mean() > STRAYS:
        raise RunError(
            f"{file} differs from the trained model by up to {result.max_difference:.3g} on {result.rows} real rows "
            f"(allowed: {allowed:.3g}), so nothing was written. This is a defect of Nasturtium: please report it."
        )
    return result


RUNNER = """
import importlib.util, json, sys
for name in sys.argv[3:]:
    sys.modules[name] = None
import numpy, torch
torch.set_num_threads(1)
spec = importlib.util.spec_from_file_location("model", sys.argv[1] + "/model.py")
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)
model = script.load()
rows = torch.from_numpy(numpy.load(sys.argv[2] + "/rows.npy"))
with torch.inference_mode():
    scores = [model(part) for part in rows.split(256)]
numpy.save(sys.argv[2] + "/scores.npy", torch.cat(scores).numpy())
print(json.dumps(script.predict(rows[:3], model)))
"""


def run_script(
    folder: Path, rows: Float[np.ndarray, "rows ..."], banned: Sequence[str] = ()
) -> tuple[Scores, list[object]]:
    """Scores of `folder`/model.py in a new process, and what its `predict` says of the first three rows.

    banned: modules that the process must not import. Raises `RunError` with the last line of what went wrong.
    """
    with tempfile.TemporaryDirectory(prefix="nasturtium-") as scratch:
        np.save(Path(scratch) / "rows.npy", np.asarray(rows, dtype=np.float32))
        command = [sys.executable, "-P", "-c", RUNNER, str(folder), scratch, "nasturtium", *banned]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise RunError(f"model.py gave no answer within {TIMEOUT_S} s.") from None
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise RunError(f"model.py does not run on its own: {reason}")
        return np.load(Path(scratch) / "scores.npy"), json.loads(done.stdout.splitlines()[-1])


def run_onnx(path: Path, rows: Float[np.ndarray, "rows ..."]) -> Scores:
    """Scores of an ONNX file in ONNX Runtime."""
    from nasturtium.export.runtime import OnnxModel

    return OnnxModel(path).scores(rows)
