"""The ONNX file of a network, written quietly."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from nasturtium.task import Signal

LOGGERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")
INPUT, OUTPUT = "x", "scores"


def write_onnx(module: nn.Module, signal: Signal, path: str | Path) -> Path:
    """Writes the network to one ONNX file with a dynamic batch; the file appears whole or not at all.

    module: takes `[N, *signal.tensor_shape]`, gives `[N, outputs]`; it is switched to evaluation for the export and
    back. The input is called "x", the output "scores". Nothing is printed. Raises what torch raises if an operation
    has no ONNX form.
    """
    import onnx

    path = Path(path)
    was_training = module.training
    module.eval()
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    example = torch.zeros(2, *signal.tensor_shape, device=device)
    try:
        with quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            )
    finally:
        module.train(was_training)
    assert program is not None
    model = program.model_proto
    strip(model)
    partial = path.with_name(path.name + f".partial{os.getpid()}")
    try:
        onnx.save_model(model, str(partial))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def strip(model: object) -> None:
    """Removes notes of the exporter (source lines, shapes of values between) that double the size of a small file."""
    graph = model.graph  # type: ignore[attr-defined]
    for thing in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        if hasattr(thing, "metadata_props"):
            del thing.metadata_props[:]
        thing.doc_string = ""
    del graph.value_info[:]


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and no log lines of the exporter; torch's advice is for people who write models by hand."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    try:
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
