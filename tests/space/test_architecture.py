"""Architectures: immutable, compared by what was decided, small in a pickle, told apart by identity."""

import hashlib
import json
import pickle
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.space import Architecture, Open, Space, choice, integer, mutate, register, repeat
from nasturtium.task import Signal, Task

TASK = Task("regression", Signal("vector", (4,)), 2, "rmse")


@register
@dataclass(frozen=True)
class ArchLeaf:
    kernel: Open[int] = 3
    note: Open[str] = ""


@register
@dataclass(frozen=True)
class ArchNet:
    body: object

    def canonical_form(self, task: Task) -> str:
        return f"{task.outputs} " + " ".join(str(leaf.kernel) for leaf in self.body)  # type: ignore[attr-defined]


def net() -> Space:
    block = lambda at: ArchLeaf(choice(1, 3), choice("a", "b"))  # noqa: E731
    return Space(ArchNet(repeat(block, integer(1, 2))), TASK, "net")


VALUES = {"body.count": 1, "body.0.kernel": "3", "body.0.note": "b"}
TEXT = (
    '{"decisions":{"body.0.kernel":"3","body.0.note":"b","body.count":1},"format":1,"space":"net",'
    '"tree":{"$block":"ArchNet","body":[{"$block":"ArchLeaf","kernel":3,"note":"b"}]}}'
)


def test_the_json_of_an_architecture_is_pinned() -> None:
    # A change here changes stored studies: raise FORMAT and read the old one.
    assert net().architecture(VALUES).to_json() == TEXT


def test_architectures_without_a_canonical_form_are_known_by_their_tree() -> None:
    space = Space(choice(a=ArchLeaf(3), b=ArchLeaf(choice(3, 5))), name="same")
    first, second, third = space.enumerate()
    assert first != second
    assert first.arch_id == second.arch_id != third.arch_id
    text = '{"$block":"ArchLeaf","kernel":3,"note":""}'
    assert first.arch_id == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_a_canonical_form_decides_the_identity() -> None:
    space = net()
    first = space.architecture(VALUES)
    assert first.arch_id == space.architecture(VALUES | {"body.0.note": "a"}).arch_id
    assert first.arch_id != space.architecture(VALUES | {"body.0.kernel": "1"}).arch_id


def test_an_identity_that_needs_the_task_says_so() -> None:
    alone = Architecture.from_json(TEXT)
    with pytest.raises(SpaceError, match="read it with its space, or give the task"):
        _ = alone.arch_id
    assert Architecture.from_json(TEXT, task=TASK).arch_id == net().architecture(VALUES).arch_id


def test_an_architecture_cannot_be_changed() -> None:
    architecture = net().sample(0)
    with pytest.raises(AttributeError):
        architecture.space_name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        architecture.values["body.count"] = 2  # type: ignore[index]


def test_equality_needs_the_name_of_the_space() -> None:
    assert Space(choice(1, 2), name="a").sample(0) != Space(choice(1, 2), name="b").sample(0)
    assert net().sample(0) != "text"


def test_a_pickle_does_not_hold_the_space() -> None:
    wide = Space(tuple(choice(*range(100)) for _ in range(100)), name="wide")
    assert len(pickle.dumps(wide)) > 20_000
    assert len(pickle.dumps(wide.sample(0))) < 3_000
    copy = pickle.loads(pickle.dumps(wide.sample(0)))
    assert copy.space is None
    with pytest.raises(SpaceError, match=r"call space.attach\(architecture\) first"):
        mutate(copy, np.random.default_rng(0))
    assert wide.attach(copy).space is wide


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "has format 2, and this version reads 1"),
        ({"space": "other"}, "is of the space 'other', not 'net'"),
        ({"decisions": {"body.count": 1}}, "decision 'body.0.kernel' of the space 'net' has no value"),
    ],
)
def test_json_of_another_kind_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        net().from_json(json.dumps(json.loads(TEXT) | change))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"$block": "ArchLaef"}, "tree: unknown block 'ArchLaef'. Did you mean 'ArchLeaf'"),
        ({"$block": "ArchLeaf", "kernl": 3}, "tree: ArchLeaf has no field 'kernl'. Did you mean 'kernel'?"),
        ([{"$block": "ArchNet"}], "tree.0: ArchNet needs the field body"),
        ({"$block": "some.module:Thing"}, "is not registered; put @register above its class"),
        ({"kernel": 3}, "tree: an object of a tree needs the key '$block'"),
        ({"$type": "no.such:Thing"}, "the class 'no.such:Thing' is not imported"),
    ],
)
def test_a_tree_that_cannot_be_rebuilt_is_refused_with_its_place(tree: object, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        Architecture.from_json(json.dumps(json.loads(TEXT) | {"tree": tree}))
    assert message in str(caught.value)


def test_text_that_is_not_json_is_refused_with_line_and_column() -> None:
    with pytest.raises(SpaceError, match=r"is not JSON: .* at line 1, column 2"):
        Architecture.from_json("{'a'}")
    with pytest.raises(SpaceError, match="needs the keys"):
        Architecture.from_json("[]")


def test_register_takes_frozen_dataclasses_with_free_names() -> None:
    class Plain:
        pass

    with pytest.raises(SpaceError, match="Plain must be a frozen dataclass: put @register above"):
        register(Plain)
    with pytest.raises(
        SpaceError, match=r"the block name 'ArchLeaf' is used by both .*ArchLeaf and elsewhere.ArchLeaf; rename one"
    ):
        register(dataclass(frozen=True)(type("ArchLeaf", (), {"__module__": "elsewhere"})))


def test_the_room_needs_no_torch() -> None:
    code = "import sys, nasturtium.space; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
