"""SPOS: draws, the course of a training, evolution, and what a person is told."""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nasturtium.errors import LimitError, RunError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.roles import Derived, SearchBudget, Trace, Wanted
from nasturtium.space import Architecture, Space
from nasturtium.supernet import Supernet, course, one_shot
from nasturtium.supernet.course import Course, Phase, Progress, follow
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.inherited import Inherited, parted
from nasturtium.supernet.learner import Learner
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.paths import Uniform, labels, soft_loss
from nasturtium.supernet.spos import Spos
from nasturtium.training import Recipe, build_loss

RECIPE = Recipe(lr=1e-2, epochs=3, batch_size=16, ema=0.9)
QUICK = Spos(RECIPE, Evolution(population=6, generations=2, top=2, crossovers=2, mutations=2))
ANYTHING = Limits()


def weights(net: torch.nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def walk(space: Space, rows: SearchRows, file: Path | None = None, stop_after: int | None = None) -> Supernet:
    net = Supernet(space, seed=1)
    stretch = Course("spos", (Phase("paths", Uniform(space)),), RECIPE, seed=5, every_s=0.0)
    report = None if stop_after is None else lambda progress: len(progress.losses) == stop_after
    follow(stretch, net, net, rows.inputs, rows.targets, rows.task, report=report, checkpoint=file)
    return net


def test_paths_are_uniform_over_each_live_decision(path_space: Space) -> None:
    draw, rng = Uniform(path_space), np.random.default_rng(0)
    drawn = [draw(rng)[0].values for _ in range(600)]
    depths = Counter(values["blocks.body.blocks.count"] for values in drawn)
    assert all(abs(count - 200) < 60 for count in depths.values())
    kernels = Counter(values.get("blocks.body.blocks.0=mb.kernel") for values in drawn)
    assert abs(kernels[None] - 300) < 75
    assert abs(kernels["3"] - 150) < 50


def test_constrained_paths_are_all_within_the_limits(path_space: Space) -> None:
    costs = CostModel(path_space)
    draw = Uniform(path_space, LimitedCandidates(path_space, costs, Limits(params=500)))
    rng = np.random.default_rng(0)
    assert all(costs(draw(rng)[0])["params"] <= 500 for _ in range(50))


def test_a_training_without_a_deadline_is_the_same_bit_for_bit(path_space: Space, path_rows: SearchRows) -> None:
    assert same(weights(walk(path_space, path_rows)), weights(walk(path_space, path_rows)))


def test_an_interrupted_training_goes_on_bit_for_bit(path_space: Space, path_rows: SearchRows, tmp_path: Path) -> None:
    class Killed(Exception):
        """In place of a kill."""

    whole = walk(path_space, path_rows)
    file = tmp_path / "weights.safetensors"
    net = Supernet(path_space, seed=1)
    stretch = Course("spos", (Phase("paths", _Dying(Uniform(path_space), 8, Killed)),), RECIPE, seed=5, every_s=0.0)
    with pytest.raises(Killed):
        follow(stretch, net, net, path_rows.inputs, path_rows.targets, path_rows.task, checkpoint=file)
    resumed = walk(path_space, path_rows, file)
    assert same(weights(whole), weights(resumed))
    again = walk(path_space, path_rows, file)
    assert same(weights(whole), weights(again)), "a finished training is not trained again"


class _Dying:
    """A draw that raises at the given step."""

    def __init__(self, draw: Uniform, at: int, error: type[Exception]) -> None:
        self.draw, self.left, self.error = draw, at, error

    def __call__(self, rng: np.random.Generator) -> list[Architecture]:
        self.left -= 1
        if self.left < 0:
            raise self.error
        return self.draw(rng)


def test_a_checkpoint_of_another_training_is_refused(path_space: Space, path_rows: SearchRows, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    walk(path_space, path_rows, file)
    net = Supernet(path_space)
    stretch = Course("spos", (Phase("paths", Uniform(path_space)),), RECIPE, seed=6)
    with pytest.raises(RunError, match=r"of another training: its seed is 5, this one's 6. Give another file"):
        follow(stretch, net, net, path_rows.inputs, path_rows.targets, path_rows.task, checkpoint=file)


def test_a_loss_that_is_no_number_stops_with_seed_and_step_and_keeps_weights_and_checkpoint(
    path_space: Space, path_rows: SearchRows, tmp_path: Path
) -> None:
    file, net = tmp_path / "weights.safetensors", Supernet(path_space)
    seen: list[dict[str, Tensor]] = []

    def spoilt(paths, batch):  # type: ignore[no-untyped-def]
        seen.append(weights(net))
        yield nan * batch.forward(paths[0]).sum() if len(seen) == 3 else batch.forward(paths[0]).sum()

    stretch = Course("spos", (Phase("paths", Uniform(path_space), spoilt),), RECIPE, seed=5, every_s=0.0)
    with pytest.raises(
        RunError, match=r"diverged at step 2 with seed 5: the loss is nan.*last checkpoint, .*, is kept"
    ):
        follow(stretch, net, net, path_rows.inputs, path_rows.targets, path_rows.task, checkpoint=file)
    assert same(seen[-1], weights(net)), "the bad gradient did not reach the weights"
    assert file.is_file()


def test_a_batch_that_does_not_fit_is_halved_and_its_gradients_add_up(path_space: Space, path_rows: SearchRows) -> None:
    """Group norms see rows one by one, so that the halves give the gradient of the whole."""
    space = Space(_grouped, path_rows.task, "grouped")
    path = [space.sample(0)]
    gradients = []
    for most in (100, 5):
        net = Supernet(space)
        learner = Learner(net, net, RECIPE, build_loss("classification", RECIPE), soft_loss("classification"), 0)

        def limited(paths, batch, most=most):  # type: ignore[no-untyped-def]
            if len(batch.inputs) > most:
                raise torch.OutOfMemoryError("CUDA out of memory")
            yield from labels(paths, batch)

        learner.step("step 0", path, limited, path_rows.inputs[:16], path_rows.targets[:16], 0.0)
        gradients.append({name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None})
        assert learner.parts == (1 if most == 100 else 4)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6)


def _grouped(task):  # type: ignore[no-untyped-def]
    from nasturtium.blocks import ConvBN, Head, sequence
    from nasturtium.space import choice

    return sequence(ConvBN(choice(4, 8), norm="group"), Head(task))


def test_evolution_finds_the_best_of_a_known_landscape(path_space: Space) -> None:
    """The score is the number of decisions that agree with a hidden architecture, so the optimum is known."""
    goal = path_space.codes(path_space.sample(11))

    def score(architecture: Architecture) -> float:
        return sum(a == b for a, b in zip(path_space.codes(architecture), goal, strict=True)) / len(goal)

    candidates = LimitedCandidates(path_space, None, ANYTHING)
    found = Evolution()(score, candidates, seed=0)
    assert path_space.codes(found.best) == goal
    assert found.scored[0][1] == 1.0
    assert 50 < len(found.scored) <= 50 * 20


def test_evolution_stays_within_the_limits_and_repeats_by_seed(path_space: Space) -> None:
    costs = CostModel(path_space)
    candidates = LimitedCandidates(path_space, costs, Limits(params=600))
    search = Evolution(population=10, generations=4, top=3, crossovers=4, mutations=4)

    def large(architecture: Architecture) -> float:
        return costs(architecture)["params"]

    first, second = search(large, candidates, 3), search(large, candidates, 3)
    assert [one for one, _ in first.scored] == [one for one, _ in second.scored]
    assert all(costs(one)["params"] <= 600 for one, _ in first.scored)
    assert first.generations == 4


def test_known_scores_are_not_found_again(path_space: Space) -> None:
    candidates, known = LimitedCandidates(path_space, None, ANYTHING), {}
    asked: list[Architecture] = []

    def score(architecture: Architecture) -> float:
        asked.append(architecture)
        return float(sum(path_space.codes(architecture)))

    search = Evolution(population=8, generations=3, top=3, crossovers=3, mutations=3)
    first = search(score, candidates, 0, known=known)
    count = len(asked)
    assert search(score, candidates, 0, known=known).scored == first.scored
    assert len(asked) == count


def test_a_deadline_of_nothing_still_scores_one(path_space: Space) -> None:
    candidates = LimitedCandidates(path_space, None, ANYTHING)
    found = Evolution()(lambda one: nan, candidates, 0, deadline_s=0.0)
    assert len(found.scored) == 1
    assert found.generations == 0


def test_spos_derives_what_is_within_the_limits_and_learns(path_space: Space, path_rows: SearchRows) -> None:
    net, traces = Supernet(path_space), list[Trace]()
    recipe = replace(RECIPE, epochs=25)
    spos = replace(QUICK, recipe=recipe)
    derived = spos.train(
        net,
        path_rows,
        SearchBudget(),
        seed=1,
        wanted=Wanted(limits={"params": 900}, count=3),
        report=lambda trace: bool(traces.append(trace)),
    )
    costs = CostModel(path_space)
    assert len(derived.architectures) == 3
    assert all(costs(one)["params"] <= 900 for one in derived.architectures)
    assert {len(trace.epochs) for trace in traces} >= set(range(1, 26))
    assert traces[-1].epochs[-1].train_loss < 0.8 * traces[-1].epochs[0].train_loss
    score = Inherited(net, parted(path_rows, spos.held, 1, torch.device("cpu")), path_rows.task)
    assert score(derived.architectures[0]) > 0.7
    last = derived.trace.epochs[-1].weights
    assert len(last) == len(net.mixtures)
    assert all(abs(vector.sum() - 1) < 1e-9 for vector in last)


def test_a_search_that_is_run_again_with_its_files_gives_the_same(
    path_space: Space, path_rows: SearchRows, tmp_path: Path
) -> None:
    file = tmp_path / "search.safetensors"
    first = QUICK.train(Supernet(path_space), path_rows, SearchBudget(), seed=2, checkpoint=file)
    second = QUICK.train(Supernet(path_space), path_rows, SearchBudget(), seed=2, checkpoint=file)
    assert first.architectures == second.architectures
    assert [epoch.train_loss for epoch in first.trace.epochs][:3] == [
        epoch.train_loss for epoch in second.trace.epochs
    ][:3]


def test_a_deadline_ends_the_search(path_space: Space, path_rows: SearchRows) -> None:
    derived = QUICK.train(Supernet(path_space), path_rows, SearchBudget(epochs=10_000, deadline_s=2.0))
    assert derived.trace.ended == "deadline"
    assert derived.trace.seconds < 10
    assert derived.architectures


def test_limits_that_the_smallest_path_violates_are_refused_before_training(
    path_space: Space, path_rows: SearchRows
) -> None:
    with pytest.raises(LimitError, match=r"limit of 10 params: the least possible is \d+. Raise the limit to \d+"):
        QUICK.train(Supernet(path_space), path_rows, SearchBudget(), wanted=Wanted(limits={"params": 10}))
    with pytest.raises(LimitError, match=r"nor is its smallest path \(\d+ params, [\d.]+k? macs\). Raise a limit"):
        QUICK.train(Supernet(path_space), path_rows, SearchBudget(), wanted=Wanted(feasible=lambda one: False))


def test_a_slow_beginning_leaves_time_to_look_at_paths(
    path_space: Space, path_rows: SearchRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What starts slowly trains for less: the first path that is drawn would be no search."""

    def slowly(*given: Any) -> Learner:
        time.sleep(1.2)
        return Learner(*given)

    monkeypatch.setattr(course, "Learner", slowly)
    long = replace(QUICK, recipe=replace(RECIPE, epochs=10**6))
    derived = long.train(Supernet(path_space), path_rows, SearchBudget(None, 3.0), wanted=Wanted(count=3))
    assert len(derived.architectures) == 3
    (sentence,) = derived.trace.remarks
    assert re.fullmatch(r"Deadline: 2\.\d+ s allowed \d+\.\d of 1000000 epochs; the whole .* to them\.", sentence)


def test_a_long_pass_can_be_stopped_in_its_midst(
    path_space: Space, path_rows: SearchRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_shot, "PULSE_S", 0.0)
    derived = QUICK.train(Supernet(path_space), path_rows, SearchBudget(), report=lambda trace: trace.share > 0.05)
    assert derived.trace.ended == "report"
    assert [epoch.train_loss for epoch in derived.trace.epochs if isfinite(epoch.train_loss)] == []


def test_the_report_can_stop_the_training(path_space: Space, path_rows: SearchRows) -> None:
    derived = QUICK.train(Supernet(path_space), path_rows, SearchBudget(), report=lambda trace: True)
    assert derived.trace.ended == "report"


def test_progress_says_how_it_ended() -> None:
    assert Progress().ended == "finished"
    assert Progress(shortened=True).ended == "deadline"
    assert Progress(shortened=True, stopped=True).ended == "report"


def looked_at(
    space: Space, rows: SearchRows, monkeypatch: pytest.MonkeyPatch, stops: Callable[[Trace], bool]
) -> tuple[Derived, list[int]]:
    """What is derived with a report that is asked at every step, and the numbers of paths that it was told."""
    monkeypatch.setattr(one_shot, "PULSE_S", 0.0)
    looked: list[int] = []

    def report(trace: Trace) -> bool:
        looked.append(trace.looked)
        return stops(trace)

    return QUICK.train(Supernet(space), rows, SearchBudget(), report=report), looked


def test_looking_at_paths_is_told_and_ends_when_it_is_asked_to(
    path_space: Space, path_rows: SearchRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, looked = looked_at(path_space, path_rows, monkeypatch, lambda trace: trace.looked == 3)
    assert [number for number in looked if number] == [1, 2, 3]
    assert found.trace.ended == "finished"
    assert found.trace.remarks == ("Ended early: the best of the first 3 paths that were looked at is derived.",)
    assert len(found.architectures) == 1


def test_a_training_that_was_stopped_looks_at_all_paths(
    path_space: Space, path_rows: SearchRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, looked = looked_at(path_space, path_rows, monkeypatch, lambda trace: True)
    assert found.trace.ended == "report"
    assert max(looked) >= 6, "the first generation"
