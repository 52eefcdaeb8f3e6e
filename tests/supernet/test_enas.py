"""ENAS: weights and policy learn in turn."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from nasturtium.errors import RunError
from nasturtium.hardware import CostModel
from nasturtium.roles import Policy, Sample, SearchBudget, Wanted
from nasturtium.space import Space
from nasturtium.strategies import EnasController
from nasturtium.supernet import Supernet
from nasturtium.supernet.enas import Enas
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.training import Recipe

RECIPE = Recipe(lr=1e-2, epochs=2, batch_size=16)


@dataclass(frozen=True)
class Uniform:
    """A policy that learns nothing and remembers what it was told."""

    space: Space
    told: list[tuple[list[tuple[int, ...]], list[float]]] = field(default_factory=list)

    def sample(self, rng: np.random.Generator, count: int = 1) -> list[Sample]:
        return [Sample(codes) for codes in self.space.sample_codes(rng, count)]

    def log_prob(self, codes: tuple[int, ...]) -> float:
        raise NotImplementedError

    def update(self, samples: list[Sample], rewards: list[float]) -> "Uniform":
        return replace(self, told=[*self.told, ([sample.codes for sample in samples], list(rewards))])


def test_the_controller_of_the_strategies_room_fits(path_space: Space, path_rows: SearchRows) -> None:
    enas = Enas(EnasController(batch=4).policy, steps=2, samples=4, final=4, recipe=RECIPE)
    first, second = (enas.train(Supernet(path_space), path_rows, SearchBudget(), seed=1) for _ in range(2))
    assert first.architectures == second.architectures
    assert len(first.trace.epochs) == 3


def test_the_policy_is_updated_after_each_pass_by_rewards_that_are_metrics(
    path_space: Space, path_rows: SearchRows
) -> None:
    policies: list[Policy] = []

    class Watched(Uniform):
        def update(self, samples: list[Sample], rewards: list[float]) -> "Uniform":
            policies.append(self)
            told = [*self.told, ([sample.codes for sample in samples], list(rewards))]
            return Watched(self.space, told)

    enas = Enas(lambda space, seed: Watched(space), 3, 5, 4, recipe=RECIPE)
    enas.train(Supernet(path_space), path_rows, SearchBudget())
    last = policies[-1]
    assert isinstance(last, Watched)
    assert len(policies) == 2 * 3
    assert [len(codes) for codes, _ in last.told] == [5] * 5
    assert all(0 <= reward <= 1 for _, rewards in last.told for reward in rewards)
    assert all(reward * 16 == round(reward * 16) for _, rewards in last.told for reward in rewards), "of 16 rows"


def test_an_interrupted_search_teaches_the_policy_again(
    path_space: Space, path_rows: SearchRows, tmp_path: Path
) -> None:
    enas = Enas(EnasController(batch=4).policy, steps=2, samples=4, final=4, recipe=RECIPE)
    whole = enas.train(Supernet(path_space), path_rows, SearchBudget(), seed=1)
    file = tmp_path / "enas.safetensors"
    passes = 0

    def killed(trace: object) -> bool:
        nonlocal passes
        passes += 1
        raise KeyboardInterrupt

    course_end = Enas(enas.policy, 2, 4, 4, recipe=RECIPE)
    _always_saving(course_end, path_space, path_rows, file, killed)
    resumed = enas.train(Supernet(path_space), path_rows, SearchBudget(), seed=1, checkpoint=file)
    assert passes == 1
    assert resumed.architectures == whole.architectures
    assert [e.train_loss for e in resumed.trace.epochs[:2]] == [e.train_loss for e in whole.trace.epochs[:2]]
    for mine, its in zip(resumed.trace.epochs[1].weights, whole.trace.epochs[1].weights, strict=True):
        np.testing.assert_array_equal(mine, its)


def _always_saving(enas: Enas, space: Space, rows: SearchRows, file: Path, report: object) -> None:
    """Train with a checkpoint after every step, until the report raises."""
    from nasturtium.supernet import path_search
    from nasturtium.supernet.course import Course

    usual = path_search.Course
    path_search.Course = lambda *given: replace(Course(*given), every_s=0.0)  # type: ignore[misc, assignment]
    try:
        with pytest.raises(KeyboardInterrupt):
            enas.train(Supernet(space), rows, SearchBudget(), seed=1, report=report, checkpoint=file)  # type: ignore[arg-type]
    finally:
        path_search.Course = usual  # type: ignore[misc]
    assert file.is_file()


def test_a_policy_that_prefers_what_is_too_large_is_held_within_the_limits(
    path_space: Space, path_rows: SearchRows
) -> None:
    wanted = Wanted(limits={"params": 700}, count=4)
    enas = Enas(lambda space, seed: Uniform(space), 1, 3, 6, recipe=replace(RECIPE, epochs=1))
    derived = enas.train(Supernet(path_space), path_rows, SearchBudget(), wanted=wanted)
    costs = CostModel(path_space)
    assert derived.architectures
    assert all(costs(one)["params"] <= 700 for one in derived.architectures)


def test_outputs_that_are_no_numbers_stop_the_search(path_space: Space, path_rows: SearchRows) -> None:
    net = Supernet(path_space)
    enas = Enas(lambda space, seed: Uniform(space), 1, 3, 6, recipe=replace(RECIPE, epochs=1, lr=1e30, clip=None))
    with pytest.raises(RunError, match=r"seed 7.*(diverged|no numbers)|diverged at step \d+ with seed 7"):
        enas.train(net, path_rows, SearchBudget(), seed=7)
