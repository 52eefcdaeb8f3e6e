"""Decisions: keys, values, and errors that say what to mend."""

from dataclasses import dataclass

import pytest

from nasturtium.errors import SpaceError
from nasturtium.space import Open, Repeat, Space, choice, integer, optional, real, repeat
from nasturtium.space.decisions import LEVELS


@dataclass(frozen=True)
class Leaf:
    kernel: Open[int] = 3


def test_plain_options_are_their_own_keys() -> None:
    assert choice(8, 16).keys == ("8", "16")
    assert choice(True, False, None, 0.5, "relu", (3, 5), int).keys == (
        "true",
        "false",
        "none",
        "0.5",
        "relu",
        "3x5",
        "int",
    )
    assert choice(mb=Leaf(3), res=Leaf(5)).keys == ("mb", "res")
    assert choice(Leaf(3), other=Leaf(5)).keys == ("Leaf", "other")
    assert optional(Leaf()).keys == ("off", "on")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: choice(), "a choice needs at least one option"),
        (lambda: choice(1, 1), "two options of choice(1, 1) have the key '1'; name them"),
        (lambda: choice(1, "1"), "have the key '1'"),
        (lambda: choice(Leaf(1), Leaf(2)), "have the key 'Leaf'"),
        (lambda: choice(choice(1, 2)), "option 0 of a choice"),
        (lambda: choice(**{"a.b": Leaf()}), "may not be empty or hold '.' or '='"),
        (lambda: integer(5, 3), "integer(5, 3): low is above high; swap them"),
        (lambda: integer(1, 3, 0), "integer(1, 3, step=0): the step must be at least 1"),
        (lambda: integer(1.5, 3), "must be whole numbers"),  # type: ignore[arg-type]
        (lambda: integer(0, 2**40), "use a larger step or real"),
        (lambda: real(1, 1), "low must be below high"),
        (lambda: real(0, 1, log=True), "a logarithm needs low above 0"),
        (lambda: real(0, float("inf")), "must be finite numbers, and inf is not"),
        (lambda: repeat(Leaf(), "4"), "the count of a repeat must be"),  # type: ignore[arg-type]
        (lambda: repeat(Leaf(), -1), "cannot have -1 items"),
        (lambda: repeat(Leaf(), integer(-2, 3)), "cannot have -2 items"),
        (lambda: repeat([1], 3), "repeat needs a function of the position or a part of a tree"),
    ],
)
def test_a_wrong_decision_is_refused_with_its_mend(make, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpaceError) as caught:
        make()
    assert message in str(caught.value)


def test_integers_count_in_steps_and_know_their_codes() -> None:
    steps = integer(1, 10, 4)
    assert [steps.value(code) for code in range(steps.size)] == [1, 5, 9]
    assert [steps.code(value) for value in (1, 5, 9)] == [0, 1, 2]
    for wrong in (2, 13, 10, True, "5", 5.0):
        with pytest.raises(SpaceError, match="is not one of 1 … 9 step 4"):
            steps.code(wrong)


@pytest.mark.parametrize("node", [real(-1.5, 2.25), real(1e-5, 0.3, log=True)])
def test_reals_keep_their_ends_and_round_trip_through_codes(node) -> None:  # type: ignore[no-untyped-def]
    assert node.value(0) == node.low
    assert node.value(LEVELS - 1) == node.high
    for code in range(0, LEVELS, 9973):
        assert node.code(node.value(code)) == code
    with pytest.raises(SpaceError, match="is not a number from"):
        node.code(node.high * 1.01)


def test_a_logarithmic_real_spends_equal_codes_on_equal_ratios() -> None:
    node = real(0.01, 1.0, log=True)
    assert node.value((LEVELS - 1) // 2) == pytest.approx(0.1, rel=1e-5)


def test_repeat_calls_a_function_at_each_position() -> None:
    fresh = repeat(lambda at: Leaf(choice(at + 1, 9)), 3)
    assert isinstance(fresh, Repeat)
    assert [item.kernel.keys for item in fresh.items] == [("1", "9"), ("2", "9"), ("3", "9")]  # type: ignore[attr-defined]
    tied = repeat(lambda at: Leaf(choice(1, 2)), integer(1, 4), tied=True)
    assert len({id(item) for item in tied.items}) == 1
    assert len({id(item) for item in repeat(Leaf(choice(1, 2)), 4).items}) == 1


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (Leaf([3, 5]), "kernel: a list cannot be part of a space"),  # type: ignore[arg-type]
        (choice(a=Leaf(float("nan"))), "root=a.kernel: nan (float) cannot be part of a space"),  # type: ignore[arg-type]
        ((1, (2, print)), "1.1: <built-in function print> is a function; call it, or give it to repeat"),
    ],
)
def test_what_cannot_be_in_a_tree_is_named_with_its_place(node, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpaceError) as caught:
        Space(node)
    assert message in str(caught.value)


def test_a_dataclass_that_is_not_frozen_is_refused() -> None:
    @dataclass
    class Loose:
        width: int = 3

    with pytest.raises(SpaceError, match="body: the dataclass Loose must be frozen"):
        Space((("body", Loose()),))
