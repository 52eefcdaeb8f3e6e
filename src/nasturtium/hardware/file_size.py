"""Size of the ONNX file, estimated without writing it: four bytes a number stored, and an overhead for every node.

The overheads are the mean sizes of the nodes (with their names and the headers of their tensors) in files that
`write_onnx` made of 50 random networks of the ready spaces (torch 2.13, opset 20), whose sizes come out 0 to 10 % too
large: a network that is counted within a limit is rarely above it as a file. `measure_file` has the last word.
"""

from functools import lru_cache

from nasturtium.blocks.counted import BYTES
from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.blocks.primitives import Conv, EmbedCategories, Linear, LineConv, Norm
from nasturtium.task import Signal

HEADER = 200
JOIN = 60
"""A sum, product or concatenation of two tensors."""
OTHER = 500
"""A module of which nothing is known."""
NODES = {
    "Attention": 1300,
    "Activation": 50,  # the same for all, so that the choice of one does not bear on the size
    "Conv": 325,
    "ClassToken": 400,
    "Dropout": 0,
    "EmbedCategories": 60,
    "EmbedNumbers": 1000,
    "FirstToken": 150,
    "Flatten": 75,
    "Gated": 250,
    "GlobalPool": 105,
    "Identity": 0,
    "LineConv": 325,
    "Linear": 290,
    "Patches": 325,
    "Pool": 190,
    "Positions": 60,
    "Resize": 310,
    "Shift": 400,
    "TableTokens": 400,
    "Zero": 60,
}
NORMS = {"batch": 430, "group": 455, "layer": 310}
CATEGORY = 270
"""One categorical column: slice, cast, gather."""
CHANNEL_NORM = 650
"""Layer normalisation over the channels of images has no node of its own."""


def file_header(x: Signal) -> int:
    """Bytes that every file of this input has: names, and the standardisation of the input."""
    standardised = 0 if x.kind == "vector" else (560 if x.kind == "table" else 135) + 2 * BYTES * x.channels
    return HEADER + standardised


def file_bytes(expr: Expr, x: Signal) -> tuple[int, Signal]:
    """Bytes that an expression adds to the file, and the type of its result."""
    if isinstance(expr, Seq):
        return _remembered(expr, x) if expr.is_flat else _series(expr, x)
    if isinstance(expr, Primitive):
        return _leaf(expr, x, None), expr.out(x)
    if isinstance(expr, Gate):
        return JOIN + file_bytes(expr.body, x)[0], expr.out(x)
    if isinstance(expr, Sum | Concat):
        parts = [file_bytes(branch, x)[0] for _, branch in expr.branches]
        return JOIN * (len(parts) - 1) + sum(parts), expr.out(x)
    if isinstance(expr, Graph):
        known = expr.values(x)
        edges = sum(JOIN + file_bytes(op, known[source])[0] for source, _, op in expr.edges)
        return edges + JOIN * len(expr.joins), expr.out(x)
    raise TypeError(f"not an expression: {expr!r}")


def _series(expr: Seq, x: Signal) -> tuple[int, Signal]:
    total, before = 0, None
    for _, part in expr.parts:
        if isinstance(part, Primitive):
            total, after = total + _leaf(part, x, before), part.out(x)
        else:
            more, after = file_bytes(part, x)
            total += more
        before, x = part, after
    return total, x


_remembered = lru_cache(maxsize=50_000)(_series)


def _leaf(leaf: Primitive, x: Signal, before: Expr | None) -> int:
    """Bytes of one primitive that follows `before`."""
    if leaf.is_identity(x):
        return 0
    stored = leaf.params(x) * BYTES
    if isinstance(leaf, Norm):
        if leaf.kind == "batch":
            # After a convolution it is folded into that one's weights and bias.
            return 0 if isinstance(before, Conv | LineConv) else 2 * stored + NORMS["batch"]
        return stored + (CHANNEL_NORM if leaf.kind == "layer" and x.rank else NORMS[leaf.kind])
    if isinstance(leaf, LineConv) or (isinstance(leaf, Conv) and not leaf.bias):
        stored += leaf.out_channels * BYTES
    if isinstance(leaf, Linear) and not leaf.bias:
        stored += leaf.out_features * BYTES
    columns = len(x.cardinalities) if isinstance(leaf, EmbedCategories) else 0
    return stored + NODES.get(type(leaf).__name__, OTHER) + CATEGORY * columns
