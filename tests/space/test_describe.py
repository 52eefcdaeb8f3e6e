"""The text of a space."""

from dataclasses import dataclass

import pytest

from nasturtium.space import Open, Space, choice, integer, optional, repeat
from nasturtium.space.describe import lasted


@dataclass(frozen=True)
class Conv:
    kernel: Open[int] = 3
    act: Open[str] = "relu"


@dataclass(frozen=True)
class Stage:
    body: object
    width: Open[int]
    stride: int = 2


def test_the_text_of_a_space_is_pinned() -> None:
    width = choice(8, 16)
    block = lambda at: choice(plain=Conv(choice(1, 3)), wide=Conv(5), none=None)  # noqa: E731
    space = Space(
        (Stage(repeat(block, integer(1, 4)), width), Stage(repeat(Conv(choice(3, 5)), 2), width)), name="demo"
    )
    assert space.lines() == [
        "demo: 11 decisions, 1,360 architectures",
        "0: Stage stride=2",
        "  body: 1 … 4 times",
        "    0: plain | wide | none",
        "      =plain: Conv act=relu",
        "        kernel: 1 | 3",
        "      =wide: Conv(kernel=5, act=relu)",
        "    1 … 3: like 0, decisions of its own",
        "  width: 8 | 16",
        "1: Stage stride=2",
        "  body: 2 times",
        "    0: Conv act=relu",
        "      kernel: 3 | 5",
        "    1: like 0, the same decisions",
        "  width: tied to 0.width",
    ]


def test_long_lists_of_options_are_wrapped() -> None:
    lines = Space(Conv(choice(*range(100))), name="long").lines(width=60)
    assert max(len(line) for line in lines) <= 60
    assert lines[2].startswith("  kernel: 0 | 1 | 2")
    assert lines[3].startswith("      ")


def test_endless_and_huge_sizes_are_said_in_short() -> None:
    assert (
        Space(tuple(choice(1, 2) for _ in range(2000))).lines()[0] == "space: 2000 decisions, 1.15e+602 architectures"
    )
    assert repr(Space(optional(Conv()), name="small")) == "<Space small: 1 decision, 2 architectures>"


@pytest.mark.parametrize(
    ("passes", "text"),
    [
        (0.0, "less than a tenth of an epoch"),
        (0.1, "0.1 epochs"),
        (1.0, "1 epoch"),
        (1.5, "1.5 epochs"),
        (50, "50 epochs"),
    ],
)
def test_how_long_a_training_lasted(passes: float, text: str) -> None:
    assert lasted(passes) == text
