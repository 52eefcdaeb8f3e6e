"""Spaces for tables and plain vectors: multi-layer perceptron and residual network.

Both with embeddings, as in Gorishniy et al. 2021 ("Revisiting deep learning models for tabular data") and 2022 ("On
embeddings for numerical features").
"""

from typing import Any

from nasturtium.blocks import Dense, DenseResidual, Embed, Head, NormAct, sequence, stage
from nasturtium.errors import SpaceError
from nasturtium.space import Space, choice, integer
from nasturtium.task import Task
from nasturtium.zoo._scale import scaled, widths

BASE_WIDTH = 64.0
FACTORS = (0.25, 0.5, 1.0, 2.0)
DROPOUT = (0.0, 0.1, 0.3)


def tabular(task: Task, *, max_params: float | None = None, max_macs: float | None = None) -> Space:
    """MLP or residual network on a table, with embeddings of categories and numbers.

    max_params, max_macs: widths are chosen so that a good third of uniform samples is within them.
    Raises `SpaceError` for anything but tables.
    """
    if task.modality != "table":
        raise SpaceError(
            f"The space tabular needs a table; for input of the kind {task.modality!r} use {_instead(task)}."
        )
    return scaled(lambda scale: Space(choice(**_tabular(task, scale)), task, "tabular"), task, max_params, max_macs)


def mlp(task: Task, *, max_params: float | None = None, max_macs: float | None = None) -> Space:
    """Multi-layer perceptron on the numbers of a row, whatever they are (tables without embedded numbers)."""
    return scaled(lambda scale: Space(_mlp(task, scale, embed=False), task, "mlp"), task, max_params, max_macs)


def _tabular(task: Task, scale: float) -> dict[str, Any]:
    return {"mlp": _mlp(task, scale, embed=True), "resnet": _resnet(task, scale)}


def _mlp(task: Task, scale: float, embed: bool) -> Any:
    style = {"activation": choice("relu", "silu", "gelu"), "dropout": choice(*DROPOUT)}
    norm = choice("none", "batch", "layer")
    body = stage(Dense(norm=norm, **style), choice(*widths(BASE_WIDTH * scale, FACTORS)), integer(1, 4))
    return sequence(embed=_embedding(task, embed), body=body, head=Head(task))


def _resnet(task: Task, scale: float) -> Any:
    style = {"activation": choice("relu", "silu", "gelu"), "norm": choice("batch", "layer")}
    block = DenseResidual(expand=choice(0.5, 1.0, 2.0), dropout=choice(*DROPOUT), **style)
    body = stage(block, choice(*widths(BASE_WIDTH * scale, FACTORS)), integer(1, 4))
    return sequence(embed=_embedding(task, True), body=body, last=NormAct(**style), head=Head(task))


def _embedding(task: Task, numbers: bool) -> Embed:
    """Decisions only where the table has what they embed."""
    categories = choice(2, 4, 8, 16) if task.input.cardinalities and max(task.input.cardinalities) > 4 else 4
    periodic = choice(0, 2, 4, 8) if numbers and task.modality == "table" and task.input.shape[0] else 0
    return Embed(categories, periodic, choice(4, 8, 16) if periodic else 8)


def _instead(task: Task) -> str:
    return "mlp" if task.modality == "vector" else "conv-macro"
