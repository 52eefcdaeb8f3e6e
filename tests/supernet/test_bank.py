"""The shared tensors: large enough for all that can be reached, no larger, and cut where a cut has a meaning."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nasturtium.blocks import (
    Block,
    Call,
    Concat,
    ConvBN,
    Dense,
    DenseResidual,
    Embed,
    Expr,
    Head,
    MBConv,
    Primitive,
    Residual,
    counted,
    sequence,
    stage,
)
from nasturtium.blocks.expr import seq
from nasturtium.blocks.primitives import Conv, Flatten
from nasturtium.space import Open, Space, choice, integer, optional, register
from nasturtium.supernet import Supernet
from nasturtium.task import Signal, Task
from nasturtium.zoo import conv_macro

IMAGE = Task("classification", Signal("image", (2, 8, 8)), 3, "accuracy")
TABLE = Task("classification", Signal("table", (2,), (20, 3)), 3, "accuracy")


def space(*blocks: object, task: Task = IMAGE, **named: object) -> Space:
    return Space(sequence(*blocks, **named), task, "tested")


def small() -> Space:
    """Ties, options, depths, strides, projections, resolutions: all in one, and few enough to go through."""
    width = choice(4, 6)
    body = stage(
        lambda at: choice(mb=MBConv(expand=choice(1, 2)), res=Residual(kernel=choice(3, 5))) if at else Residual(),
        width,
        integer(1, 2),
        choice(1, 2),
    )
    tail = optional(stage(ConvBN(kernel=choice(1, 3)), width))
    return space(stem=ConvBN(choice(3, 5)), body=body, tail=tail, head=Head(IMAGE, pool=choice("avg", "flatten")))


def test_every_architecture_of_a_small_space_is_held_and_nothing_more() -> None:
    every = list(small().enumerate())
    supernet = Supernet(small())
    reached: dict[str, Tensor] = {name: torch.zeros(p.shape, dtype=torch.bool) for name, p in tensors(supernet)}
    for architecture in every:
        network = supernet.extract(architecture)
        for step, unit in supernet.route(architecture):
            for name, cut in unit.cuts.items():
                value = network.get_parameter(f"{step.module}.{name}")
                assert value.shape == supernet.bank.take(cut).shape
                for part in cut.parts:
                    reached[part.name][part.window or ...] = True
        needed = {f"{step.module}.{name}" for step, unit in supernet.route(architecture) for name in unit.cuts}
        assert needed == {name for name, _ in network.named_parameters()}
    assert len(every) > 200
    for name, mask in reached.items():
        for axis in range(mask.ndim):
            others = [other for other in range(mask.ndim) if other != axis]
            assert bool(mask.amax(others).all()) if others else bool(mask.all()), f"{name} is longer than it need be"


def tensors(supernet: Supernet) -> list[tuple[str, nn.Parameter]]:
    return list(supernet.bank.named_parameters())


def test_two_hundred_samples_of_the_macro_space_are_activated_and_extracted() -> None:
    macro = conv_macro(IMAGE, max_params=2e4)
    supernet, x, x0 = Supernet(macro), torch.randn(2, 2, 8, 8), IMAGE.input
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for codes in macro.sample_codes(rng, 200):
            architecture = macro.from_codes(codes)
            assert supernet.path(x, architecture).shape == (2, 3)
            network = supernet.extract(architecture)
            assert sum(p.numel() for p in network.parameters()) == counted(architecture.tree.lower(x0), x0).params


def test_channels_lead_and_kernels_are_centred() -> None:
    tested = space(stem=ConvBN(choice(4, 8), kernel=choice(3, 5)), two=ConvBN(6), head=Head(IMAGE))
    supernet = Supernet(tested)
    network = supernet.extract(tested.architecture({"blocks.stem.width": 4, "blocks.stem.kernel": 3}))
    assert torch.equal(network.get_parameter("stem.conv.weight"), supernet.bank["stem.conv.weight"][:4, :, 1:4, 1:4])
    assert torch.equal(network.get_parameter("two.conv.weight"), supernet.bank["two.conv.weight"][:, :4])
    assert torch.equal(network.get_parameter("stem.norm.weight"), supernet.bank["stem.norm.weight"][:4])


def test_categorical_scalars_share_weights_and_squeeze_excitation_adds_its_own() -> None:
    block = MBConv(width=4, se=choice(False, True), activation=choice("relu", "silu"), norm=choice("batch", "group"))
    tested = space(block=block, head=Head(IMAGE))
    supernet = Supernet(tested)
    units = [[unit for _, unit in supernet.route(architecture)] for architecture in tested.enumerate()]
    used = [{cut.parts[0].name for unit in those for cut in unit.cuts.values()} for those in units]
    assert len(used) == 8
    assert len(set(map(frozenset, used))) == 2
    assert {name.rpartition(".")[0] for name in set.union(*used) - set.intersection(*used)} == {
        "block.se.body.reduce",
        "block.se.body.expand",
    }


def test_columns_of_embedded_categories_stay_with_their_category() -> None:
    tested = space(embed=Embed(categories=choice(2, 4)), body=Dense(width=5), head=Head(TABLE), task=TABLE)
    supernet = Supernet(tested)
    narrow = supernet.extract(tested.architecture({"blocks.embed.categories": 2}))
    wide = supernet.extract(tested.architecture({"blocks.embed.categories": 4}))
    # Two numbers, then a vector for 20 categories (2 or 4 wide), then one for 3 (never wider than 2).
    assert wide.get_parameter("body.linear.weight").shape == (5, 2 + 4 + 2)
    kept = wide.get_parameter("body.linear.weight")[:, [0, 1, 2, 3, 6, 7]]
    assert torch.equal(narrow.get_parameter("body.linear.weight"), kept)
    for at, width in enumerate((2, 2)):
        table = f"embed.categories.tables.{at}.weight"
        assert torch.equal(narrow.get_parameter(table), wide.get_parameter(table)[:, :width])


def test_features_of_embedded_numbers_stay_with_their_number() -> None:
    tested = space(embed=Embed(numbers=choice(2, 4)), body=Dense(width=5), head=Head(TABLE), task=TABLE)
    supernet = Supernet(tested)
    narrow, wide = (supernet.extract(a) for a in tested.enumerate())
    weight = wide.get_parameter("body.linear.weight")
    kept = weight[:, [0, 1, 4, 5, *range(8, weight.shape[1])]]
    assert torch.equal(narrow.get_parameter("body.linear.weight"), kept)


def test_positions_of_a_flattened_image_have_weights_of_their_own() -> None:
    tested = space(stem=ConvBN(choice(4, 6), stride=choice(1, 2)), head=Head(IMAGE, pool=choice("avg", "flatten")))
    supernet = Supernet(tested)
    shapes = {name: tuple(p.shape) for name, p in tensors(supernet) if name.startswith("head")}
    assert shapes == {
        "head.linear.weight": (3, 6),
        "head.linear.weight@8x8~1-3": (3, 6, 8, 8),
        "head.linear.weight@4x4~1-3": (3, 6, 4, 4),
        "head.linear.bias": (3,),
    }
    flat = {"blocks.head.pool": "flatten", "blocks.stem.stride": 2}
    narrow, wide = (
        supernet.extract(tested.architecture(flat | {"blocks.stem.width": w})).get_parameter("head.linear.weight")
        for w in (4, 6)
    )
    assert torch.equal(narrow, wide.reshape(3, 6, 16)[:, :4].reshape(3, 64))


@register
@dataclass(frozen=True)
class Grouped(Block):
    """A convolution in two groups between plain ones."""

    width: Open[int]

    def lower(self, x: Signal) -> Expr:
        return seq(("before", Conv(self.width, 1)), ("grouped", Conv(self.width, 3, groups=2)))


def test_groups_of_a_convolution_are_cut_one_by_one() -> None:
    tested = space(block=Grouped(choice(4, 8)), head=Head(IMAGE))
    supernet = Supernet(tested)
    narrow, wide = (supernet.extract(a).get_parameter("block.grouped.weight") for a in tested.enumerate())
    assert narrow.shape == (4, 2, 3, 3)
    assert torch.equal(narrow, torch.cat([wide[:2, :2], wide[4:6, :2]]))


class PackedModule(nn.Module):
    """Three heads-wise projections in one matrix, as attention has them."""

    def __init__(self, features: int, heads: int, dim: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(features, 3 * heads * dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, dim=1)
        y: Tensor = q * k + v
        return y


@dataclass(frozen=True)
class Packed(Primitive):
    heads: int
    dim: int = 2

    def out(self, x: Signal) -> Signal:
        return Signal("vector", (self.heads * self.dim,))

    def call(self, x: Signal) -> Call:
        return Call(PackedModule, (x.size, self.heads, self.dim))

    def params(self, x: Signal) -> int:
        return 3 * self.heads * self.dim * (x.size + 1)

    def packed(self, x: Signal) -> Mapping[str, tuple[tuple[int, ...], ...]]:
        rows = (3, self.heads, self.dim)
        return {"qkv.weight": (rows, (x.size,)), "qkv.bias": (rows,)}


@register
@dataclass(frozen=True)
class Attending(Block):
    heads: Open[int]

    def lower(self, x: Signal) -> Expr:
        return seq(("flat", Flatten()), ("attend", Packed(self.heads)))


def test_a_packed_projection_is_cut_head_by_head() -> None:
    tested = space(block=Attending(choice(1, 3)), head=Head(IMAGE))
    supernet = Supernet(tested)
    narrow, wide = (supernet.extract(a).get_parameter("block.attend.qkv.weight") for a in tested.enumerate())
    assert torch.equal(narrow, wide.reshape(3, 3, 2, -1)[:, :1].reshape(6, -1))
    one, two = (supernet.extract(a).get_parameter("block.attend.qkv.bias") for a in tested.enumerate())
    assert torch.equal(one, two.reshape(3, 3, 2)[:, :1].flatten())


@register
@dataclass(frozen=True)
class Dense2(Block):
    """A concatenation of what arrives and something of open width, as in DenseNet."""

    growth: Open[int]

    def lower(self, x: Signal) -> Expr:
        return Concat((("same", seq(("conv", Conv(self.growth, 1)))), ("also", seq(("conv", Conv(3, 1))))))


def test_parts_of_a_concatenation_keep_their_weights() -> None:
    tested = space(block=Dense2(choice(2, 4)), after=ConvBN(5), head=Head(IMAGE))
    supernet = Supernet(tested)
    narrow, wide = (supernet.extract(a).get_parameter("after.conv.weight") for a in tested.enumerate())
    assert torch.equal(narrow, wide[:, [0, 1, 4, 5, 6]])


def test_tied_blocks_have_weights_at_each_of_their_places() -> None:
    tested = space(embed=Embed(), body=stage(DenseResidual(expand=choice(1, 2)), 4, 2), head=Head(TABLE), task=TABLE)
    names = {name for name, _ in tensors(Supernet(tested)) if name.endswith("first.weight")}
    assert names == {f"body.{place}.branches.body.first.weight" for place in (0, 1)}


def test_a_tensor_that_no_one_primitive_spans_is_drawn_from_the_values_of_the_largest() -> None:
    """Columns from one option, rows from another."""
    tested = space(
        embed=Embed(),
        one=choice(a=sequence(x=Dense(width=2)), b=sequence(x=Dense(width=9))),
        two=Dense(width=choice(3, 4)),
        head=Head(TABLE),
        task=TABLE,
    )
    weight = Supernet(tested).bank["two.linear.weight"].detach()
    assert weight.shape == (4, 9)
    # torch's own initial values of a linear layer of 9 inputs
    assert float(weight.abs().max()) <= 1 / 3
    assert float(weight.abs().max()) > 0.8 / 3


def test_initial_weights_depend_on_the_seed_alone() -> None:
    code = (
        "import hashlib, sys; sys.path.insert(0, 'tests/supernet'); import test_bank as t\n"
        "s = t.Supernet(t.small(), seed=3)\n"
        "text = ''.join(f'{n}{p.tolist()}' for n, p in s.state_dict().items())\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    one, other = (dict(Supernet(small(), seed=seed).state_dict()) for seed in (0, 1))
    assert not torch.equal(one["bank.stem.conv.weight"], other["bank.stem.conv.weight"])
