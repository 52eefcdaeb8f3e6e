"""Spaces declared as JSON: the same spaces as in Python, and errors that say where."""

from dataclasses import dataclass
from typing import Any

import pytest

from nasturtium.errors import SpaceError
from nasturtium.space import (
    Open,
    Space,
    choice,
    integer,
    optional,
    real,
    register,
    repeat,
    space_from_json,
    space_to_json,
)
from nasturtium.task import Signal, Task

TASK = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")


@register
@dataclass(frozen=True)
class JsonLeaf:
    kernel: Open[int]
    gate: Open[object] = None

    def __post_init__(self) -> None:
        if self.kernel == 4:
            raise ValueError("even kernels have no centre")


def paths_and_sizes(space: Space) -> list[tuple[str, str]]:
    return [(named.path, named.decision.describe()) for named in space.decisions]


def test_every_kind_of_node_reads_as_it_does_in_python() -> None:
    width = choice(8, 16)
    python = Space(
        (
            JsonLeaf(width),
            choice(small=JsonLeaf(3), large=JsonLeaf(integer(5, 9, 2), gate=optional(real(0.1, 1.0, log=True)))),
            repeat(lambda at: JsonLeaf(choice(1, 3), width), integer(1, 3)),
            repeat(JsonLeaf(choice(1, 3)), 2),
            (10, 3, True, None),
        )
    )
    json: dict[str, Any] = {
        "space": "declared",
        "tree": [
            {"$block": "JsonLeaf", "kernel": {"$define": "width", "$choice": [8, 16]}},
            {
                "$choice": {
                    "small": {"$block": "JsonLeaf", "kernel": 3},
                    "large": {
                        "$block": "JsonLeaf",
                        "kernel": {"$integer": [5, 9, 2]},
                        "gate": {"$optional": {"$real": {"low": 0.1, "high": 1.0, "log": True}}},
                    },
                }
            },
            {
                "$repeat": {
                    "count": {"$integer": {"low": 1, "high": 3}},
                    "of": {"$block": "JsonLeaf", "kernel": {"$choice": [1, 3]}, "gate": {"$ref": "width"}},
                }
            },
            {"$repeat": {"count": 2, "of": {"$block": "JsonLeaf", "kernel": {"$choice": [1, 3]}}, "tied": True}},
            [{"$task": "outputs"}, {"$task": "input.channels"}, True, None],
        ],
    }
    declared = space_from_json(json, TASK)
    assert declared.name == "declared"
    assert paths_and_sizes(declared) == paths_and_sizes(python)
    assert [declared.sample(seed).tree for seed in range(20)] == [python.sample(seed).tree for seed in range(20)]
    again = space_from_json(space_to_json(python), name="again")
    assert [again.sample(seed).tree for seed in range(20)] == [python.sample(seed).tree for seed in range(20)]


def test_definitions_inside_a_repeat_are_made_anew_at_each_position() -> None:
    pair = [{"$define": "k", "$choice": [1, 2, 3]}, {"$ref": "k"}]
    assert space_from_json({"$repeat": {"count": 2, "of": pair}}).size == 9
    assert space_from_json({"$repeat": {"count": 2, "of": pair, "tied": True}}).size == 3


@pytest.mark.parametrize(
    ("json", "message"),
    [
        ({"$blok": "JsonLeaf"}, "tree: unknown tag '$blok'. Did you mean '$block'"),
        ([{"$block": "JsonLaef"}], "tree.0: unknown block 'JsonLaef'. Did you mean 'JsonLeaf'"),
        ({"$block": "JsonLeaf", "kernal": 3}, "tree: JsonLeaf has no field 'kernal'. Did you mean 'kernel'?"),
        ({"$block": "JsonLeaf"}, "tree: JsonLeaf needs the field kernel"),
        ({"$block": "JsonLeaf", "kernel": 4}, "tree: JsonLeaf is refused: even kernels have no centre"),
        ([3, {"$choice": {"a": {"$integer": [5, 1]}}}], "tree.1=a: integer(5, 1): low is above high"),
        ({"$choice": []}, "tree: a choice needs at least one option"),
        ({"$choice": 3}, 'tree: "$choice" takes a list of options'),
        ({"$choice": {"$integer": [1, 2]}}, 'tree: "$choice" takes a list of options'),
        ({"$integer": [1]}, "tree: \"$integer\" needs 'high'"),
        ({"$integer": {"low": 1, "hihg": 3}}, "tree: \"$integer\" has no 'hihg'. Did you mean 'high'?"),
        ({"$real": "x"}, 'tree: "$real" takes an object with low, high, log'),
        ({"$repeat": {"of": 3}}, "tree: \"$repeat\" needs 'count'"),
        ({"$repeat": {"count": 3}}, 'tree: "$repeat" needs "of", one node'),
        ({"$repeat": {"count": 3, "items": [1, 2]}}, 'tree: "$repeat" has 2 items for a count of up to 3'),
        ({"$repeat": {"count": "x", "of": 3}}, "tree: the count of a repeat must be"),
        ({"$ref": "k"}, "tree: nothing is defined as 'k' before this."),
        ([{"$define": "k", "$choice": [1]}, {"$define": "k", "$choice": [1]}], "tree.1: 'k' is defined twice"),
        ({"$task": "output"}, "tree: the task has no value 'output'. Did you mean 'outputs'"),
        ({"a": 1}, 'tree: an object needs "$block" or exactly one of $choice'),
        ({"$choice": [1], "$integer": [1, 2]}, 'tree: an object needs "$block" or exactly one of $choice'),
    ],
)
def test_a_wrong_declaration_is_refused_with_place_and_nearest_name(json: Any, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        space_from_json(json, TASK)
    assert str(caught.value).startswith(message)


def test_a_task_is_needed_where_it_is_asked_for() -> None:
    with pytest.raises(SpaceError, match="the task's 'outputs' is asked for, and no task was given"):
        space_from_json({"$task": "outputs"})
    with pytest.raises(SpaceError, match=r"the space is not JSON: .* at line 2, column"):
        space_from_json('{"tree":\n nope}')


def test_the_json_of_a_space_is_pinned() -> None:
    kernel = choice(3, 5)
    text = space_to_json(
        Space((kernel, repeat(lambda at: JsonLeaf(kernel, choice(a=1, b=2)), integer(1, 2))), name="s")
    )
    assert "".join(text.split()) == (
        '{"space":"s","tree":[{"$define":"0","$choice":[3,5]},{"$repeat":{"count":{"$integer":[1,2]},'
        '"of":{"$block":"JsonLeaf","kernel":{"$ref":"0"},"gate":{"$choice":{"a":1,"b":2}}}}}]}'
    )
