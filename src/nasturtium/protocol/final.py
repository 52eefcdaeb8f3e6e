"""The last word: retraining on every development row with several seeds, and the one opening of the test set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from nasturtium.data import SealedTest
from nasturtium.protocol.contenders import Contender
from nasturtium.protocol.finalists import SeedOf
from nasturtium.protocol.plan import SEEDS
from nasturtium.protocol.statistics import Comparison, Interval, RowValues, compare, row_values, score_interval
from nasturtium.roles import Job, Outcome
from nasturtium.task import Task
from nasturtium.training import METRICS, predict
from nasturtium.trial import Fidelity

Models = Sequence[nn.Module]

ONWARD_RATE = 0.5
"""Of the learning rate, for a final training that goes on from another. A residual network of 98 k params on 36,000
images of Fashion-MNIST, validation accuracy: 91.2 % after the first part; after the second 91.8 % with 1, 92.0 % with
0.5; 92.4 % by one training of the length of both."""


def final_jobs(contender: Contender, seed_of: SeedOf, folder: Path, deadline_s: float | None) -> list[Job]:
    """Trainings of one contender on all development rows, one a seed; the first one's network is what ships.

    Where the clock cut the comparison, each goes on from one of its networks: nothing that was learnt is thrown away,
    and all that those saw are development rows.
    """
    return [
        Job(
            key=f"final/{number}/{contender.name}",
            subject=contender.subject,
            fidelity=Fidelity(contender.epochs),
            seed=seed_of("final", number),
            fold="all",
            parent=contender.begun[number] if contender.begun else None,
            rate=ONWARD_RATE if contender.begun else 1.0,
            checkpoint=str(folder / f"final-{number}-{contender.name}.safetensors"),
            deadline_s=deadline_s,
        )
        for number in range(SEEDS)
    ]


def final_checkpoints(contender: Contender, outcomes: Mapping[str, Outcome]) -> list[str]:
    """Checkpoints of the seeds that ended well, in order of the seeds."""
    mine = (outcomes[f"final/{number}/{contender.name}"] for number in range(SEEDS))
    return [outcome.checkpoint for outcome in mine if outcome.failure is None and outcome.checkpoint is not None]


@dataclass(frozen=True)
class Tested:
    """Test scores of one contender. rows: its score taken apart by test row and seed."""

    interval: Interval
    rows: RowValues


class OpenedTest:
    """The opened test set: scores whoever was chosen before it was opened."""

    def __init__(self, sealed: SealedTest, task: Task, reason: str) -> None:
        self._inputs, self._targets = sealed.open(reason)
        self._task = task

    def score(self, models: Models) -> Tested:
        """Score the networks of several seeds of one contender."""
        outputs = np.stack([self._predict(model) for model in models])
        found = row_values(self._task.metric, self._metric, outputs, self._targets)
        return Tested(score_interval(found.values, found.scale, test_rows=found.rows), found)

    def _metric(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        return METRICS[self._task.metric].function(outputs, targets)

    def _predict(self, model: nn.Module) -> Float[np.ndarray, "rows outputs"]:
        return predict(model, torch.from_numpy(np.array(self._inputs, dtype=np.float32)))


def compare_tested(first: Tested, second: Tested) -> Comparison:
    """Difference of the test scores, first minus second."""
    return compare(first.rows.values, second.rows.values, first.rows.scale)
