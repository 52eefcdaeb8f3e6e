"""Size of the ONNX file, estimated from the expression: numbers stored times four, and an overhead for each node.

Calibrated on files of `write_onnx`.
"""

from nasturtium.blocks.counted import BYTES, primitives
from nasturtium.blocks.expr import Expr
from nasturtium.task import Signal

HEADER = 1000
NODE = 150


def file_header(x: Signal) -> int:
    """Bytes that every file has: names of inputs and outputs, and the standardisation of the input."""
    return HEADER


def file_bytes(expr: Expr, x: Signal) -> int:
    """Bytes that an expression adds to the file."""
    leaves = primitives(expr, x)
    return sum(leaf.params(at) * BYTES + NODE for leaf, at in leaves)
