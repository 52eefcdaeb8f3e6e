"""From an expression to a `torch.nn.Module`."""

from collections.abc import Callable
from typing import cast

import torch
from torch import nn

from nasturtium.blocks.expr import Call, Expr
from nasturtium.task import Signal


def construct(call: Call) -> nn.Module:
    """Execute a constructor call, arguments first."""
    arguments = [construct(value) if isinstance(value, Call) else value for value in call.args]
    named = {name: construct(value) if isinstance(value, Call) else value for name, value in call.kwargs}
    return cast(Callable[..., nn.Module], call.target)(*arguments, **named)


def build(expr: Expr, x: Signal, seed: int | None = None) -> nn.Module:
    """The module of `expr` for inputs `[N, *x.tensor_shape]`, freshly initialised.

    seed: of the initial weights; the global generator is left as it was. None draws from the global generator.
    """
    if seed is None:
        return construct(expr.call(x))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return construct(expr.call(x))
