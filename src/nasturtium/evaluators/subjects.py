"""What a subject is as an expression, and how its trained model is put together again."""

from typing import Any

from torch import nn

from nasturtium.blocks import Block, Call, Expr, construct, deployed
from nasturtium.classical import Classical, modules
from nasturtium.space import Architecture
from nasturtium.task import Task
from nasturtium.training import load_checkpoint, read_metadata


def lowered(subject: object, task: Task) -> Expr:
    """The expression of an architecture, or of a network given as a block."""
    root = subject.tree if isinstance(subject, Architecture) else subject
    if not isinstance(root, Block):
        raise TypeError(f"a network must be a Block, not {type(root).__name__}")
    return root.lower(task.input)


def model_call(subject: object, task: Task, checkpoint: str) -> Call:
    """Constructor of the whole model in a checkpoint: raw rows in, scores in the target's own unit out."""
    if not isinstance(subject, Classical):
        return deployed(lowered(subject, task), task)
    stored = read_metadata(checkpoint)
    kwargs = tuple((name, _tuples(value)) for name, value in stored["kwargs"].items())
    return Call(getattr(modules, stored["class_name"]), (), kwargs)


def restore(subject: object, task: Task, checkpoint: str) -> nn.Module:
    """The trained model of a checkpoint, in evaluation mode."""
    model = construct(model_call(subject, task, checkpoint))
    load_checkpoint(model, checkpoint)
    return model.eval()


def _tuples(value: Any) -> Any:
    """JSON knows no tuples, and the constructors want them."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
