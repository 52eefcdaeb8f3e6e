"""Pareto ordering against brute force and hand-worked examples."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as draw
from hypothesis.extra.numpy import arrays

from nasturtium import pareto

LOSSES = arrays(float, draw.tuples(draw.integers(1, 12), draw.integers(1, 3)), elements=draw.integers(0, 4).map(float))


def beats(left: np.ndarray, right: np.ndarray) -> bool:
    return all(a <= b for a, b in zip(left, right, strict=True)) and any(
        a < b for a, b in zip(left, right, strict=True)
    )


def peeled(losses: np.ndarray) -> list[int]:
    """Fronts by their definition: take away what nothing left dominates, again and again."""
    ranks, left, front = [-1] * len(losses), set(range(len(losses))), 0
    while left:
        best = {row for row in left if not any(beats(losses[other], losses[row]) for other in left)}
        for row in best:
            ranks[row] = front
        left, front = left - best, front + 1
    return ranks


@given(LOSSES)
def test_dominance_and_fronts_are_those_of_the_definition(losses: np.ndarray) -> None:
    expected = [[beats(left, right) for right in losses] for left in losses]
    assert pareto.dominates(losses).tolist() == expected
    assert pareto.fronts(losses).tolist() == peeled(losses)


@given(LOSSES)
def test_order_is_by_front_then_loneliness_then_age(losses: np.ndarray) -> None:
    order, ranks = pareto.order(losses), pareto.fronts(losses)
    assert sorted(order.tolist()) == list(range(len(losses)))
    for first, second in pairwise(order):
        assert ranks[first] <= ranks[second]
        if ranks[first] == ranks[second]:
            members = np.flatnonzero(ranks == ranks[first])
            lonely = dict(zip(members, pareto.crowding(losses[members]), strict=True))
            if losses.shape[1] == 1:
                assert first < second
            else:
                assert (-lonely[first], first) < (-lonely[second], second)


def test_crowding_of_a_front_worked_by_hand() -> None:
    front = np.array([[0.0, 4.0], [1.0, 2.0], [3.0, 1.0], [4.0, 0.0]])
    # Inner points: (next - previous) / range, summed over both objectives.
    expected = [np.inf, 3 / 4 + 3 / 4, 3 / 4 + 2 / 4, np.inf]
    assert pareto.crowding(front).tolist() == expected


def test_rows_with_nan_come_last() -> None:
    losses = np.array([[np.nan, 0.0], [5.0, 5.0], [1.0, 6.0]])
    assert pareto.fronts(losses).tolist() == [0, 0, 0]  # each is best in one objective, a NaN counting as infinite
    single = np.array([[np.nan], [2.0], [1.0]])
    assert pareto.order(single).tolist() == [2, 1, 0]


@pytest.mark.parametrize("objectives", [1, 2])
def test_nothing_has_no_order(objectives: int) -> None:
    nothing = np.zeros((0, objectives))
    assert pareto.order(nothing).tolist() == []
    assert pareto.fronts(nothing).tolist() == []
    assert pareto.crowding(nothing).tolist() == []
