"""A quick model of latency for a search that asks it thousands of times: measured on a few networks of the space."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from nasturtium.blocks import counted
from nasturtium.errors import LimitError
from nasturtium.evaluators import lowered
from nasturtium.evaluators.latency import latency_of
from nasturtium.hardware import CostModel, LimitedCandidates, shown
from nasturtium.hardware.walk import minimiser
from nasturtium.space import Architecture
from nasturtium.task import Task

MEASURED = 16
"""Networks that are exported and measured, one or two seconds each."""
LOOKED_AT = 64
"""Networks that are drawn before a latency is said to be out of reach."""
SAFE = 0.95
"""Of a latency limit that is aimed at: predictions of latency are a little wrong."""


def latency_model(candidates: LimitedCandidates, seed: int) -> Callable[[Architecture], float]:
    """Predicted median milliseconds of one row: a constant, and shares of MACs, activations and params, none negative.

    What is derived is measured in any case, on its exported file.
    """
    task = candidates.space.task
    assert task is not None, "a space with counted costs has a task"
    rng = np.random.default_rng([seed])
    drawn = [candidates.sample(rng) for _ in range(MEASURED)]
    scale = np.maximum(np.mean([_row(one, task) for one in drawn], axis=0), 1e-9)
    measured = np.array([latency_of(lowered(one, task), task) for one in drawn])
    rows = np.stack([_row(one, task) / scale for one in drawn])
    # Relative errors count, so that small networks are predicted as well as large ones.
    shares, _ = nnls(rows / measured[:, None], np.ones(len(drawn)))

    @lru_cache(maxsize=100_000)
    def predict(architecture: Architecture) -> float:
        return float(_row(architecture, task) / scale @ shares)

    return predict


def refuse_too_slow(candidates: LimitedCandidates, costs: CostModel, predict: Callable[[Architecture], float]) -> None:
    """Raises `LimitError` where nothing is predicted to meet the latency in the limits of `candidates`: of the networks
    of least costs and a few drawn by a seed of their own."""
    most_ms = candidates.limits.latency_ms
    assert most_ms is not None
    rng = np.random.default_rng(0)
    least = [minimiser(costs, name) for name in ("macs", "activations", "params")]
    some = [one for one in least if candidates.feasible(one)] + [candidates.sample(rng) for _ in range(LOOKED_AT)]
    quickest_ms = min(map(predict, some))
    if quickest_ms > most_ms:
        raise LimitError(
            f"No network of the space {candidates.space.name!r} was found within {shown('latency_ms', most_ms)} of "
            f"latency and the other limits: the quickest takes about {shown('latency_ms', quickest_ms)} on this "
            "machine. Raise the limit on latency, or leave it out."
        )


def _row(architecture: Architecture, task: Task) -> Float[np.ndarray, " 4"]:
    counts = counted(lowered(architecture, task), task.input)
    return np.array([1.0, counts.macs, counts.activations, counts.params], dtype=np.float64)
