"""What a search returns."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from torch import nn

from nasturtium.report import summary_lines


@dataclass(frozen=True)
class Result:
    """The end of a run. record: the content of `result.json`, see `nasturtium.report.RunResult` for every field."""

    folder: Path
    record: dict[str, Any]

    @property
    def verdict(self) -> str:
        """ "search" if the searched network ships, "baseline" if a simpler model is as good."""
        return str(self.record["verdict"])

    @property
    def best(self) -> dict[str, Any]:
        """What ships: name, costs, validation and test scores."""
        return dict(self.record["best"])

    def lines(self) -> list[str]:
        """The result as text for a terminal of 80 columns."""
        return summary_lines(self.record, str(self.folder))

    def predict(self, rows: Any) -> Shaped[np.ndarray, " rows"]:
        """Class names or values for new rows: an array, a frame, or a file as for `nasturtium predict`."""
        from nasturtium.workflows.predicting import predict_rows

        return predict_rows(str(self.folder), rows).answers

    @cached_property
    def network(self) -> nn.Module:
        """The trained module: raw rows in, scores out."""
        from nasturtium.workflows.predicting import load_module

        return load_module(self.folder)

    def __repr__(self) -> str:
        return f"Result({str(self.folder)!r}): {self.record['sentence']}"
