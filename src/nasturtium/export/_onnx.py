"""The ONNX file of a model."""

import contextlib
import logging
import warnings
from pathlib import Path

import torch
from torch import nn

from nasturtium.task import Signal


def write_onnx(module: nn.Module, signal: Signal, path: Path) -> None:
    """Writes `module` for inputs `[rows, *signal.tensor_shape]` with a free number of rows."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = torch.zeros(2, *signal.tensor_shape)
    with warnings.catch_warnings(), contextlib.redirect_stdout(None):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (example,), str(path), dynamo=True, verbose=False, external_data=False,
            input_names=["input"], output_names=["output"], dynamic_shapes=({0: torch.export.Dim("rows", min=1)},),
        )  # fmt: skip
