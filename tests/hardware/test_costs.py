"""Counted costs: the fold against torch's own counters, and bounds against brute force."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.blocks import (
    Block,
    ConvBN,
    Dense,
    Downsample,
    Head,
    MBConv,
    Plain,
    Residual,
    Sequence,
    construct,
    counted,
    sequence,
    stage,
)
from nasturtium.errors import SpaceError
from nasturtium.hardware import COUNTED, CostModel, Limits, block_costs
from nasturtium.space import Open, Space, choice, integer, optional, register, registered
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro, darts, ft_transformer, hybrid, mlp, nasbench201, nasnet, tabular, vit

IMAGE = Task("classification", Signal("image", (1, 8, 8)), 3, "accuracy")
SERIES = Task("classification", Signal("sequence", (2, 40)), 3, "accuracy")
TABLE = Task("classification", Signal("table", (4,), (3, 9)), 3, "accuracy")
VECTOR = Task("classification", Signal("vector", (6,)), 3, "accuracy")


READY = {
    "conv-macro image": lambda: conv_macro(IMAGE),
    "conv-macro large image": lambda: conv_macro(Task("classification", Signal("image", (3, 64, 64)), 5, "accuracy")),
    "conv-macro sequence": lambda: conv_macro(SERIES),
    "nasbench201": lambda: nasbench201(IMAGE, width=4, cells=2),
    "nasbench201 unpruned": lambda: nasbench201(IMAGE, width=4, cells=2, prune=False),
    "darts": lambda: darts(IMAGE, width=4, cells=4),
    "nasnet": lambda: nasnet(IMAGE, width=4, cells=4),
    "vit": lambda: vit(IMAGE),
    "vit sequence": lambda: vit(SERIES),
    "hybrid": lambda: hybrid(IMAGE),
    "hybrid sequence": lambda: hybrid(SERIES),
    "ft-transformer": lambda: ft_transformer(TABLE),
    "tabular": lambda: tabular(TABLE),
    "mlp": lambda: mlp(VECTOR),
}


@pytest.mark.parametrize("name", READY)
def test_the_fold_equals_torchs_counters_on_random_architectures(name: str) -> None:
    space = READY[name]()
    model, x = CostModel(space), space.task.input
    for seed in range(12):
        architecture = space.sample(seed)
        costs = model(architecture)
        with torch.device("meta"):
            network = construct(architecture.tree.lower(x).call(x)).eval()
        rows = torch.zeros(2, *x.tensor_shape, device="meta")
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(rows)
        assert costs["params"] == sum(p.numel() for p in network.parameters())
        assert costs["macs"] == counter.get_total_flops() / 4  # two rows, two operations each
        expr = architecture.tree.lower(x)
        whole = counted(expr, x)
        assert (costs["activations"], costs["memory"]) == (whole.activations, whole.memory)
        assert costs == block_costs(architecture.tree, x)


def test_dropping_the_memo_changes_nothing() -> None:
    space = conv_macro(IMAGE)
    warm = CostModel(space)
    for row in space.sample_codes(np.random.default_rng(0), 200):
        warm.of_codes(row)
    for row in space.sample_codes(np.random.default_rng(1), 50):
        assert warm.of_codes(row) == CostModel(space).of_codes(row)


def free_and_tied() -> Space:
    """Everything that the recursion over bounds has to get right, in a space small enough to enumerate."""
    kernel = choice(1, 3)
    width = choice(2, 5)

    def block(position: int) -> object:
        plain = Plain(kernel=kernel, se=choice(False, True))
        return optional(choice(a=plain, b=MBConv(expand=choice(1, 2))))

    return Space(
        sequence(
            stem=ConvBN(width, kernel, choice(1, 2)),
            pool=optional(Downsample()),
            first=stage(block, width, integer(0, 2), choice(1, 2)),
            last=stage(Residual(), choice(3, 4), 1, 2),
            head=Head(IMAGE, pool=choice("avg", "flatten")),
        ),
        IMAGE,
    )


def branching() -> Space:
    shared = choice(3, 7)
    deep = sequence(one=Dense(shared), two=Dense(choice(2, 9)), head=Head(VECTOR))
    wide = sequence(body=stage(lambda i: Dense(norm=choice("none", "batch")), shared, integer(1, 3)), head=Head(VECTOR))
    return Space(choice(deep=deep, wide=wide), VECTOR)


def tied_stage() -> Space:
    block = choice(
        res=Residual(kernel=choice(1, 3), norm=choice("batch", "group")), plain=Plain(skip=choice(False, True))
    )
    return Space(sequence(body=stage(block, choice(2, 3, 4), integer(1, 3), choice(1, 2)), head=Head(IMAGE)), IMAGE)


def unbuildable_in_parts() -> Space:
    """Pooling an 8x8 image to nothing, and flattening: some of it cannot be built."""
    tiny = Task("classification", Signal("image", (1, 2, 2)), 2, "accuracy")
    return Space(
        sequence(stem=ConvBN(choice(2, 3), choice(3, 5)), second=_Valid(choice(1, 2, 3)), head=Head(tiny)), tiny
    )


@register
@dataclass(frozen=True)
class _Valid(Block):
    """Pooling without padding, which does not fit small inputs."""

    kernel: Open[int]

    def lower(self, x: Signal):  # type: ignore[no-untyped-def]
        from nasturtium.blocks.expr import seq
        from nasturtium.blocks.primitives import Pool

        return seq(("pool", Pool("avg", self.kernel, 1, 0)))


@pytest.mark.parametrize("make", [free_and_tied, branching, tied_stage, unbuildable_in_parts])
def test_bounds_equal_brute_force(make) -> None:  # type: ignore[no-untyped-def]
    space = make()
    model = CostModel(space)
    found: list[dict[str, int]] = []
    rows = [space.codes(architecture) for architecture in space.enumerate()]
    for row in rows:
        try:
            found.append(CostModel.of_codes(model, row))
        except SpaceError:
            continue
    assert 0 < len(found) <= len(rows)
    bounds = model.bounds()
    assert bounds is not None
    assert bounds.exact
    for name in COUNTED:
        assert bounds.low[name] == min(one[name] for one in found), name
        assert bounds.high[name] == max(one[name] for one in found), name


def test_conditional_bounds_equal_brute_force() -> None:
    space = free_and_tied()
    model = CostModel(space)
    all_costs = [(space.codes(a), model(a)) for a in space.enumerate()]
    for named in space.decisions:
        for code in range(named.decision.size):
            mine = [costs for codes, costs in all_costs if codes[named.index] in (code, -1)]
            bounds = model.bounds({named.index: code}, ("params", "macs"))
            assert bounds is not None
            assert bounds.low["params"] == min(costs["params"] for costs in mine)
            assert bounds.high["macs"] == max(costs["macs"] for costs in mine)


def test_bounds_hold_for_every_sample_of_a_large_space() -> None:
    space = conv_macro(Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy"))
    model = CostModel(space)
    bounds = model.bounds(names=("params", "memory"))
    assert bounds is not None
    assert bounds.exact
    for row in space.sample_codes(np.random.default_rng(0), 300):
        costs = model.of_codes(row)
        for name in ("params", "macs", "activations", "memory"):
            assert bounds.low[name] <= costs[name] <= bounds.high[name]


def test_numbers_with_many_values_give_bounds_that_are_not_called_exact() -> None:
    space = Space(sequence(one=Dense(integer(1, 5000)), head=Head(VECTOR)), VECTOR)
    bounds = CostModel(space).bounds(names=("params",))
    assert bounds is not None
    assert not bounds.exact
    assert bounds.low["params"] == 6 + 1 + 2 + 3 + 3


@pytest.mark.parametrize("name", sorted(registered()))
def test_fields_declared_costless_bear_on_no_counted_cost(name: str) -> None:
    block = registered()[name]
    options: dict[str, tuple[object, ...]] = {
        "activation": ("relu", "silu", "gelu", "hardswish", "tanh"),
        "norm": ("batch", "group", "layer"),
        "dropout": (0.0, 0.3),
        "attention_dropout": (0.0, 0.3),
        "gate": ("relu/hardsigmoid", "silu/sigmoid"),
    }
    if not (issubclass(block, Block) and block.costless):
        return
    x = Signal("vector", (9,)) if name.startswith("Dense") else Signal("image", (6, 5, 5))
    needed: dict[str, object] = {"outputs": 3} if name.endswith("Head") else {"width": 6} if name != "NormAct" else {}
    needed |= {"heads": 2} if name == "Encoder" else {}
    for extra in ({}, {"se": True}, {"hidden": 4}):
        if not set(extra) <= set(block.__dataclass_fields__):
            continue
        for field in block.costless:
            made = [block(**needed, **extra, **{field: option}) for option in options[field]]
            assert len({counted(one.lower(x), x) for one in made}) == 1, (name, field)


def test_a_decision_that_stands_in_a_costly_field_too_is_not_skipped() -> None:
    norm = choice("none", "batch")  # costs something in Dense, nothing where `_Free` has it
    space = Space(sequence(free=_Free(norm), dense=Dense(4, norm=norm), head=Head(VECTOR)), VECTOR)
    bounds = CostModel(space).bounds(names=("params",))
    assert bounds is not None
    assert bounds.high["params"] - bounds.low["params"] == 8


@register
@dataclass(frozen=True)
class _Free(Block):
    """Does nothing; its only field is declared to cost nothing."""

    costless: ClassVar[tuple[str, ...]] = ("norm",)

    norm: Open[str] = "none"

    def lower(self, x: Signal):  # type: ignore[no-untyped-def]
        from nasturtium.blocks.expr import seq

        return seq()


def test_the_quick_check_agrees_with_the_costs() -> None:
    space = conv_macro(IMAGE)
    model = CostModel(space)
    limits = Limits.parse(params="40k", macs="2M", memory="12KB", size="200KB")
    for row in space.sample_codes(np.random.default_rng(3), 300):
        assert model.meets(row, limits) == (not limits.check(model.of_codes(row)))


def test_spaces_without_task_or_network_are_refused() -> None:
    with pytest.raises(SpaceError, match="cannot be counted: it was made without a task"):
        CostModel(Space(sequence(ConvBN(8)), None))
    with pytest.raises(SpaceError, match="cannot be counted: its root is not a block"):
        CostModel(Space((choice(1, 2), choice(3, 4)), IMAGE))


def test_whole_networks_that_are_leaves_are_counted_as_well() -> None:
    fixed: Sequence = sequence(ConvBN(4), Head(IMAGE))
    space = Space(fixed, IMAGE)
    costs = CostModel(space)(space.sample(0))
    assert costs["params"] == 4 * 9 + 8 + 5 * 3
