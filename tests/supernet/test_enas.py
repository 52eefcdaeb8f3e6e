"""ENAS: weights and policy learn in turn."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from nasturtium.errors import RunError
from nasturtium.hardware import CostModel
from nasturtium.roles import Policy, Sample, SearchBudget, Trace, Wanted
from nasturtium.space import Space
from nasturtium.strategies import EnasController
from nasturtium.supernet import Supernet, one_shot
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
    """Killed in the second pass: what the first taught comes back from the checkpoint."""
    told: list[int] = []

    class Counted(Uniform):
        def update(self, samples: list[Sample], rewards: list[float]) -> "Uniform":
            told.append(len(self.told))
            if kill and len(self.told) == 3:
                raise KeyboardInterrupt
            return Counted(self.space, super().update(samples, rewards).told)

    enas = Enas(lambda space, seed: Counted(space), steps=2, samples=4, final=4, recipe=RECIPE)
    kill, file = True, tmp_path / "enas.safetensors"
    _always_saving(enas, path_space, path_rows, file, None)
    kill = False
    told.clear()
    resumed = enas.train(Supernet(path_space), path_rows, SearchBudget(), seed=1, checkpoint=file)
    assert told == [0, 1, 2, 3], "two from the checkpoint, two of the second pass"
    whole = enas.train(Supernet(path_space), path_rows, SearchBudget(), seed=1)
    assert resumed.architectures == whole.architectures
    assert [e.train_loss for e in resumed.trace.epochs[:2]] == [e.train_loss for e in whole.trace.epochs[:2]]
    for mine, its in zip(resumed.trace.epochs[1].weights, whole.trace.epochs[1].weights, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_a_resumed_controller_is_the_one_that_was_taught(
    path_space: Space, path_rows: SearchRows, tmp_path: Path
) -> None:
    enas = Enas(EnasController(batch=4).policy, steps=2, samples=4, final=4, recipe=RECIPE)
    whole, file = enas.train(Supernet(path_space), path_rows, SearchBudget(), seed=1), tmp_path / "enas.safetensors"
    _always_saving(enas, path_space, path_rows, file, _in_the_second_pass())
    resumed = enas.train(Supernet(path_space), path_rows, SearchBudget(), seed=1, checkpoint=file)
    assert resumed.architectures == whole.architectures


def _in_the_second_pass() -> Callable[[Trace], bool]:
    """A report that kills there."""
    calls = count()

    def report(trace: Trace) -> bool:
        if trace.epochs and next(calls):
            raise KeyboardInterrupt
        return False

    return report


class Slow(Uniform):
    """Takes a tenth of a second to learn nothing."""

    def update(self, samples: list[Sample], rewards: list[float]) -> "Uniform":
        time.sleep(0.1)
        return Slow(self.space, super().update(samples, rewards).told)


def test_the_policy_is_taught_no_longer_than_the_deadline_allows(path_space: Space, path_rows: SearchRows) -> None:
    enas = Enas(lambda space, seed: Slow(space), 1000, 2, 2, recipe=replace(RECIPE, epochs=50))
    started = time.monotonic()
    found = enas.train(Supernet(path_space), path_rows, SearchBudget(deadline_s=2.0))
    assert time.monotonic() - started < 6
    assert found.trace.ended == "deadline"
    assert any("the controller was updated" in remark for remark in found.trace.remarks)


def test_a_report_stops_the_policy_too(
    path_space: Space, path_rows: SearchRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_shot, "PULSE_S", 0.0)
    enas = Enas(lambda space, seed: Slow(space), 1000, 2, 2, recipe=replace(RECIPE, epochs=50))
    stopped = time.monotonic() + 1.0
    found = enas.train(Supernet(path_space), path_rows, SearchBudget(), report=lambda trace: time.monotonic() > stopped)
    assert found.trace.ended == "report"
    assert time.monotonic() < stopped + 3


def test_on_few_rows_the_policy_is_updated_as_often_for_each_step_as_published(
    path_space: Space, path_rows: SearchRows
) -> None:
    """72 rows that train in batches of 6 are 12 steps a pass: 50 * 12 / 195 = 3.08."""
    policies: list[int] = []

    class Watched(Uniform):
        def update(self, samples: list[Sample], rewards: list[float]) -> "Uniform":
            policies.append(len(samples))
            return self

    recipe = replace(RECIPE, batch_size=6)
    Enas(lambda space, seed: Watched(space), final=2, recipe=recipe).train(
        Supernet(path_space), path_rows, SearchBudget()
    )
    assert policies == [20] * 3 * 2


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
