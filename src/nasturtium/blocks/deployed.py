"""The whole module that is handed over: pre-processing, network, post-processing."""

from nasturtium.blocks import modules
from nasturtium.blocks.expr import Call, Expr
from nasturtium.task import Signal, Task


def preprocessing(x: Signal) -> Call | None:
    """From raw inputs to what the network was trained on; None for vectors. Holds buffers `mean` and `std`."""
    match x.kind:
        case "image" | "sequence":
            return Call(modules.StandardizeChannels, (x.channels, x.rank))
        case "table":
            return Call(modules.StandardizeTable, (x.shape[0],))
    return None


def deployed(expr: Expr, task: Task) -> Call:
    """Children `input`, `network` and, for regression, `output`: raw rows in, scores in the target's own unit out."""
    parts: list[tuple[str, object]] = []
    first = preprocessing(task.input)
    if first is not None:
        parts.append(("input", first))
    parts.append(("network", expr.call(task.input)))
    if task.kind == "regression":
        parts.append(("output", Call(modules.RestoreTarget, (task.outputs,))))
    return Call(modules.sequential, (), tuple(parts))
