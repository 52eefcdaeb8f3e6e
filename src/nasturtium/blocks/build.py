"""From an expression to a `torch.nn.Module`."""

from collections.abc import Callable
from typing import cast

import torch
from torch import nn

from nasturtium.blocks.expr import Call, Expr
from nasturtium.errors import SpaceError
from nasturtium.space import Architecture
from nasturtium.task import Signal


def construct(call: Call) -> nn.Module:
    """Execute a constructor call, arguments first."""
    arguments = [construct(value) if isinstance(value, Call) else value for value in call.args]
    named = {name: construct(value) if isinstance(value, Call) else value for name, value in call.kwargs}
    return cast(Callable[..., nn.Module], call.target)(*arguments, **named)


def build(what: Expr | Architecture, x: Signal | None = None, seed: int | None = None) -> nn.Module:
    """The module of an architecture, or of an expression for inputs `[N, *x.tensor_shape]`, freshly initialised.

    x: needed for an expression; an architecture knows its task.
    seed: of the initial weights; the global generator is left as it was. None draws from the global generator.
    """
    if isinstance(what, Architecture):
        expr, x = _lowered(what)
    else:
        expr = what
    if x is None:
        raise SpaceError("build() needs the signal that an expression is built for: build(expression, task.input).")
    if seed is None:
        return construct(expr.call(x))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return construct(expr.call(x))


def _lowered(architecture: Architecture) -> tuple[Expr, Signal]:
    if architecture.task is None or not hasattr(architecture.tree, "lower"):
        raise SpaceError(
            f"The architecture {architecture.arch_id} is no network: its space {architecture.space_name!r} has no "
            "task, or its root is not a block."
        )
    return architecture.tree.lower(architecture.task.input), architecture.task.input
