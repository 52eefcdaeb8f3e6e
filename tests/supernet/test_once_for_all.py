"""Once-for-all and BigNAS: what is largest, what shrinks when, and who teaches whom."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nasturtium.hardware import CostModel
from nasturtium.roles import SearchBudget, Wanted
from nasturtium.space import Space, optional
from nasturtium.supernet import Supernet
from nasturtium.supernet.course import Course, follow
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.learner import Learner
from nasturtium.supernet.once_for_all import Distilled, OnceForAll
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.paths import Batch, soft_loss, taught
from nasturtium.supernet.sandwich import BigNas, Sandwich, in_place
from nasturtium.supernet.sizes import dimensions, extremes
from nasturtium.task import Signal, Task
from nasturtium.training import Recipe, build_loss
from nasturtium.zoo.nasbench201 import nasbench201

RECIPE = Recipe(lr=1e-2, epochs=4, batch_size=16)
EVOLUTION = Evolution(population=4, generations=2, top=2, crossovers=2, mutations=2)


def test_the_largest_and_the_smallest_network_are_the_exact_ones(path_space: Space) -> None:
    """Against the bounds by dynamic programming, and a full listing."""
    costs = CostModel(path_space)
    found = extremes(path_space)
    bounds = costs.bounds(names=("macs",))
    assert bounds is not None
    assert costs(found.largest)["macs"] == bounds.high["macs"]
    assert costs(found.smallest)["macs"] == bounds.low["macs"]
    assert found.largest.values["blocks.body.blocks.count"] == 3


def test_a_cell_whose_dead_edges_are_left_out_has_a_largest_network_too() -> None:
    task = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy", tuple("0123456789"))
    space = nasbench201(task, width=4, cells=1)
    largest = extremes(space).largest
    assert set(largest.values.values()) == {"nor_conv_3x3"}


def test_dimensions_are_read_from_the_space(path_space: Space) -> None:
    found = {path_space.decisions[index].path: kind for index, kind in dimensions(path_space).items()}
    assert found["blocks.stem.width"] == "width"
    assert found["blocks.body.blocks.count"] == "depth"
    assert found["blocks.body.blocks.1=mb.kernel"] == "kernel"
    assert found["blocks.body.blocks.1=mb.expand"] == "width"
    assert not [path for path in found if path.endswith(("activation", "blocks.0"))]
    maybe = Space((optional(1),), name="maybe")
    assert dimensions(maybe) == {0: "depth"}


def test_decisions_become_elastic_in_the_order_of_the_paper(path_space: Space) -> None:
    phases = OnceForAll().phases(path_space)
    assert [phase.name for phase in phases] == ["full", "kernel", "depth, first", "depth", "width, first", "width"]
    assert [phase.share for phase in phases] == [180, 120, 25, 120, 25, 120]
    assert [len(phase.draw(np.random.default_rng(0))) for phase in phases] == [1, 1, 2, 2, 4, 4]
    assert phases[0].graduate == extremes(path_space).largest
    kinds, largest = dimensions(path_space), path_space.codes(extremes(path_space).largest)
    free: list[str] = []
    for phase in phases:
        rng, moved = np.random.default_rng(1), set()
        for _ in range(100):
            for path in phase.draw(rng):
                codes = path_space.codes(path)
                moved |= {kinds[i] for i in kinds if codes[i] >= 0 and codes[i] != _most(path_space, largest, i)}
        free.append("+".join(sorted(moved)))
    assert free == ["", "kernel", "depth+kernel", "depth+kernel", "depth+kernel+width", "depth+kernel+width"]


def test_the_first_stage_of_a_depth_allows_the_two_largest_values(path_space: Space) -> None:
    phases = {phase.name: phase for phase in OnceForAll().phases(path_space)}
    rng = np.random.default_rng(0)
    depth = "blocks.body.blocks.count"
    seen = {name: {one.values[depth] for _ in range(40) for one in phases[name].draw(rng)} for name in phases}
    assert seen["kernel"] == {3}
    assert seen["depth, first"] == {2, 3}
    assert seen["depth"] == {1, 2, 3}


def _most(space: Space, largest: tuple[int, ...], index: int) -> int:
    return largest[index] if largest[index] >= 0 else space.program.sizes[index] - 1


def test_a_distilled_loss_is_labels_and_teacher_in_closed_form(path_space: Space, path_rows: SearchRows) -> None:
    net = Supernet(path_space)
    batch = _batch(net, path_rows)
    teacher = net.extract(path_space.sample(1))
    path = path_space.sample(2)
    (found,) = Distilled(0.5)([path], replace(batch, teacher=teacher))
    logits = net.path(batch.inputs, path).log_softmax(1)
    said = taught(teacher, batch.inputs).softmax(1)
    by_labels = -logits[torch.arange(len(logits)), batch.targets].mean()
    by_teacher = -(said * logits).sum(1).mean()
    torch.testing.assert_close(found, by_labels + 0.5 * by_teacher)
    assert not said.requires_grad


def test_in_a_sandwich_only_the_largest_learns_the_labels(path_space: Space, path_rows: SearchRows) -> None:
    """Equation by hand; what the largest says carries no gradient to it."""
    net, ends = Supernet(path_space), extremes(path_space)
    paths = Sandwich(path_space, ends)(np.random.default_rng(0))
    assert paths[:2] == [ends.largest, ends.smallest]
    assert len(paths) == 4
    batch = _batch(net, path_rows)
    losses = list(in_place(paths, batch))
    said = net.path(batch.inputs, ends.largest).detach().softmax(1)
    for path, loss in zip(paths[1:], losses[1:], strict=True):
        torch.testing.assert_close(loss, -(said * net.path(batch.inputs, path).log_softmax(1)).sum(1).mean())
    only = {name for name, p in net.named_parameters() if _grad(losses[1], p) is not None}
    assert only <= {
        name for name, p in net.named_parameters() if _grad(net.path(batch.inputs, paths[1]).sum(), p) is not None
    }


def _grad(value: Tensor, parameter: Tensor) -> Tensor | None:
    return torch.autograd.grad(value, parameter, retain_graph=True, allow_unused=True)[0]


def _batch(net: Supernet, rows: SearchRows) -> Batch:
    loss = build_loss("classification", RECIPE)
    inputs = rows.inputs[:12]
    return Batch(inputs, rows.targets[:12], lambda one: net.path(inputs, one), loss, soft_loss("classification"))


def test_the_teacher_is_the_full_network_as_it_was_and_survives_a_resumption(
    path_space: Space, path_rows: SearchRows, tmp_path: Path
) -> None:
    file = tmp_path / "ofa.safetensors"
    phases = OnceForAll().phases(path_space)
    states: list[dict[str, Tensor]] = []

    class Killed(Exception):
        """In place of a kill."""

    def watching(die: bool):  # type: ignore[no-untyped-def]
        def lesson(paths, batch: Batch) -> Iterator[Tensor]:  # type: ignore[no-untyped-def]
            assert batch.teacher is not None
            states.append({name: tensor.clone() for name, tensor in batch.teacher.state_dict().items()})
            if die:
                raise Killed
            yield from Distilled()(paths, batch)

        return lesson

    def walk(die: bool) -> Supernet:
        net = Supernet(path_space, seed=1)
        taught_phases = [phases[0], *(replace(phase, lesson=watching(die)) for phase in phases[1:])]
        course = Course("ofa", tuple(taught_phases), RECIPE, seed=0)
        follow(course, net, net, path_rows.inputs, path_rows.targets, path_rows.task, checkpoint=file)
        return net

    with pytest.raises(Killed):
        walk(die=True)
    walk(die=False)
    assert all(torch.equal(states[0][name], state[name]) for state in states for name in state)
    assert any("running_mean" in name and state.abs().sum() > 0 for name, state in states[0].items())


@pytest.mark.parametrize("trainer", [OnceForAll(recipe=RECIPE, evolution=EVOLUTION), BigNas(2, RECIPE, EVOLUTION)])
def test_both_train_and_derive_by_seed(trainer: OnceForAll | BigNas, path_space: Space, path_rows: SearchRows) -> None:
    wanted = Wanted(limits={"params": 1000})
    first, second = (
        trainer.train(Supernet(path_space), path_rows, SearchBudget(), seed=3, wanted=wanted) for _ in range(2)
    )
    assert first.architectures == second.architectures
    assert [e.train_loss for e in first.trace.epochs[:-1]] == [e.train_loss for e in second.trace.epochs[:-1]]
    assert CostModel(path_space)(first.architectures[0])["params"] <= 1000


def test_a_regression_is_distilled_by_squares() -> None:
    outputs, said = torch.tensor([[1.0], [3.0]], requires_grad=True), torch.tensor([[0.0], [1.0]], requires_grad=True)
    loss = soft_loss("regression")(outputs, said)
    assert loss.item() == 2.5
    loss.backward()
    assert said.grad is None
    both = soft_loss("multi-label")(torch.zeros(2, 3), torch.zeros(2, 3))
    assert both.item() == pytest.approx(np.log(2))


def test_a_learner_is_fed_the_teacher(path_space: Space, path_rows: SearchRows) -> None:
    net = Supernet(path_space)
    loss = build_loss("classification", RECIPE)
    learner = Learner(net, net, RECIPE, loss, soft_loss("classification"), 0)
    path = [path_space.sample(0)]
    given = ("step 0", path, Distilled(), path_rows.inputs[:16], path_rows.targets[:16], 0.0)
    alone, together = learner.step(*given), learner.step(*given, teacher=net.extract(path[0]))
    assert together > alone
