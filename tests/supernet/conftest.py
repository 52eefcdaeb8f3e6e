"""A small space with every kind of decision that paths share weights over, and rows that can be learnt."""

import pytest
import torch

from nasturtium.blocks import ConvBN, Head, MBConv, Plain, sequence, stage
from nasturtium.space import Space, choice, integer
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.task import Signal, Task

TASK = Task("classification", Signal("image", (1, 6, 6)), 3, "accuracy", ("a", "b", "c"))


def _space(task: Task) -> object:
    def block(position: int) -> object:
        return choice(
            mb=MBConv(kernel=choice(3, 5), expand=choice(1, 2, 3), activation=style), plain=Plain(activation=style)
        )

    style = choice("relu", "silu")
    return sequence(stem=ConvBN(choice(4, 8)), body=stage(block, choice(4, 6, 8), integer(1, 3), 2), head=Head(task))


@pytest.fixture(scope="session")
def path_space() -> Space:
    """Choices of blocks, kernels, widths, a depth and a tied activation."""
    return Space(_space, TASK, "small")


@pytest.fixture(scope="session")
def path_rows() -> SearchRows:
    """90 images of 6 x 6 pixels in 3 classes: a bright stripe at the top, in the middle, at the bottom, and noise."""
    draws = torch.Generator().manual_seed(0)
    targets = torch.arange(90) % 3
    images = 0.7 * torch.randn(90, 1, 6, 6, generator=draws)
    for row, label in enumerate(targets.tolist()):
        images[row, 0, 2 * label : 2 * label + 2] += 1.0
    return SearchRows(images, targets, TASK)
