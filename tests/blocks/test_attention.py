"""Attention and its surroundings, against torch's own and against sums by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.blocks import ColumnEmbedding, Encoder, PatchEmbedding, TokenHead, build, sequence, stage
from nasturtium.blocks.token_modules import Attention as AttentionModule
from nasturtium.blocks.token_modules import ClassToken, Gated, TableTokens
from nasturtium.blocks.token_primitives import Attention, Patches
from nasturtium.errors import SpaceError
from nasturtium.hardware import block_costs
from nasturtium.space import Space
from nasturtium.task import Signal, Task

IMAGE = Signal("image", (24, 3, 4))
TOKENS = Signal("sequence", (24, 5))


def heads_of(x: torch.Tensor, heads: int) -> list[torch.Tensor]:
    """Queries, keys and values `[N, heads, tokens, features]`."""
    return [part.flatten(2).unflatten(1, (heads, -1)).transpose(2, 3) for part in x.chunk(3, dim=1)]


@pytest.mark.parametrize("signal", [IMAGE, TOKENS], ids=["image", "sequence"])
def test_attention_is_that_of_torch(signal: Signal) -> None:
    x = torch.randn(2, *signal.shape, dtype=torch.float64)
    q, k, v = heads_of(x, 4)
    expected = nn.functional.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(2, 8, *signal.shape[1:])
    torch.testing.assert_close(AttentionModule(4)(x), expected)
    assert Attention(4).out(signal).shape == expected.shape[1:]


def test_an_encoder_is_torchs_transformer_layer() -> None:
    """With one packed projection there and three apart here."""
    ours = build(Encoder(24, heads=3, ratio=2.0).lower(TOKENS), TOKENS, 0).double().eval()
    theirs = nn.TransformerEncoderLayer(24, 3, 48, 0.0, "gelu", batch_first=True, norm_first=True).double().eval()
    given = {name: tensor.squeeze(-1) for name, tensor in ours.state_dict().items()}
    attention, network = "attention.branches.body.", "network.branches.body."
    taken = {}
    for what in ("weight", "bias"):
        parts = [given[f"{attention}qkv.branches.{name}.{what}"] for name in ("query", "key", "value")]
        taken[f"self_attn.in_proj_{what}"] = torch.cat(parts)
        taken[f"self_attn.out_proj.{what}"] = given[f"{attention}out.{what}"]
        taken[f"norm1.{what}"] = given[f"{attention}norm.{what}"]
        for there, here in (("norm2", "norm"), ("linear1", "first"), ("linear2", "second")):
            taken[f"{there}.{what}"] = given[f"{network}{here}.{what}"]
    theirs.load_state_dict(taken)
    x = torch.randn(2, 24, 5, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x.transpose(1, 2)).transpose(1, 2))


def between(table: torch.Tensor, *sides: int) -> torch.Tensor:
    """What a module with this table adds to the scores."""
    module = AttentionModule(len(table), sides)
    module.bias.data = table
    return module._between().detach()


def test_learned_ways_depend_on_the_difference_of_places_alone() -> None:
    found = between(torch.arange(70.0).view(2, 5, 7), 3, 4)
    places = [(row, column) for row in range(3) for column in range(4)]
    numbers: dict[tuple[int, int], float] = {}
    for one, (row, column) in enumerate(places):
        for two, (other_row, other_column) in enumerate(places):
            step = (other_row - row, other_column - column)
            assert numbers.setdefault(step, float(found[0, one, two])) == found[0, one, two]
    assert sorted(numbers.values()) == list(range(35))
    torch.testing.assert_close(found[1], found[0] + 35)


def test_ways_of_smaller_sides_come_first_so_that_they_can_be_sliced() -> None:
    table = torch.randn(1, 7, 9)
    large, small = between(table, 4, 5), between(table[:, :3, :5], 2, 3)
    torch.testing.assert_close(small[0], large.view(4, 5, 4, 5)[:2, :3, :2, :3].reshape(6, 6))


def test_dropout_of_attention_ends_with_training() -> None:
    module, x = AttentionModule(1, dropout=0.5), torch.randn(1, 3, 6)
    assert not torch.equal(module.train()(x), module.eval()(x))
    torch.testing.assert_close(module.eval()(x), AttentionModule(1)(x))


def test_columns_become_tokens_and_a_learned_token_stands_before_them() -> None:
    tokens, first = TableTokens(2, (3, 4), 5), ClassToken(5)
    row = torch.tensor([[0.5, -2.0, 1.0, 3.0]])
    found = first(tokens(row))[0].T
    with torch.no_grad():
        expected = [first.token[:, 0], 0.5 * tokens.weight[:, 0] + tokens.bias[:, 0]]
        expected += [-2.0 * tokens.weight[:, 1] + tokens.bias[:, 1]]
        coded = zip(tokens.tables, (1, 3), strict=True)
        expected += [table.weight[code] + tokens.bias[:, 2 + k] for k, (table, code) in enumerate(coded)]
    torch.testing.assert_close(found, torch.stack(expected))


def test_a_gate_multiplies_the_first_half_by_the_activated_second() -> None:
    x = torch.tensor([[[1.0], [2.0], [-3.0], [4.0]]])
    assert Gated(nn.ReLU())(x).flatten().tolist() == [0.0, 8.0]


def test_the_blocks_make_the_published_vision_transformer() -> None:
    """ViT-B/16 (Dosovitskiy et al. 2021) at 224 x 224 with 1,000 classes: 86,567,656 parameters, 17.6 GMACs."""
    x = Signal("image", (3, 224, 224))
    network = sequence(
        embed=PatchEmbedding(768, 16, token=True),
        body=stage(Encoder(heads=12), 768, 12),
        head=TokenHead(1000, pool="first"),
    )
    task = Task("classification", x, 1000, "accuracy")
    costs = block_costs(Space(network, task).sample(0).tree, x)
    assert costs["params"] == 86_567_656
    assert round(costs["macs"] / 1e9, 1) == 17.6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Encoder(10, heads=4).lower(TOKENS), "A width of 10 does not divide among 4 heads"),
        (
            lambda: Encoder(8).lower(Signal("vector", (8,))),
            r"Encoder needs tokens, but a vector of shape \(8,\) arrives",
        ),
        (lambda: Patches(8, 5).out(IMAGE), r"Patches of side 5 do not fit an input of shape \(24, 3, 4\)"),
        (lambda: Attention(5).out(TOKENS), "24 channels are not queries, keys and values of 5 heads"),
        (lambda: TokenHead(3, pool="frist"), "Unknown pooling 'frist' of tokens. Did you mean 'first'"),
        (lambda: ColumnEmbedding(4).lower(TOKENS).out(TOKENS), "Tokens of columns need a table, but a sequence"),
    ],
)
def test_what_cannot_be_built_is_said(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpaceError, match=message):
        make()


def test_an_encoder_halves_the_sides_and_widens_before_it_attends() -> None:
    expr = Encoder(32, stride=2, heads=2, head_width=4, relative=True, gated=True).lower(IMAGE)
    assert expr.out(IMAGE).shape == (32, 2, 2)
    network = build(expr, IMAGE, 0)
    assert network(torch.zeros(2, *IMAGE.shape)).shape == (2, 32, 2, 2)
    assert np.prod(network.get_parameter("attention.branches.body.attend.bias").shape) == 2 * 3 * 3
