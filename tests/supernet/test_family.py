"""Families: one training, the best network for each limit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nasturtium.errors import LimitError, RunError
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.roles import SearchBudget
from nasturtium.space import Space
from nasturtium.supernet import Supernet, recalibrate
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.family import Family, specialise, train_family
from nasturtium.supernet.inherited import Inherited, parted
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.sandwich import BigNas
from nasturtium.training import Recipe, predict

RECIPE = Recipe(lr=1e-2, epochs=10, batch_size=16)
TRAINER = BigNas(1, RECIPE, Evolution(population=5, generations=2, top=2, crossovers=2, mutations=2), held=0.3)
LIMITS = (Limits(params=400), Limits(params=900), Limits(params=3000))


def made(space: Space, rows: SearchRows, file: Path | None = None) -> tuple[Supernet, Family]:
    net = Supernet(space, seed=0)
    tuning = Recipe(lr=2e-3, epochs=2, batch_size=16)
    return net, train_family(TRAINER, net, rows, SearchBudget(), LIMITS, seed=1, fine_tune=tuning, checkpoint=file)


@pytest.fixture(scope="module")
def found(path_space: Space, path_rows: SearchRows) -> tuple[Supernet, Family]:
    return made(path_space, path_rows)


def test_every_member_meets_its_limit_and_stands_alone(found: tuple[Supernet, Family], path_rows: SearchRows) -> None:
    net, family = found
    data = parted(path_rows, 0.3, 1, torch.device("cpu"))
    assert data.score_inputs is not None
    for member, limits in zip(family.members, LIMITS, strict=True):
        count = sum(parameter.numel() for parameter in member.network.parameters())
        assert count == member.costs["params"] <= (limits.params or 0)
        outputs = predict(member.network, data.score_inputs)
        assert (outputs.argmax(1) == data.score_targets).mean() == pytest.approx(member.score)
        assert member.score >= member.inherited
        shared = {tensor.data_ptr() for tensor in net.parameters()}
        assert not any(parameter.data_ptr() in shared for parameter in member.network.parameters())
    assert family.trace.method == "bignas"


def test_inherited_scores_are_those_of_the_supernet(found: tuple[Supernet, Family], path_rows: SearchRows) -> None:
    net, family = found
    score = Inherited(net, parted(path_rows, 0.3, 1, torch.device("cpu")), path_rows.task)
    for member in family.members:
        assert score.measure(member.architecture) == member.inherited


def test_what_will_be_trained_on_is_a_large_one_of_the_best_quarter(path_space: Space, path_rows: SearchRows) -> None:
    score = Inherited(
        Supernet(path_space, seed=0), parted(path_rows, 0.3, 1, torch.device("cpu")), path_rows.task, "log-loss"
    )
    costs = CostModel(path_space)
    within = LimitedCandidates(path_space, costs, LIMITS[-1])
    evolution = Evolution(population=12, generations=2, top=4, crossovers=4, mutations=4)
    known: dict[tuple[int, ...], float] = {}
    best = specialise(score, within, evolution, known=known)
    assert known[path_space.codes(best.architecture)] == max(known.values())
    large = specialise(score, within, evolution, stored=known, to_be_tuned=True)
    near = sorted(known, key=lambda codes: -known[codes])[: round(0.25 * len(known))]
    assert large.costs["macs"] == max(costs(path_space.from_codes(codes))["macs"] for codes in near)
    assert large.costs["macs"] > best.costs["macs"]


def test_a_looser_limit_looks_at_new_architectures_beside_the_best_of_tighter_ones(
    path_space: Space, path_rows: SearchRows
) -> None:
    score = Inherited(Supernet(path_space, seed=0), parted(path_rows, 0.3, 1, torch.device("cpu")), path_rows.task)
    costs = CostModel(path_space)
    evolution = Evolution(population=6, generations=1, top=6, crossovers=3, mutations=3)
    known: dict[tuple[int, ...], float] = {}
    specialise(score, LimitedCandidates(path_space, costs, LIMITS[0]), evolution, known=known)
    before = set(known)
    assert len(before) == 6
    specialise(score, LimitedCandidates(path_space, costs, LIMITS[-1]), evolution, known=known, seed=1)
    assert len(known.keys() - before) == 3


def test_a_family_repeats_by_seed_and_from_its_files(
    found: tuple[Supernet, Family], path_space: Space, path_rows: SearchRows, tmp_path: Path
) -> None:
    file = tmp_path / "family.safetensors"
    first, second = made(path_space, path_rows, file)[1], made(path_space, path_rows, file)[1]
    for one, other, known in zip(first.members, second.members, found[1].members, strict=True):
        assert one.architecture == other.architecture == known.architecture
        assert one.score == other.score == known.score


def test_limits_that_nothing_can_meet_are_refused_before_training(path_space: Space, path_rows: SearchRows) -> None:
    with pytest.raises(LimitError, match=r"meets the limit of 20 params: the least possible is \d+"):
        train_family(TRAINER, Supernet(path_space), path_rows, SearchBudget(), (Limits(params=20),))
    with pytest.raises(LimitError, match=r"A family needs at least one limit, such as Limits\(params=20_000\)"):
        train_family(TRAINER, Supernet(path_space), path_rows, SearchBudget(), ())


def test_recalibration_gives_the_statistics_of_the_rows() -> None:
    """Against the mean and the unbiased variance of all rows, in equal batches."""
    draws = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 3, 4, 4, generator=draws) * 3 + 1
    norm = torch.nn.BatchNorm2d(3)
    norm.running_mean.fill_(99)  # type: ignore[union-attr]
    network = torch.nn.Sequential(norm, torch.nn.Dropout(0.5)).eval()
    recalibrate(network, inputs, batch=16)
    batches = inputs.split(16)
    torch.testing.assert_close(norm.running_mean, torch.stack([b.mean((0, 2, 3)) for b in batches]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([b.var((0, 2, 3)) for b in batches]).mean(0))
    assert norm.momentum == 0.1
    assert not any(module.training for module in network.modules())


def test_recalibration_needs_two_rows_and_leaves_other_norms_alone() -> None:
    with pytest.raises(RunError, match="needs at least 2 training rows, and there are 1"):
        recalibrate(torch.nn.BatchNorm1d(2), torch.zeros(1, 2))
    network = torch.nn.LayerNorm(2)
    recalibrate(network, torch.zeros(0, 2))
    assert np.isfinite(network.weight.detach().numpy()).all()
