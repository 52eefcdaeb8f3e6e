"""What has no supernet is refused at once, by name and with what to do instead; supernets on disk."""

import re
from pathlib import Path

import pytest
import torch

from nasturtium.blocks import ConvBN, Dense, Head, NB201Cell, sequence, stage
from nasturtium.blocks.cell_stack import Cell, CellNode, CellStack
from nasturtium.errors import RunError, SpaceError
from nasturtium.roles import SearchBudget
from nasturtium.space import Space, choice, integer, real
from nasturtium.strategies import EnasController
from nasturtium.supernet import Supernet, load_supernet, save_supernet
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.refusals import refuse_mixing
from nasturtium.supernet.registry import GRADIENT, PATHS, one_shot
from nasturtium.task import Signal, Task
from nasturtium.zoo import nasbench201
from nasturtium.zoo.nasnet import nasnet

IMAGE = Task("classification", Signal("image", (2, 6, 6)), 3, "accuracy")
VECTOR = Task("classification", Signal("vector", (4,)), 3, "accuracy")
INSTEAD = "use the strategy auto or regularized-evolution, which train every architecture alone."


def said(space: Space) -> str:
    with pytest.raises(SpaceError) as caught:
        Supernet(space)
    return str(caught.value)


def test_a_real_is_named_with_the_alternatives() -> None:
    space = Space(sequence(body=Dense(width=4, dropout=real(0.0, 0.5)), head=Head(VECTOR)), VECTOR)
    assert said(space) == (
        "Weights cannot be shared over the decision 'blocks.body.dropout' (0 … 0.5 (real)): a real has no options to "
        f"weigh. Write choice(…) with a few values of it, or {INSTEAD}"
    )


def test_a_number_of_very_many_values_is_refused() -> None:
    space = Space(sequence(body=Dense(width=integer(1, 1000)), head=Head(VECTOR)), VECTOR)
    assert said(space) == (
        "Weights cannot be shared over the decision 'blocks.body.width': it has 1,000 options, and 256 is the most. "
        f"Give integer(…) a larger step, or {INSTEAD}"
    )


def test_a_space_without_a_task_or_without_a_network_is_refused() -> None:
    lone, numbers = Space(ConvBN(choice(4, 8)), name="lone"), Space(choice(1, 2), VECTOR, "numbers")
    assert said(lone) == "The space 'lone' has no supernet: it was made without a task."
    assert said(numbers) == "The space 'numbers' has no supernet: its root is not a block."


def test_a_space_of_which_nothing_can_be_built_is_refused() -> None:
    """The two branches of a reduction differ in size for odd sides."""
    message = said(nasbench201(IMAGE, width=4, cells=1))
    assert message.startswith("No architecture of the space 'nasbench201' can be built for this task.")
    assert message.endswith("Branches of shapes [(16, 2, 2), (16, 1, 1)] cannot be added.")


def test_a_cell_inside_a_stage_is_refused() -> None:
    cell = NB201Cell(tuple(choice("none", "skip_connect", "nor_conv_3x3") for _ in range(6)))
    space = Space(sequence(body=stage(cell, 4), head=Head(IMAGE)), IMAGE)
    assert said(space) == (
        "Weights cannot be shared over the cell at 'blocks.body.blocks.0', because it stands inside a stage. Put it "
        f"into a sequence(…), or {INSTEAD}"
    )


def test_a_cell_of_open_width_is_refused() -> None:
    node = CellNode((0, 1), (choice("skip_connect", "sep_conv_3x3"), "skip_connect"))
    stack = CellStack(Cell((node,)), Cell((node,)), width=choice(4, 8), cells=2)
    space = Space(sequence(stem=ConvBN(12), cells=stack, head=Head(IMAGE)), IMAGE)
    assert said(space) == (
        "Weights cannot be shared over the decision 'blocks.cells.width', because its cell's open edges depend on the "
        f"width. Decide it, or {INSTEAD}"
    )


def test_cells_that_join_what_is_loose_run_as_paths_and_say_why_they_cannot_be_mixed() -> None:
    space = nasnet(IMAGE, width=4, cells=1, nodes=2)
    supernet, x = Supernet(space), torch.randn(2, 2, 6, 6)
    supernet.path(x, space.sample(0))
    with pytest.raises(SpaceError, match=re.escape('Make the space with join="all", or train single paths.')):
        supernet(x, supernet.weights_of(space.sample(0)))


def test_cells_that_join_what_is_loose_are_refused_to_searches_that_mix_before_there_is_a_supernet() -> None:
    with pytest.raises(SpaceError) as caught:
        refuse_mixing(nasnet(IMAGE, width=4, cells=1, nodes=2), "darts", "spos and enas")
    assert str(caught.value) == (
        "darts cannot search the space 'nasnet'. Cells that join 'loose' values cannot be mixed, because what is "
        'joined depends on the decisions. Make the space with join="all", or train single paths. spos and enas do so.'
    )
    refuse_mixing(nasbench201(IMAGE, width=4, cells=1), "darts", "spos and enas")


def test_a_supernet_on_disk_is_the_same_one(tmp_path: Path) -> None:
    space = Space(sequence(body=Dense(width=choice(4, 8)), head=Head(VECTOR)), VECTOR, "dense")
    supernet = Supernet(space, seed=7)
    save_supernet(supernet, tmp_path / "net.safetensors")
    read = load_supernet(tmp_path / "net.safetensors", space)
    assert read.seed == 7
    x, architecture = torch.randn(5, 4), space.sample(0)
    assert torch.equal(read.path(x, architecture), supernet.path(x, architecture))
    other = Space(space.tree, VECTOR, "other")
    with pytest.raises(RunError, match=r"net\.safetensors is of the space 'dense', not 'other'\."):
        load_supernet(tmp_path / "net.safetensors", other)
    with pytest.raises(RunError, match=r"The supernet .*missing does not exist\."):
        load_supernet(tmp_path / "missing", space)
    (tmp_path / "text").write_text("no supernet")
    with pytest.raises(RunError, match="is damaged or no safetensors file"):
        load_supernet(tmp_path / "text", space)


@pytest.mark.parametrize("name", GRADIENT)
def test_a_space_that_leaves_nothing_to_decide_is_refused_by_searches_by_gradients(name: str) -> None:
    space = Space(sequence(stem=ConvBN(4), head=Head(IMAGE)), IMAGE, "fixed")
    with pytest.raises(SpaceError, match="the space 'fixed' leaves nothing to decide: it holds one network") as caught:
        refuse_mixing(space, name, "")
    rows = SearchRows(torch.randn(8, 2, 6, 6), torch.arange(8) % 3, IMAGE)
    with pytest.raises(SpaceError) as again:
        GRADIENT[name]().train(Supernet(space), rows, SearchBudget(epochs=1))
    assert str(caught.value).split(" weighs")[1] == str(again.value).split(" weighs")[1]


@pytest.mark.parametrize("name", [*PATHS, "enas"])
def test_searches_by_paths_derive_the_one_network_of_a_fixed_space(name: str) -> None:
    space = Space(sequence(stem=ConvBN(4), head=Head(IMAGE)), IMAGE, "fixed")
    rows = SearchRows(torch.randn(20, 2, 6, 6), torch.arange(20) % 3, IMAGE)
    trainer = one_shot(name, 20, EnasController().policy).trainer
    found = trainer.train(Supernet(space), rows, SearchBudget(epochs=2))
    assert [dict(one.values) for one in found.architectures] == [{}]
