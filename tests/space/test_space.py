"""Spaces: paths, liveness, values and validation, on trees small enough to check by eye."""

from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.space import Open, Space, choice, integer, optional, real, repeat


@dataclass(frozen=True)
class Leaf:
    kernel: Open[int] = 3
    gate: Open[object] = None


@dataclass(frozen=True)
class Net:
    body: object
    width: Open[int] = 8


@dataclass(frozen=True)
class Picky:
    kernel: Open[int]

    def __post_init__(self) -> None:
        if self.kernel == 5:
            raise ValueError("five is right out")


def gated() -> Space:
    block = lambda at: choice(plain=Leaf(choice(1, 3)), gated=Leaf(choice(3, 5), gate=Leaf(choice(1, 2))))  # noqa: E731
    return Space(Net(repeat(block, integer(0, 2)), choice(8, 16)), name="gated")


def paths(space: Space) -> list[str]:
    return [named.path for named in space.decisions]


def test_paths_name_the_place_and_the_options_taken() -> None:
    assert paths(gated()) == [
        "body.count",
        "body.0",
        "body.0=plain.kernel",
        "body.0=gated.kernel",
        "body.0=gated.gate.kernel",
        "body.1",
        "body.1=plain.kernel",
        "body.1=gated.kernel",
        "body.1=gated.gate.kernel",
        "width",
    ]


def test_paths_at_the_root_of_nested_choices_and_of_named_pairs() -> None:
    assert paths(Space(choice(a=choice(1, 2), b=(choice(1, 2), 5)))) == ["root", "root=a", "root=b.0"]
    assert paths(Space(repeat(lambda at: choice(1, 2), integer(1, 2)))) == ["count", "0", "1"]
    assert paths(Space(Net((("hidden", choice(1, 2)), ("depth", Leaf(choice(1, 2))))))) == [
        "body.hidden",
        "body.depth.kernel",
    ]
    assert Space(Net((("hidden", choice(1, 2)), ("depth", 4)))).sample(0).tree.body[1] == ("depth", 4)


def test_a_decision_object_is_one_decision_at_its_first_path() -> None:
    width = choice(8, 16)
    space = Space(Net((Leaf(width), choice(a=Leaf(width), b=3)), width))
    assert paths(space) == ["body.0.kernel", "body.1"]
    assert space.size == 4
    tree = space.architecture({"body.0.kernel": "16", "body.1": "a"}).tree
    assert tree == Net((Leaf(16), Leaf(16)), 16)


def test_a_tied_decision_lives_wherever_one_of_its_places_does() -> None:
    kernel = choice(3, 5)
    space = Space((choice(a=Leaf(kernel), b=0), choice(a=Leaf(kernel), b=0)))
    assert paths(space) == ["0", "0=a.kernel", "1"]
    assert dict(space.architecture({"0": "b", "1": "a", "0=a.kernel": "5"}).values) == {
        "0": "b",
        "0=a.kernel": "5",
        "1": "a",
    }
    assert "0=a.kernel" not in space.architecture({"0": "b", "1": "b"}).values
    assert space.size == 3 * 2 + 1


def test_a_count_may_be_tied_to_a_width() -> None:
    depth = integer(0, 2)
    space = Space(Net(repeat(lambda at: choice(1, 2, 3), depth), depth))
    assert space.size == 1 + 3 + 9
    assert space.architecture({"body.count": 1, "body.0": "2"}).tree == Net((2,), 1)


def test_resolved_trees_hold_no_decisions_and_dead_ones_have_no_values() -> None:
    architecture = gated().architecture({"body.count": 1, "body.0": "gated", "width": 16} | {
        "body.0=gated.kernel": 5, "body.0=gated.gate.kernel": "2"})  # fmt: skip
    assert architecture.tree == Net((Leaf(5, gate=Leaf(2)),), 16)
    assert "body.1" not in architecture.values
    assert architecture.values["width"] == "16"


def test_values_of_dead_decisions_are_ignored() -> None:
    values = {"body.count": 0, "width": "8"}
    assert gated().architecture(values | {"body.1": "gated"}) == gated().architecture(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"body.cuont": 1}, "the space 'gated' has no decision 'body.cuont'. Did you mean 'body.count'"),
        ({"body.0": "gatd"}, "decision 'body.0' of the space 'gated': no option 'gatd'. Did you mean 'gated'?"),
        ({"body.count": 3}, "decision 'body.count' of the space 'gated': 3 is not one of 0 … 2"),
        (
            {"body.count": 1, "width": "8"},
            "decision 'body.0' of the space 'gated' has no value; give one of plain | gated",
        ),
    ],
)
def test_wrong_values_are_refused_with_the_nearest_names(values: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        gated().architecture(values)
    assert message in str(caught.value)


def test_a_space_is_a_function_of_the_task() -> None:
    def small(task: SimpleNamespace) -> Net:
        return Net(Leaf(choice(1, 2)), width=task.outputs)

    space = Space(small, SimpleNamespace(outputs=7))  # type: ignore[arg-type]
    assert space.name == "small"
    assert space.sample(0).tree.width == 7
    assert Space(lambda task: choice(1, 2)).name == "space"


def test_sampling_is_uniform_over_each_live_decision() -> None:
    space = Space(choice(a=choice(1, 2, 3), b=0))
    drawn = Counter(space.from_codes(codes).tree for codes in space.sample_codes(np.random.default_rng(0), 12_000))
    expected = {0: 6000, 1: 2000, 2: 2000, 3: 2000}
    # Chi-square with 3 degrees of freedom: 16.3 is the quantile 0.999.
    assert sum((drawn[key] - count) ** 2 / count for key, count in expected.items()) < 16.3


def test_the_same_part_is_the_same_object_in_different_architectures() -> None:
    space = gated()
    values = {"body.count": 1, "body.0": "plain", "body.0=plain.kernel": "3"}
    first, second = (space.architecture(values | {"width": width}).tree for width in (8, 16))
    assert first.body[0] is second.body[0]
    untouched = Leaf(3)
    assert Space((untouched, choice(1, 2))).sample(0).tree[0] is untouched


def test_tied_positions_share_one_resolved_object() -> None:
    tree = Space(repeat(lambda at: Leaf(choice(1, 3)), 3, tied=True)).sample(0).tree
    assert tree[0] is tree[1] is tree[2]


def test_a_space_with_a_real_has_no_size_and_samples_within_bounds() -> None:
    space = Space((real(1e-4, 1e-1, log=True), choice(1, 2)))
    assert space.size is None
    rates = [space.sample(seed).tree[0] for seed in range(200)]
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)
    assert 0.35 < np.mean([rate < 10**-2.5 for rate in rates]) < 0.65
    assert space.architecture({"0": 0.01, "1": 2}).tree[0] == pytest.approx(0.01, rel=1e-5)


def test_a_space_without_decisions_has_one_architecture() -> None:
    space = Space(Net(repeat(Leaf(), 2)))
    assert space.size == 1
    assert [architecture.tree for architecture in space.enumerate()] == [Net((Leaf(), Leaf()))]
    assert space.sample_codes(np.random.default_rng(0), 2) == [(), ()]


def test_a_block_that_refuses_its_fields_is_named_with_its_place() -> None:
    space = Space(Net(Picky(choice(3, 5))))
    with pytest.raises(SpaceError, match=r"body: Picky\(kernel=5\) is refused: five is right out"):
        _ = space.architecture({"body.kernel": 5}).tree


def test_validate_tells_what_is_wrong() -> None:
    space, other = gated(), Space(Net(optional(Leaf())), name="other")
    with pytest.raises(SpaceError, match="no decision 'body'"):
        space.validate(other.sample(0))
    assert other.sample(0) not in space
    assert "text" not in space
    with pytest.raises(SpaceError, match="is of the space 'other', not 'gated'"):
        space.attach(other.sample(0))


def test_numbers_of_numpy_become_numbers_of_python() -> None:
    space = Space((Leaf(choice(*np.arange(8, 25, 8))), integer(np.int64(1), 2), np.float64(0.5)))
    tree = space.architecture({"0.kernel": 16, "1": 2}).tree
    assert tree == (Leaf(16), 2, 0.5)
    assert [type(number) for number in (tree[0].kernel, tree[1], tree[2])] == [int, int, float]


def test_a_function_may_give_a_space() -> None:
    space = Space(lambda task: gated(), name="wrapped")
    assert (space.name, paths(space)) == ("wrapped", paths(gated()))


def test_a_tree_that_is_nested_too_deeply_is_refused() -> None:
    node: object = 1
    for _ in range(2000):
        node = (choice(1, 2), node)
    with pytest.raises(SpaceError, match="the space 'space' is nested too deeply"):
        Space(node)


def test_trees_may_be_a_hundred_levels_deep() -> None:
    node: object = choice(1, 2)
    for _ in range(100):
        node = choice(deeper=(node,), stop=0)
    space = Space(node)
    assert space.size == 2 + 100
    assert len(list(space.enumerate())) == 102
