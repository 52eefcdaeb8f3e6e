"""Counted costs: a fold of the primitives' own rules over an expression."""

from dataclasses import dataclass
from functools import lru_cache

from nasturtium.blocks.expr import Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.blocks.liveness import peak_numbers
from nasturtium.task import Signal

BYTES = 4
"""Of one number at inference (float32)."""


@dataclass(frozen=True)
class Counts:
    """Counted costs of one network for one row.

    params: trainable numbers. macs: multiply-accumulates of convolutions, linear layers and matmuls.
    activations: numbers written by convolutions and linear layers. memory: peak bytes of live tensors, weights apart.
    """

    params: int = 0
    macs: int = 0
    activations: int = 0
    memory: int = 0

    def then(self, later: "Counts") -> "Counts":
        """Of this followed by `later`."""
        return Counts(
            self.params + later.params,
            self.macs + later.macs,
            self.activations + later.activations,
            max(self.memory, later.memory),
        )


def primitives(expr: Expr, x: Signal) -> list[tuple[Primitive, Signal]]:
    """Every primitive with the type of its input, in the order in which they run."""
    match expr:
        case Seq():
            return [leaf for _, part, at in expr.signals(x) for leaf in primitives(part, at)]
        case Sum(branches) | Concat(branches):
            return [leaf for _, branch in branches for leaf in primitives(branch, x)]
        case Gate(body):
            return primitives(body, x)
        case Graph():
            known = expr.values(x)
            return [leaf for source, _, op in expr.edges for leaf in primitives(op, known[source])]
        case Primitive():
            return [(expr, x)]
    raise TypeError(f"not an expression: {expr!r}")


@lru_cache(maxsize=100_000)
def counted(expr: Expr, x: Signal) -> Counts:
    """Costs of `expr` on one row of type `x`."""
    leaves = primitives(expr, x)
    return Counts(
        sum(leaf.params(at) for leaf, at in leaves),
        sum(leaf.macs(at) for leaf, at in leaves),
        sum(leaf.activations(at) for leaf, at in leaves),
        peak_numbers(expr, x) * BYTES,
    )
