"""Usual networks of the macro space: one kind of block, plain choices, several sizes."""

import pytest

from nasturtium.hardware import CostModel
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro, nasbench201
from nasturtium.zoo.usual import usual


def task(*shape):
    return Task("classification", Signal("image" if len(shape) == 3 else "sequence", shape), 10, "accuracy")


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 64, 64), (6, 128)])
def test_every_usual_network_has_one_kind_of_block_with_plain_choices(shape):
    space = conv_macro(task(*shape), max_params=1e5)
    for (block, _), networks in usual(space).items():
        for network in networks:
            blocks = {value for path, value in network.values.items() if path.rsplit(".", 1)[-1].isdigit()}
            assert blocks == {block}
            assert {v for p, v in network.values.items() if p.endswith(".se")} == {"false"}
            assert {v for p, v in network.values.items() if p.endswith(".norm")} == {"batch"}


def test_wider_and_deeper_ones_cost_more():
    space = conv_macro(task(1, 28, 28), max_params=1e5)
    costs = CostModel(space)
    for networks in usual(space).values():
        macs = [costs(one)["macs"] for one in networks]
        assert macs[0] == min(macs)
        assert macs[-1] == max(macs)
        assert len(networks) > 4


def test_other_spaces_have_none():
    assert usual(nasbench201(task(3, 32, 32))) == {}
