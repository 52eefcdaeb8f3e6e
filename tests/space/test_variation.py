"""Steps between architectures and their vectors, on spaces small enough to list."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.space import (
    Space,
    choice,
    crossover,
    encode,
    hamming,
    integer,
    integer_codes,
    mutate,
    neighbours,
    optional,
    real,
    repeat,
)


def nested() -> Space:
    return Space((choice(a=(choice(1, 2, 3), choice(4, 5)), b=0), integer(1, 3)), name="nested")


def test_mutation_redraws_each_live_decision_equally_often_and_uniformly() -> None:
    space, rng = nested(), np.random.default_rng(0)
    start = space.architecture({"0": "a", "0=a.0": 1, "0=a.1": 4, "1": 1})
    seen = Counter(mutate(start, rng).tree for _ in range(8000))
    expected = {
        (0, 1): 2000,
        ((2, 4), 1): 1000,
        ((3, 4), 1): 1000,
        ((1, 5), 1): 2000,
        ((1, 4), 2): 1000,
        ((1, 4), 3): 1000,
    }
    assert set(seen) == set(expected)
    # Chi-square with 5 degrees of freedom: 20.5 is the quantile 0.999.
    assert sum((seen[tree] - count) ** 2 / count for tree, count in expected.items()) < 20.5


def test_newly_live_decisions_are_sampled_by_mutation() -> None:
    space, rng = nested(), np.random.default_rng(1)
    start = space.architecture({"0": "b", "1": 1})
    inner = Counter(child.tree[0] for _ in range(4000) if (child := mutate(start, rng)).tree[0] != 0)
    assert set(inner) == {(first, second) for first in (1, 2, 3) for second in (4, 5)}
    assert max(inner.values()) < 1.5 * min(inner.values())


def test_a_rate_of_one_changes_every_live_decision() -> None:
    space, rng = Space(tuple(choice(1, 2) for _ in range(9))), np.random.default_rng(2)
    start = space.sample(0)
    assert hamming(start, mutate(start, rng, rate=1.0)) == 9
    assert hamming(start, mutate(start, rng, rate=0.0)) == 1


def test_an_architecture_without_alternative_stays() -> None:
    only = Space((choice(7), integer(2, 2))).sample(0)
    assert mutate(only, np.random.default_rng(0)) is only
    assert neighbours(only) == []


def test_neighbours_of_a_flat_space_are_all_at_distance_one() -> None:
    space = Space((choice(1, 2, 3), integer(0, 3), choice("x", "y")))
    everything = list(space.enumerate())
    for architecture in everything:
        expected = {other for other in everything if hamming(architecture, other) == 1}
        assert set(neighbours(architecture)) == expected


def test_neighbours_take_the_first_option_of_what_becomes_live() -> None:
    space = nested()
    found = neighbours(space.architecture({"0": "b", "1": 2}))
    assert [other.tree for other in found] == [((1, 4), 2), (0, 1), (0, 3)]


def test_numbers_with_many_values_have_near_and_far_neighbours() -> None:
    space = Space((real(0.0, 1.0), integer(0, 999)))
    trees = [other.tree for other in neighbours(space.architecture({"0": 0.5, "1": 995}))]
    half = space.architecture({"0": 0.5, "1": 995}).tree[0]
    assert [tree[0] for tree in trees if tree[0] != half] == pytest.approx([0.4, 0.49, 0.51, 0.6], abs=1e-4)
    assert [tree[1] for tree in trees if tree[1] != 995] == [895, 985, 999]


def test_crossover_draws_shared_decisions_from_both_parents_equally() -> None:
    space, rng = Space(tuple(choice(1, 2) for _ in range(4))), np.random.default_rng(3)
    first, second = (space.architecture({str(at): key for at in range(4)}) for key in (1, 2))
    seen = Counter(crossover(first, second, rng).tree for _ in range(4800))
    assert len(seen) == 16
    # Chi-square with 15 degrees of freedom: 37.7 is the quantile 0.999.
    assert sum((count - 300) ** 2 / 300 for count in seen.values()) < 37.7


def test_crossover_keeps_what_only_one_parent_has() -> None:
    space, rng = nested(), np.random.default_rng(4)
    first = space.architecture({"0": "a", "0=a.0": 3, "0=a.1": 5, "1": 1})
    second = space.architecture({"0": "b", "1": 1})
    assert {crossover(first, second, rng).tree for _ in range(50)} == {((3, 5), 1), (0, 1)}


def test_parents_of_different_spaces_are_refused() -> None:
    with pytest.raises(SpaceError, match="is of the space 'space', not 'nested'"):
        crossover(nested().sample(0), Space(choice(1, 2)).sample(0), np.random.default_rng(0))


def test_the_vector_of_an_architecture_is_readable() -> None:
    space = Space(
        (optional(integer(0, 4)), real(0.01, 1.0, log=True), repeat(lambda at: choice("x", "y"), integer(0, 2)))
    )
    assert space.encoding.names == (
        "0=off", "0=on", "0=on", "0=on?", "1", "2.count", "2.0=x", "2.0=y", "2.1=x", "2.1=y",
    )  # fmt: skip
    architecture = space.architecture({"0": "on", "0=on": 3, "1": 0.1, "2.count": 1, "2.0": "y"})
    assert encode(architecture) == pytest.approx([0, 1, 0.75, 1, 0.5, 0.5, 0, 1, 0, 0], abs=1e-6)
    assert integer_codes(architecture).tolist()[:2] == [1, 3]
    assert integer_codes(architecture).tolist()[3:] == [1, 1, -1]
    off = space.architecture({"0": "off", "1": 0.1, "2.count": 0})
    assert encode(off) == pytest.approx([1, 0, 0, 0, 0.5, 0, 0, 0, 0, 0], abs=1e-6)
    assert hamming(architecture, off) == 4
