"""The winner as nested plain data, for the report to draw."""

from collections.abc import Mapping
from typing import Any

from nasturtium.blocks import Block, Chain, Expr, Graph, Primitive, Seq, counted
from nasturtium.blocks.expr import Concat, Gate, Sum
from nasturtium.task import Signal

OPERATIONS = (
    "Attention", "Conv", "EmbedCategories", "EmbedNumbers", "Foreign", "GlobalPool", "LineConv", "Linear", "Patches",
    "Pool", "Resize", "TableTokens",
)  # fmt: skip
"""Primitives worth a box of their own; normalisation and activation are said in the text of the block."""


def drawing(root: Block, x: Signal, name: str = "network") -> dict[str, Any]:
    """{"name", "text", "shape", "params", "parts"}: a block with the parts inside it, down to the named blocks."""
    parts = []
    at = x
    if isinstance(root, Chain):
        for label, block in root.links():
            parts.append(drawing(block, at, label))
            at = block.lower(at).out(at)
    expr = root.lower(x)
    return {
        "name": name,
        "text": summary(expr, x) if not parts else "",
        "shape": list(expr.out(x).shape),
        "params": counted(expr, x).params,
        "parts": parts,
    }


def summary(expr: Expr, x: Signal) -> str:
    """The operations of one block in a line."""
    words = _words(expr, x)
    return " → ".join(words) if words else "identity"


def _words(expr: Expr, x: Signal) -> list[str]:
    match expr:
        case Seq():
            return [word for _, part, at in expr.signals(x) for word in _words(part, at)]
        case Sum(branches):
            inner = [" → ".join(_words(branch, x)) or "skip" for _, branch in branches]
            return [f"({' + '.join(inner)})"]
        case Concat(branches):
            return [f"[{' , '.join(' → '.join(_words(branch, x)) for _, branch in branches)}]"]
        case Gate():
            return ["squeeze-excitation"]
        case Graph() if expr.joins:
            operations = len([op for _, _, op in expr.edges if not isinstance(op, Primitive) or not op.is_identity(x)])
            return [f"{len(expr.joins)} cells, {operations} operations"]
        case Graph():
            known = expr.values(x)
            return [f"{s}→{t}: {' → '.join(_words(op, known[s])) or 'skip'}" for s, t, op in expr.edges]
        case Primitive():
            return _word(expr, x)
    raise TypeError(f"not an expression: {expr!r}")


def _word(leaf: Primitive, x: Signal) -> list[str]:
    name = type(leaf).__name__
    if name not in OPERATIONS or leaf.is_identity(x):
        return []
    fields: Mapping[str, Any] = vars(leaf)
    if name == "Conv":
        size = "×".join([str(fields["kernel"])] * x.rank)
        depthwise = "depth-wise " if fields["groups"] == 0 else ""
        stride = f", stride {fields['stride']}" if fields["stride"] != 1 else ""
        return [f"{depthwise}conv {size}, {fields['out_channels']}{stride}"]
    if name == "Linear":
        return [f"linear {fields['out_features']}"]
    if name == "Foreign":
        return [str(fields["reference"]).rpartition(":")[2]]
    words = {
        "Attention": f"attention of {fields.get('heads')} heads",
        "LineConv": f"conv of {fields.get('kernel')} along axis {fields.get('axis')}",
        "Patches": f"patches of side {fields.get('side')}",
        "TableTokens": "tokens of columns",
        "Pool": "pool",
        "GlobalPool": f"global {fields.get('kind', '')} pool",
        "EmbedCategories": "embed categories",
        "EmbedNumbers": "embed numbers",
        "Resize": f"resize to {fields.get('side')}",
    }
    return [words[name]]
