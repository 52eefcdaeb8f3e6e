"""Costs read off the finished ONNX file: what the limits are checked against at last."""

from math import prod
from pathlib import Path
from typing import Any

from nasturtium.errors import UserError
from nasturtium.hardware.latency import measure_latency
from nasturtium.task import Signal

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
FLOAT_TYPES = (1, 10, 11, 16)
"""float, float16, double, bfloat16 in `onnx.TensorProto`."""


def measure_file(path: str | Path, signal: Signal, threads: int = 1) -> dict[str, float]:
    """Costs of an ONNX file, for one row of raw input.

    params: floating-point numbers stored (normalisation folded, standardisation of the input included). macs: of
    convolutions, Gemm and MatMul, from the shapes in the graph. size: bytes. latency_ms, latency_p95_ms,
    latency_spread: measured here. Raises `UserError` for a file that is no ONNX model.
    """
    model = _load(Path(path))
    latency = measure_latency(path, signal, threads)
    return {
        "params": float(stored_numbers(model)),
        "macs": float(graph_macs(model, signal)),
        "size": float(Path(path).stat().st_size),
        "latency_ms": latency.p50_ms,
        "latency_p95_ms": latency.p95_ms,
        "latency_spread": latency.spread,
    }


def stored_numbers(model: Any) -> int:
    """Floating-point numbers in the initialisers of an `onnx.ModelProto`."""
    return sum(prod(tensor.dims) for tensor in model.graph.initializer if tensor.data_type in FLOAT_TYPES)


def graph_macs(model: Any, signal: Signal) -> int:
    """Multiply-accumulates of one row, from the inferred shapes of an `onnx.ModelProto` with a batch of one."""
    import onnx

    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in fixed.graph.input:
        value.type.tensor_type.shape.CopyFrom(_shape_proto((1, *signal.tensor_shape)))
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    del fixed.graph.value_info[:]
    graph = onnx.shape_inference.infer_shapes(fixed, data_prop=True).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
    return sum(_node_macs(node, shapes) for node in graph.node if node.op_type in WEIGHTED)


def _node_macs(node: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    if node.op_type == "ConvTranspose":  # each input position meets the whole kernel
        return prod(shapes[node.input[0]]) * prod(shapes[node.input[1]][1:])
    out = prod(shapes[node.output[0]])
    if node.op_type == "Conv":
        return out * prod(shapes[node.input[1]][1:])
    inner = shapes[node.input[0]]
    transposed = node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute)
    return out * (inner[0] if transposed else inner[-1])


def _shape_proto(shape: tuple[int, ...]) -> Any:
    import onnx

    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    return value.type.tensor_type.shape


def _load(path: Path) -> Any:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return onnx.load(str(path))
    except (OSError, DecodeError) as error:
        raise UserError(f"{path} cannot be read as an ONNX file: {error}.") from error
