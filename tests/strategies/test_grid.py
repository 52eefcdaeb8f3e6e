"""Grid search, against enumeration."""

from collections import Counter

import pytest

from nasturtium.errors import RunError
from nasturtium.space import Space, choice, integer, optional, real
from nasturtium.strategies import Grid, Random
from nasturtium.testing.strategies import SpaceCandidates, ids_of, mixed_space, simulate
from nasturtium.trial import History, Objective

START = History((Objective("loss0", "minimize"),))


def test_every_combination_comes_once_and_then_no_more() -> None:
    space = Space((choice("a", "b", "c"), integer(1, 4), choice(True, False), optional(choice(1, 2, 5))), name="s")
    found = Grid().ask(START, 1000, 0, SpaceCandidates(space))
    assert len(found) == space.size == 3 * 4 * 2 * 4
    assert {one.values for one in map(_Frozen, found)} == {one.values for one in map(_Frozen, space.enumerate())}


class _Frozen:
    def __init__(self, architecture: object) -> None:
        self.values = frozenset(architecture.values.items())  # type: ignore[attr-defined]


def test_the_order_is_spread_over_the_space_from_the_start() -> None:
    space = Space(tuple(choice(*range(4)) for _ in range(8)), name="s")
    first = Grid().ask(START, 32, 0, SpaceCandidates(space))
    for place in range(8):
        counts = Counter(one.tree[place] for one in first)
        # 8 each would be even; in lexicographic order the first decisions would never change.
        assert set(counts) == {0, 1, 2, 3}
        assert max(counts.values()) <= 14


def test_numbers_are_tried_at_a_few_levels_and_choices_at_all() -> None:
    space = Space((integer(1, 100), real(0.0, 1.0), integer(0, 2), choice(*range(7))), name="s")
    found = Grid(levels=4).ask(START, 4 * 4 * 3 * 7, 0, SpaceCandidates(space))
    assert {one.tree[0] for one in found} == {1, 34, 67, 100}
    assert sorted({round(one.tree[1], 3) for one in found}) == [0.0, 0.333, 0.667, 1.0]
    assert {one.tree[2] for one in found} == {0, 1, 2}
    assert {one.tree[3] for one in found} == set(range(7))
    # Beyond the grid: random architectures between its levels.
    rest = Grid(levels=4).ask(START, 4 * 4 * 3 * 7 + 20, 0, SpaceCandidates(space))[-20:]
    assert any(one.tree[0] not in (1, 34, 67, 100) for one in rest)


def test_it_goes_on_where_it_stopped_whatever_others_proposed_and_whatever_the_seed() -> None:
    candidates = SpaceCandidates(mixed_space())
    alone = ids_of(Grid(3).ask(START, 60, 0, candidates))
    others = simulate(Random(), candidates, lambda one: (0.0,), 15)
    expected = [one for one in alone if one not in others.ids]
    for seed in (0, 1):
        assert ids_of(Grid(3).ask(others, len(expected), seed, candidates)) == expected


def test_a_grid_needs_two_levels() -> None:
    with pytest.raises(RunError, match="levels is 1: a grid needs at least 2"):
        Grid(levels=1)
