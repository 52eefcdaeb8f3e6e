"""A user's own `nn.Module` as a block: nothing else to write."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.blocks.block import Block
from nasturtium.blocks.expr import Call, Expr, Primitive, seq
from nasturtium.errors import SpaceError
from nasturtium.space import Open, register
from nasturtium.task import Signal

CHANNELS = ("in_channels", "channels", "in_features", "features", "dim", "width")
SHAPE = ("shape", "input_shape")


@register
@dataclass(frozen=True)
class Module(Block):
    """A user's module. reference: "module:Class". arguments: keyword arguments of its constructor, decisions allowed.

    The constructor is also told what arrives, if it asks: a parameter called `in_channels`, `channels`, `in_features`,
    `features`, `dim` or `width` gets the channels, one called `shape` or `input_shape` the shape without the batch.
    """

    reference: str
    arguments: tuple[tuple[str, Open[Any]], ...] = ()

    def lower(self, x: Signal) -> Expr:
        return seq(("module", Foreign(self.reference, self.arguments)))


def module(cls: type[nn.Module], **arguments: Any) -> Module:
    """A user's `nn.Module` class as a block of a space; arguments may be decisions."""
    if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
        raise SpaceError(f"module() takes a class derived from torch.nn.Module, not {cls!r}.")
    if "<locals>" in cls.__qualname__:
        raise SpaceError(
            f"{cls.__name__} is defined inside a function, where worker processes cannot find it. "
            "Move the class to the top level of its file."
        )
    accepted = inspect.signature(cls).parameters
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in accepted.values())
    unknown = [name for name in arguments if name not in accepted and not open_ended]
    if unknown:
        raise SpaceError(f"{cls.__name__} has no argument {unknown[0]!r}. It takes {', '.join(accepted)}.")
    return Module(f"{cls.__module__}:{cls.__qualname__}", tuple(arguments.items()))


@dataclass(frozen=True)
class Foreign(Primitive):
    """A module whose shape and cost are found by running it once without data, on torch's meta device."""

    reference: str
    arguments: tuple[tuple[str, object], ...] = ()

    def out(self, x: Signal) -> Signal:
        return _traced(self, x)[0]

    def params(self, x: Signal) -> int:
        return _traced(self, x)[1]

    def macs(self, x: Signal) -> int:
        return _traced(self, x)[2]

    def activations(self, x: Signal) -> int:
        return self.out(x).size

    def call(self, x: Signal) -> Call:
        cls = resolve(self.reference)
        told = dict.fromkeys(CHANNELS, x.channels) | dict.fromkeys(SHAPE, x.shape)
        given = dict(self.arguments)
        wanted = [name for name in inspect.signature(cls).parameters if name in told and name not in given]
        return Call(cls, (), (*((name, told[name]) for name in wanted), *self.arguments))


def resolve(reference: str) -> Callable[..., nn.Module]:
    """The class behind "module:Class"."""
    module_name, _, qualname = reference.rpartition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise SpaceError(f"The module {reference!r} cannot be imported here: {error}.") from error
    return found


@lru_cache(maxsize=10_000)
def _traced(leaf: Foreign, x: Signal) -> tuple[Signal, int, int]:
    """Result type, parameters and MACs for two rows on the meta device, or on the CPU where that cannot be."""
    from nasturtium.blocks.build import construct

    name = leaf.reference.rpartition(":")[2]
    try:
        # Its weights are drawn, and asked for only once: the caller's random numbers must not depend on that.
        with torch.random.fork_rng(devices=[]):
            network = construct(leaf.call(x)).eval()
            parameters = sum(p.numel() for p in network.parameters())
            y, macs = _run(network, x)
    except SpaceError:
        raise
    except Exception as error:  # the user's code may raise anything
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpaceError(
            f"{name}({', '.join(f'{k}={v!r}' for k, v in leaf.arguments)}) cannot be applied to an input of shape "
            f"{x.tensor_shape}: {detail}"
        ) from error
    return _signal(y, x, name), parameters, macs


def _run(network: nn.Module, x: Signal) -> tuple[torch.Tensor, int]:
    for device in ("meta", "cpu"):
        try:
            network.to(device)
            with FlopCounterMode(display=False) as counter, torch.inference_mode():
                y = network(torch.zeros(2, *x.tensor_shape, device=device))
            return y, counter.get_total_flops() // 4  # two rows, two operations a multiply-accumulate
        except (NotImplementedError, RuntimeError):
            if device == "cpu":
                raise
            network = network.to_empty(device="cpu")
    raise AssertionError("the loop returns or raises")


def _signal(y: object, x: Signal, name: str) -> Signal:
    if not isinstance(y, torch.Tensor) or y.ndim < 2 or y.shape[0] != 2:
        shape = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
        raise SpaceError(f"{name} must return one tensor with the batch first, but returned {shape} for two rows.")
    shape = tuple(y.shape[1:])
    kind = {1: "vector", 2: "sequence", 3: "image"}.get(len(shape))
    if kind is None:
        raise SpaceError(f"{name} returned a tensor of {y.ndim} axes; 2 (vector), 3 (sequence) or 4 (image) are known.")
    return Signal(kind, shape)  # type: ignore[arg-type]
