"""One-shot searches by name: published settings where there are rows enough, and what changes where there are not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasturtium.errors import RunError
from nasturtium.roles import Derived, SearchBudget
from nasturtium.strategies import EnasController
from nasturtium.supernet import Supernet
from nasturtium.supernet.darts import PUBLISHED
from nasturtium.supernet.eigenvalue import EarlyStop
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.registry import GRADIENT, ONE_SHOT, one_shot, one_shot_name
from nasturtium.task import Signal, Task
from nasturtium.zoo.nasbench201 import nasbench201

POLICY = EnasController().policy
TASK = Task("classification", Signal("image", (1, 8, 8)), 2, "accuracy", ("dark", "light"))
SPACE = nasbench201(TASK, width=8, cells=1)
ROWS = 32


def searched(name: str, **asked: Any) -> tuple[Supernet, Derived]:
    """Two epochs on a cell of eight channels: is the upper half lighter than the lower one?"""
    x = torch.randn(ROWS, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    rows = SearchRows(x, (x[:, 0, :4].mean((1, 2)) > x[:, 0, 4:].mean((1, 2))).long(), TASK)
    method = one_shot(name, ROWS, POLICY)
    supernet = Supernet(SPACE, partial=method.partial)
    return supernet, method.trainer.train(supernet, rows, SearchBudget(epochs=2), **asked)


def test_every_name_has_a_trainer_and_aliases_lead_to_it():
    for name in ONE_SHOT:
        assert one_shot(name, 50_000, POLICY).trainer.name
    assert one_shot_name("Once_For_All") == "ofa"
    assert one_shot_name("R-DARTS") == "darts-es"
    assert one_shot_name("tpe") is None


def test_on_cifar10_the_settings_are_the_published_ones():
    assert one_shot("darts", 50_000, POLICY).trainer.settings == PUBLISHED
    for name, make in GRADIENT.items():
        assert one_shot(name, 50_000, POLICY).trainer.settings == make().settings, name
    assert one_shot("pc-darts", 50_000, POLICY).partial == 4
    assert one_shot("darts-es", 50_000, POLICY).trainer.early_stop == EarlyStop()
    assert one_shot("drnas-progressive", 50_000, POLICY).partial == 4
    assert one_shot("drnas", 50_000, POLICY).partial == 1


def test_darts_es_measures_the_eigenvalue_after_every_epoch():
    _, found = searched("darts-es")
    assert found.trace.method == "DARTS-ES"
    assert all(np.isfinite(epoch.eigenvalue) for epoch in found.trace.epochs)
    assert len(found.trace.epochs) == 2


def test_drnas_progressive_ends_with_the_best_three_of_each_edge_on_half_of_the_channels():
    supernet, found = searched("drnas-progressive")
    first, last = (epoch.weights for epoch in found.trace.epochs)
    assert all((mixture > 0).all() for mixture in first)
    assert all((mixture > 0).sum() == 3 for mixture in last)
    assert supernet.partial == 2


@pytest.mark.parametrize("name", ["darts-es", "drnas-progressive"])
def test_what_was_stopped_after_an_epoch_goes_on_as_if_it_had_not_been(name: str, tmp_path: Path):
    file = tmp_path / "search.safetensors"
    whole_net, whole = searched(name)
    _, part = searched(name, checkpoint=file, report=lambda trace: True)
    assert len(part.trace.epochs) == 1
    net, again = searched(name, checkpoint=file)
    assert again.architectures == whole.architectures
    assert [replace(one, weights=()) for one in again.trace.epochs] == [
        replace(one, weights=()) for one in whole.trace.epochs
    ]
    assert net.partial == whole_net.partial
    assert all(torch.equal(one, other) for one, other in zip(net.parameters(), whole_net.parameters(), strict=True))


def test_the_checkpoint_of_darts_is_none_of_darts_with_early_stopping(tmp_path: Path):
    file = tmp_path / "search.safetensors"
    searched("darts", checkpoint=file, report=lambda trace: True)
    with pytest.raises(RunError, match="method is DARTS there and DARTS-ES here"):
        searched("darts-es", checkpoint=file)


def test_few_rows_have_smaller_batches_and_a_faster_architecture():
    settings = one_shot("darts", 1000, POLICY).trainer.settings
    assert settings.batch_size == 500 // 16
    assert PUBLISHED.arch_lr < settings.arch_lr <= 10 * PUBLISHED.arch_lr


def test_the_architecture_can_move_as_far_as_published_up_to_ten_times_faster():
    """On a fifth of the rows there are a fifth of the steps of batches of the same size, whatever the paper's were."""
    for name in ("darts", "gdas", "beta-darts", "fair-darts"):
        settings, published = one_shot(name, 10_000, POLICY).trainer.settings, GRADIENT[name]().settings
        assert settings.batch_size == published.batch_size
        assert settings.arch_lr == pytest.approx(5 * published.arch_lr, rel=0.01), name
        assert one_shot(name, 100, POLICY).trainer.settings.arch_lr == 10 * published.arch_lr


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(RunError, match="Did you mean 'gdas'"):
        one_shot("gdass", 1000, POLICY)
