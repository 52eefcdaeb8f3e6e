"""The public function: what it takes, what it refuses, and what it leaves alone."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.blocks import ConvBN, Dense, Embed, Head, MBConv, NB201Cell, build, counted, sequence, stage
from nasturtium.data import load, prepare, profile, split
from nasturtium.errors import RunError
from nasturtium.proxies import GROUPS, PROXIES, Batch, log_rank_aggregate, measure, ranks
from nasturtium.space import Space
from nasturtium.task import Signal, Task
from nasturtium.zoo.nasbench201 import network as nb201

IMAGES = Task("classification", Signal("image", (3, 8, 8)), 4, "accuracy")


def batch(task=IMAGES, rows=6, seed=0) -> Batch:
    def draw():
        inputs = torch.randn(rows, *task.input.tensor_shape)
        for place, cardinality in enumerate(task.input.cardinalities):
            inputs[:, task.input.shape[0] + place] = torch.randint(0, cardinality, (rows,)).float()
        if task.kind == "classification":
            return inputs, torch.arange(rows) % task.outputs
        labels = torch.rand(rows, task.outputs)
        return inputs, labels.round() if task.kind == "multi-label" else labels

    torch.manual_seed(seed)
    return Batch(*draw(), task, Batch(*draw(), task))


def expression():
    body = stage(MBConv(expand=2, se=True), 8, 2, 2)
    return Space(sequence(stem=ConvBN(4), body=body, head=Head(IMAGES, dropout=0.5))).sample(0).tree.lower(IMAGES.input)


def network():
    return build(expression(), IMAGES.input, seed=0)


@pytest.mark.parametrize("training", [True, False])
def test_the_network_comes_out_as_it_went_in(training):
    given, rows = network().train(training), batch()
    next(given.parameters()).requires_grad_(False)
    before, state = copy.deepcopy(given.state_dict()), torch.random.get_rng_state()
    found = measure(given, rows)
    assert set(found) == set(PROXIES)
    assert all(torch.equal(value, before[name]) for name, value in given.state_dict().items())
    assert all(module.training == training for module in given.modules())
    assert all(parameter.grad is None for parameter in given.parameters())
    assert [p.requires_grad for p in given.parameters()].count(False) == 1
    assert all(not module._forward_hooks for module in given.modules())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_same_seed_gives_the_same_scores_and_names_may_be_groups():
    given, rows = network(), batch()
    assert measure(given, rows, seed=3) == measure(given, rows, seed=3)
    assert list(measure(given, rows, ["NASWOT", "az-nas", "nwot"])) == ["nwot", *GROUPS["az_nas"]]
    assert measure(given, rows, ["zen"], seed=3) != measure(given, rows, ["zen"], seed=4)


def test_activations_in_place_change_nothing():
    plain, in_place = (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(flag), nn.Flatten(), nn.Linear(144, 4))
        for flag in (False, True)
    )
    in_place.load_state_dict(plain.state_dict())
    assert measure(in_place, batch()) == measure(plain, batch())


def test_params_and_macs_are_those_that_are_counted():
    tree = (
        Space(sequence(stem=ConvBN(4), body=stage(MBConv(expand=2, se=True), 8, 2, 2), head=Head(IMAGES)))
        .sample(0)
        .tree
    )
    counts = counted(tree.lower(IMAGES.input), IMAGES.input)
    found = measure(build(tree.lower(IMAGES.input), IMAGES.input), batch(), ["params", "macs"])
    assert found == {"params": counts.params, "macs": counts.macs}


@pytest.mark.parametrize(
    ("kind", "signal"),
    [
        ("regression", Signal("table", (3,), (4, 1, 2))),
        ("multi-label", Signal("vector", (5,))),
        ("classification", Signal("sequence", (2, 15))),
    ],
)
def test_every_kind_of_task_and_input_is_measured(kind, signal):
    task = Task(kind, signal, 3, "accuracy")
    if signal.rank:
        tree = sequence(stem=ConvBN(4), body=stage(ConvBN(kernel=5), 6, 2, 2), head=Head(task))
    else:
        tree = sequence(
            embed=Embed(numbers=4), body=stage(Dense(activation="gelu", norm="layer"), 40, 2), head=Head(task)
        )
    given = build(Space(tree).sample(0).tree.lower(signal), signal, seed=0)
    found = measure(given, batch(task, rows=8))
    assert ("epe_nas" in found) == (kind == "classification")
    assert all(math.isfinite(value) for value in found.values()), {
        k: v for k, v in found.items() if not math.isfinite(v)
    }


def test_cells_without_a_path_get_scores_that_rank_last():
    cells = [("nor_conv_3x3",) * 3 + ("none",) * 3, ("nor_conv_3x3",) * 6]
    exprs = [nb201(IMAGES, NB201Cell(operations, prune=False), 4, 1).lower(IMAGES.input) for operations in cells]
    scores = [measure(build(expr, IMAGES.input, seed=0), batch()) for expr in exprs]
    for name in ("jacov", "epe_nas", "nwot", "zen", "expressivity", "snip", "grad_norm"):
        assert ranks(np.array([score[name] for score in scores])).tolist() == [0.5, 1.0], name


def test_errors_say_what_to_do():
    regression = Task("regression", Signal("vector", (5,)), 1, "rmse")
    linear = nn.Linear(5, 1)
    with pytest.raises(RunError, match=r"no proxy 'sinflow'. Did you mean 'synflow'\?"):
        measure(linear, batch(regression), ["sinflow"])
    with pytest.raises(RunError, match=r"epe_nas .* needs a classification task, not regression. Leave it out"):
        measure(linear, batch(regression), ["epe_nas"])
    with pytest.raises(RunError, match="zico compares the gradients of two batches: give Batch"):
        measure(linear, batch(regression).second, ["zico"])
    assert {"epe_nas", "zico"}.isdisjoint(measure(linear, batch(regression).second))
    with pytest.raises(RunError, match="at least 2 rows, but this one has 1"):
        Batch(torch.zeros(1, 5), torch.zeros(1, 1), regression)
    with pytest.raises(RunError, match="3 rows and 2 targets"):
        Batch(torch.zeros(3, 5), torch.zeros(2, 1), regression)
    with pytest.raises(RunError, match=r"shape \(5,\), but those of the batch have \(4,\)"):
        Batch(torch.zeros(3, 4), torch.zeros(3, 1), regression)


def test_a_batch_is_drawn_from_the_train_rows_standardised(tmp_path):
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(5.0, 3.0, (200, 4)), rng.normal(100.0, 20.0, 200)
    raw = load((inputs, targets))
    parts = split(raw, 0)
    profile(raw, parts)
    development, _ = prepare(raw, parts)
    drawn = Batch.draw(development, rows=48, seed=1)
    assert len(drawn) == len(drawn.second) == 48
    both = torch.cat([drawn.inputs, drawn.second.inputs])
    assert len(both.unique(dim=0)) == 96
    assert both.mean().abs() < 0.2
    assert 0.8 < both.std() < 1.2
    assert torch.equal(Batch.draw(development, rows=48, seed=1).inputs, drawn.inputs)
    assert not torch.equal(Batch.draw(development, rows=48, seed=2).inputs, drawn.inputs)
    assert len(Batch.draw(development, rows=10_000)) == len(development.fold("search")[0]) // 2


def test_ranks_are_joined_by_their_logarithms():
    joined = log_rank_aggregate({"snip": np.array([1.0, 3.0, 2.0]), "jacov": np.array([5.0, 5.0, math.nan])})
    assert joined == pytest.approx(
        [math.log(1 / 3) + math.log(2.5 / 3), math.log(2.5 / 3), math.log(2 / 3) + math.log(1 / 3)]
    )
    # `plain` is better when it is less.
    assert log_rank_aggregate({"plain": np.array([1.0, 2.0])}) == pytest.approx([0.0, math.log(1 / 2)])
    assert ranks(np.array([math.nan, -1.0]), higher_is_better=False) == pytest.approx([0.5, 1.0])


def test_ranks_of_nothing_and_of_unequal_numbers_are_refused():
    with pytest.raises(RunError, match="give the scores of one at least"):
        log_rank_aggregate({})
    with pytest.raises(RunError, match=r"the numbers of scores are \{'snip': 2, 'jacov': 1\}"):
        log_rank_aggregate({"snip": np.zeros(2), "jacov": np.zeros(1)})
