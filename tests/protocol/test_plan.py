from itertools import product

import pytest

from nasturtium.protocol.plan import SEEDS, SLACK, Plan, makespan


def shortest(durations: list[float], workers: int) -> float:
    """By trying every assignment."""
    return min(
        max(sum(one for one, at in zip(durations, places, strict=True) if at == worker) for worker in range(workers))
        for places in product(range(workers), repeat=len(durations))
    )


def test_the_longest_first_is_nearly_the_best_order() -> None:
    assert makespan([3, 3, 2, 2, 2], 2) == 7  # Graham's example: the best is 6
    for durations in ([5.0, 1, 1, 1, 1, 1], [4.0, 4, 4, 1, 1], [2.0] * 6):
        assert shortest(durations, 2) <= makespan(durations, 2) <= (4 / 3 - 1 / 6) * shortest(durations, 2)


def test_what_quick_trainings_leave_goes_to_the_slow_ones() -> None:
    plan = Plan(600.0, 2)
    usable = (400.0 - plan.export_s) / SLACK
    equal = plan.last_s(400.0, [1e9, 1e9])
    assert equal == pytest.approx(usable / SEEDS)  # five rounds of two
    uneven = plan.last_s(400.0, [1e9, 10.0])
    assert uneven > 1.4 * equal
    assert makespan([uneven] * SEEDS + [10.0] * SEEDS, 2) == pytest.approx(usable, rel=1e-6)


def test_trainings_that_all_fit_are_not_cut() -> None:
    assert Plan(600.0, 2).last_s(400.0, [20.0, 5.0]) > 20.0
