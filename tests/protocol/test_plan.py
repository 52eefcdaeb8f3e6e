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
    equal = plan.last_s(400.0, SEEDS * [1e9, 1e9])
    assert equal == pytest.approx(usable / SEEDS)  # five rounds of two
    uneven = plan.last_s(400.0, SEEDS * [1e9, 10.0])
    assert uneven > 1.4 * equal
    assert makespan([uneven] * SEEDS + [10.0] * SEEDS, 2) == pytest.approx(usable, rel=1e-6)


def test_trainings_that_all_fit_are_not_cut() -> None:
    assert Plan(600.0, 2).last_s(400.0, SEEDS * [20.0, 5.0]) > 20.0


def test_comparisons_and_finals_share_what_is_left() -> None:
    plan = Plan(600.0, 2)
    usable = (400.0 - plan.export_s) / SLACK
    each = plan.comparing_s(400.0, 10 * [1e9], 10 * [1e9])
    assert each == pytest.approx(usable / 10)
    quick = plan.comparing_s(400.0, 5 * [1e9] + 5 * [2.0], 5 * [1e9] + 5 * [3.0])
    slow = [quick] * 5 + [2.0] * 5, [quick] * 5 + [3.0] * 5
    assert sum(makespan(one, 2) for one in slow) == pytest.approx(usable, rel=1e-6)
    assert quick > 1.4 * each


def test_the_plan_of_a_budget_adds_up() -> None:
    plan = Plan(2400.0, 2)
    slow = plan.reserve_s(1e9) - plan.export_s
    assert slow == pytest.approx(SLACK * (8 + 5) * plan.late_s)  # 15 and 10 trainings by two workers
    assert plan.least_s(plan.trial_s) == pytest.approx(plan.start_s + plan.budget_s)
