"""The pace is tested with a clock of its own."""

from itertools import pairwise

import pytest

from nasturtium.training import Pace, Recipe
from nasturtium.training._schedule import rate


class Clock:
    """Every reading is the same until `step_s` is added."""

    def __init__(self) -> None:
        self.now = 100.0
        self.readings = 0

    def __call__(self) -> float:
        self.readings += 1
        return self.now


def _run(steps: int, deadline_s: float | None, step_s: float, slow_first_s: float = 0.0) -> tuple[Pace, Clock, list]:
    clock = Clock()
    pace = Pace(steps, deadline_s, clock=clock)
    progress = []
    while not pace.done:
        clock.now += step_s + (slow_first_s if pace.step == 0 else 0.0)
        pace.advance()
        progress.append(pace.progress)
    return pace, clock, progress


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
def test_the_rate_rises_to_one_and_falls_to_zero(schedule: str) -> None:
    recipe = Recipe(schedule=schedule)  # type: ignore[arg-type]
    values = [rate(recipe, step / 1000) for step in range(1001)]
    peak = values.index(max(values))
    assert values[peak] == pytest.approx(1.0, abs=1e-2)
    assert values[-1] == pytest.approx(0.0, abs=1e-12)
    assert all(a < b for a, b in pairwise(values[:peak]))
    assert all(a >= b for a, b in pairwise(values[peak:]))


def test_without_a_deadline_progress_is_even_and_no_clock_is_read() -> None:
    pace, clock, progress = _run(50, None, 1.0)
    assert progress == [step / 50 for step in range(1, 51)]
    assert clock.readings == 0
    assert not pace.bound


def test_a_deadline_that_does_not_bind_changes_nothing() -> None:
    _, _, free = _run(50, None, 1.0)
    pace, _, progress = _run(50, 80.0, 1.0, slow_first_s=20.0)
    assert progress == free
    assert not pace.bound


def test_a_deadline_that_binds_shortens_the_plan_and_still_ends_at_one() -> None:
    pace, clock, progress = _run(1000, 100.0, 1.0)
    assert pace.bound
    assert progress[-1] == pytest.approx(1.0)
    assert 90 <= pace.step <= 98
    assert clock.now <= 200.0
    assert all(a < b for a, b in pairwise(progress))


def test_steps_that_become_slower_are_planned_for() -> None:
    clock = Clock()
    pace = Pace(1000, 100.0, clock=clock)
    while not pace.done:
        clock.now += 0.5 if pace.step < 60 else 2.0
        pace.advance()
    assert pace.progress == pytest.approx(1.0)
    assert clock.now <= 200.0


def test_a_deadline_already_past_ends_after_one_step() -> None:
    pace, _, progress = _run(1000, 0.0, 1.0)
    assert pace.step == 1
    assert progress == [1.0]


def test_time_is_kept_for_the_last_scoring() -> None:
    clock = Clock()
    pace = Pace(1000, 100.0, clock=clock)
    pace.scored(30.0)
    while not pace.done:
        clock.now += 1.0
        pace.advance()
    assert clock.now + 30.0 <= 200.0
