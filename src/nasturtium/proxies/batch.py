"""The rows that proxies see."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from nasturtium.blocks import construct, preprocessing
from nasturtium.data import Development, InputStatistics, input_statistics
from nasturtium.errors import RunError
from nasturtium.task import Task
from nasturtium.training import TargetScale, derive_seed

PUBLISHED_ROWS = 64


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows as a network sees them in training.

    inputs: `[rows, *task.input.tensor_shape]`, standardised. targets: int64 class numbers `[rows]`, float32 0/1
    `[rows, labels]`, or float32 `[rows, targets]`, standardised. second: other rows, for proxies that compare batches.
    Raises `RunError` for fewer than two rows, which batch normalisation cannot train on, or rows that do not match.
    """

    inputs: Float[Tensor, "rows ..."]
    targets: Shaped[Tensor, "rows ..."]
    task: Task
    second: "Batch | None" = None

    def __post_init__(self) -> None:
        rows = len(self.inputs)
        if rows < 2:
            raise RunError(f"Proxies need a batch of at least 2 rows, but this one has {rows}.")
        if len(self.targets) != rows:
            raise RunError(f"A batch needs one target a row, but has {rows} rows and {len(self.targets)} targets.")
        if tuple(self.inputs.shape[1:]) != self.task.input.tensor_shape:
            raise RunError(
                f"Rows of the task have the shape {self.task.input.tensor_shape}, "
                f"but those of the batch have {tuple(self.inputs.shape[1:])}."
            )

    def __len__(self) -> int:
        return len(self.inputs)

    def to(self, device: torch.device) -> "Batch":
        second = None if self.second is None else self.second.to(device)
        return Batch(self.inputs.to(device), self.targets.to(device), self.task, second)

    @staticmethod
    def draw(development: Development, rows: int = PUBLISHED_ROWS, seed: int = 0) -> "Batch":
        """Two batches of random train rows of the split, the second behind the first, without a row in common.

        rows: of each batch; half of the train rows where there are fewer. seed: of the draw.
        """
        train, _ = development.fold("search")
        count = min(rows, len(train) // 2)
        drawn = np.random.default_rng(derive_seed(seed, "proxy batch")).permutation(train)
        statistics = input_statistics(development, train)
        return _batch(development, drawn[:count], statistics, _batch(development, drawn[count : 2 * count], statistics))


def _batch(
    development: Development, rows: np.ndarray, statistics: InputStatistics, second: Batch | None = None
) -> Batch:
    task, targets = development.task, development.targets[rows]
    if task.kind == "regression":
        targets = TargetScale(statistics.target_mean, statistics.target_std).standardise(targets)
    inputs = torch.as_tensor(np.ascontiguousarray(development.inputs[rows])).to(torch.float32)
    before = preprocessing(task.input)
    if before is not None:
        module = construct(before)
        for name, value in (("mean", statistics.mean), ("std", statistics.std)):
            buffer = module.get_buffer(name)
            buffer.copy_(torch.tensor(value).reshape(buffer.shape))
        inputs = module(inputs)
    return Batch(inputs, torch.from_numpy(np.ascontiguousarray(targets)), task, second)
