"""Gradient-based searches on real supernets: cells of NAS-Bench-201, and a space of numbers, choices and depths."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from nasturtium.hardware import CostModel
from nasturtium.roles import SearchBudget, Wanted
from nasturtium.space import Space
from nasturtium.supernet import Supernet
from nasturtium.supernet.bilevel import Bilevel, Stage
from nasturtium.supernet.darts import darts
from nasturtium.supernet.drnas import PROGRESSIVE, drnas
from nasturtium.supernet.fair_darts import fair_darts
from nasturtium.supernet.gdas import gdas
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.pc_darts import WARM_UP, normalised, pc_darts
from nasturtium.task import Signal, Task
from nasturtium.zoo.conv_macro import conv_macro
from nasturtium.zoo.nasbench201 import nasbench201

TASK = Task("classification", Signal("image", (1, 8, 8)), 2, "accuracy", ("dark", "light"))
SPACE = nasbench201(TASK, width=8, cells=1)


def _rows() -> SearchRows:
    """Is the upper half lighter than the lower one?"""
    x = torch.randn(32, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return SearchRows(x, (x[:, 0, :4].mean((1, 2)) > x[:, 0, 4:].mean((1, 2))).long(), TASK)


METHODS = [darts(), gdas(), drnas(stages=PROGRESSIVE), pc_darts(), fair_darts()]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_cells_are_searched_within_a_limit_that_the_derived_network_meets(method: Bilevel) -> None:
    supernet = Supernet(SPACE, partial=method.stages[0].partial)
    wanted = Wanted(limits={"params": 25_000}, count=2)
    quick = method.with_settings(batch_size=8, arch_lr=0.1)
    found = quick.train(supernet, _rows(), SearchBudget(epochs=2), wanted=wanted)
    assert len(set(found.architectures)) == 2
    for architecture in found.architectures:
        assert CostModel(SPACE)(architecture)["params"] <= 25_000
        assert supernet.extract(architecture)(_rows().inputs).shape == (32, 2)
    assert supernet.partial == method.stages[-1].partial


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (pc_darts(), "So this search was DARTS after a warm-up of the weights; take darts, or a space with cells."),
        (drnas(stages=PROGRESSIVE), "So this search mixed all of them in both stages."),
        (drnas(), None),
        (darts(), None),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_space_without_cells_leaves_nothing_to_mix_in_part_and_that_is_said(
    path_space: Space, path_rows: SearchRows, method: Bilevel, said: str | None
) -> None:
    def remarks(space: Space, rows: SearchRows) -> list[str]:
        supernet = Supernet(space, partial=method.stages[0].partial)
        found = method.with_settings(batch_size=16).train(supernet, rows, SearchBudget(epochs=1))
        return [one for one in found.trace.remarks if one.startswith("Cells: the space has none")]

    assert remarks(SPACE, _rows()) == []
    told = remarks(path_space, path_rows)
    assert [one.endswith(said or "") for one in told] == ([] if said is None else [True])


def test_without_cells_pc_darts_is_darts_after_a_warm_up(path_space: Space, path_rows: SearchRows) -> None:
    """What the remark says, to the last bit."""
    like = replace(darts(pc_darts().settings), stages=(Stage(frozen=WARM_UP),))
    one, other = (
        method.with_settings(batch_size=16).train(
            Supernet(path_space, partial=method.stages[0].partial), path_rows, SearchBudget(epochs=4)
        )
        for method in (pc_darts(), like)
    )
    assert one.architectures == other.architectures
    assert [epoch.train_loss for epoch in one.trace.epochs] == [epoch.train_loss for epoch in other.trace.epochs]


def test_a_progressive_search_goes_on_in_its_last_stage_with_the_channels_of_that_stage(tmp_path: Path) -> None:
    quick = drnas(stages=PROGRESSIVE).with_settings(batch_size=8, arch_lr=0.1)
    whole, again = (
        quick.train(supernet, _rows(), SearchBudget(epochs=2), checkpoint=tmp_path / "search.safetensors")
        for supernet in (Supernet(SPACE, partial=4), Supernet(SPACE, partial=4))
    )
    assert again.architectures == whole.architectures
    assert again.trace.epochs[-1].train_loss == whole.trace.epochs[-1].train_loss


def test_the_edges_of_a_cell_are_normalised_over_each_of_its_nodes() -> None:
    mixtures = Supernet(SPACE).mixtures
    assert [mixture.node for mixture in mixtures] == [f"cell3_1.node {node}" for node in (1, 2, 2, 3, 3, 3)]
    shares = torch.stack(normalised(torch.zeros(6), mixtures))
    assert torch.allclose(shares, torch.tensor([1, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3]))


def test_widening_mixes_more_channels_with_the_weights_that_were_there() -> None:
    supernet, x = Supernet(SPACE, partial=4), _rows().inputs
    uniform = [torch.full((5,), 0.2) for _ in supernet.mixtures]
    before = {name: weight.clone() for name, weight in supernet.named_parameters()}
    narrow = supernet(x, uniform)
    supernet.widen(1)
    assert torch.equal(supernet(x, uniform), Supernet(SPACE, partial=1)(x, uniform))
    assert not torch.allclose(supernet(x, uniform), narrow)
    assert all(torch.equal(before[name], weight) for name, weight in supernet.named_parameters())


@pytest.mark.parametrize("method", [darts(), gdas(), fair_darts()], ids=lambda method: method.name)
def test_numbers_choices_and_depths_are_searched_too(method: Bilevel) -> None:
    space = conv_macro(TASK)
    supernet = Supernet(space)
    assert {mixture.kind for mixture in supernet.mixtures} == {"ordered", "choice", "depth"}
    quick = method.with_settings(batch_size=16, arch_lr=0.1)
    found = quick.train(supernet, _rows(), SearchBudget(epochs=2))
    assert found.architectures[0] in space
    first, last = (epoch.weights for epoch in found.trace.epochs)
    moved = [float(abs(a - b).max()) > 1e-3 for a, b in zip(first, last, strict=True)]
    kinds = [mixture.kind for mixture in supernet.mixtures]
    assert all(any(move for move, kind in zip(moved, kinds, strict=True) if kind == one) for one in set(kinds))
    assert [a.train_loss != b.train_loss for a, b in pairwise(found.trace.epochs)] == [True]
