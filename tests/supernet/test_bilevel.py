"""The bilevel loop on a toy supernet: what it learns, its limits, checkpoints, deadlines and failures."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nasturtium.errors import LimitError, RunError
from nasturtium.roles import Derived, SearchBudget, Trace, Wanted
from nasturtium.supernet import _bilevel_run, one_shot
from nasturtium.supernet.beta_darts import beta_darts
from nasturtium.supernet.bilevel import Bilevel, Settings, Stage
from nasturtium.supernet.darts import darts
from nasturtium.supernet.derivation import nearby
from nasturtium.supernet.drnas import drnas
from nasturtium.supernet.eigenvalue import EarlyStop
from nasturtium.supernet.fair_darts import fair_darts
from nasturtium.supernet.gdas import gdas
from nasturtium.supernet.mixtures import Mixture
from nasturtium.supernet.one_shot import Halves, SearchRows
from nasturtium.supernet.pc_darts import pc_darts
from nasturtium.supernet.snas import snas
from nasturtium.task import Signal, Task
from nasturtium.training import load_tensors, read_metadata

TASK = Task("classification", Signal("vector", (6,)), 2, "accuracy", ("a", "b"))
OPTIONS = ("none", "skip_connect", "linear", "wide")
COSTS = torch.tensor([0.0, 0.0, 10.0, 40.0], dtype=torch.float64)
BASE = 5.0
QUICK = {"batch_size": 16, "arch_lr": 0.05}


class Toy(nn.Module):
    """Two edges in a row, each none, a skip, a linear layer or a wide one; a dropout, to see that it is seeded."""

    partial = 1

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.mixtures = tuple(Mixture(f"edge {k}", OPTIONS, "edge") for k in range(2))
        self.space = SimpleNamespace(name="toy", sample=lambda rng: tuple(rng.integers(0, 4, 2).tolist()))
        self.linear = nn.ModuleList([nn.Linear(6, 6) for _ in range(2)])
        self.wide = nn.ModuleList([nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 6)) for _ in range(2)])
        self.head, self.drop = nn.Linear(6, 2), nn.Dropout(0.1)

    def forward(self, x: Tensor, weights: Sequence[Tensor], active: Any = None) -> Tensor:
        for edge in range(2):
            taken = range(4) if active is None else active[edge]
            options = (lambda y: 0 * y, lambda y: y, self.linear[edge], self.wide[edge])
            x = sum(weights[edge][k] * options[k](x) for k in taken)  # type: ignore[assignment]
        return self.head(self.drop(x))

    def derive(self, weights: Sequence[np.ndarray]) -> tuple[int, ...]:
        return tuple(int(np.argmax(mixture)) for mixture in weights)

    def chosen(self, architecture: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        return tuple((option,) for option in architecture)

    def expected(self, cost: str, weights: Sequence[Tensor]) -> Tensor:
        return BASE + sum(mixture.double() @ COSTS for mixture in weights)


def _rows(count: int = 128) -> SearchRows:
    """A circle in a square: linear layers alone do not tell."""
    draws = torch.Generator().manual_seed(7)
    x = torch.randn(count, 6, generator=draws)
    return SearchRows(x, (x.pow(2).sum(1) > 5.3).long(), TASK)


def _search(method: Bilevel, epochs: int = 3, net: Toy | None = None, **options: Any) -> Derived:
    budget = SearchBudget(epochs, options.pop("deadline_s", None))
    quick = method.with_settings(**QUICK | options.pop("settings", {}))
    return quick.train(net or Toy(), options.pop("rows", _rows()), budget, **options)  # type: ignore[arg-type]


def _same(a: Trace, b: Trace) -> bool:
    def plain(trace: Trace) -> str:
        epochs = [(e.train_loss, e.validation_loss, [w.tolist() for w in e.weights]) for e in trace.epochs]
        return json.dumps([epochs, trace.remarks, trace.ended])

    return plain(a) == plain(b)


ALL = [darts(), darts(order=2), gdas(), drnas(), drnas(anchor="kl"), snas(), beta_darts(), fair_darts()]
ALL += [pc_darts(partial=1)]


@pytest.mark.parametrize("method", ALL, ids=lambda method: f"{method.name}-{method.order}")
def test_every_algorithm_learns_weights_and_moves_its_architecture(method: Bilevel) -> None:
    found = _search(method, epochs=8)
    first, last = found.trace.epochs[0], found.trace.epochs[-1]
    assert min(epoch.train_loss for epoch in found.trace.epochs) < first.train_loss
    assert last.entropy < 0.9999
    assert len(found.trace.epochs) == 8
    assert found.trace.ended == "finished"
    assert found.trace.mixtures == (("edge 0", OPTIONS), ("edge 1", OPTIONS))
    assert found.architectures == (tuple(int(np.argmax(w)) for w in last.weights),)


def test_darts_finds_the_option_that_the_data_need() -> None:
    found = _search(darts(), epochs=30, settings={"lr": 0.1})
    assert 3 in found.architectures[0]  # type: ignore[operator]


@pytest.mark.parametrize("method", [gdas(), drnas(), darts(order=2)], ids=lambda method: method.name)
def test_the_same_seed_gives_the_same_search_and_another_one_another(method: Bilevel) -> None:
    a, b, c = _search(method), _search(method), _search(method, seed=1)
    assert _same(a.trace, b.trace)
    assert not _same(a.trace, c.trace)


@pytest.mark.parametrize("method", ALL, ids=lambda method: f"{method.name}-{method.order}")
def test_an_interrupted_search_goes_on_to_the_same_result_to_the_last_bit(method: Bilevel, tmp_path: Path) -> None:
    """It is killed in the middle of an epoch, 2 steps after a checkpoint that was written after every step."""
    whole, file, steps = _search(method), tmp_path / "search.safetensors", 0
    net = Toy()

    def killed(*arguments: Any) -> Tensor:
        nonlocal steps
        steps += 1
        if steps > 13:
            raise KeyboardInterrupt
        return Toy.forward(net, *arguments)

    net.forward = killed  # type: ignore[method-assign]
    often = replace(method, checkpoint_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        _search(often, net=net, checkpoint=file)
    assert json.loads(json.dumps(read_metadata(file)))["position"]["total"] > 0
    resumed = _search(often, checkpoint=file)
    assert _same(whole.trace, resumed.trace)
    assert whole.architectures == resumed.architectures


def test_the_checkpoint_of_another_search_is_refused_with_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "search.safetensors"
    _search(darts(), checkpoint=file)
    with pytest.raises(RunError, match=r"belongs to another search: seed is 0 there and 5 here\. Give it another"):
        _search(darts(), checkpoint=file, seed=5)


def test_a_finished_search_is_not_run_again(tmp_path: Path) -> None:
    file = tmp_path / "search.safetensors"
    first = _search(darts(), checkpoint=file)
    again = _search(darts(), checkpoint=file)
    assert _same(first.trace, again.trace)


def test_a_loss_that_is_no_number_stops_the_search_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    file, net, steps = tmp_path / "search.safetensors", Toy(), 0

    def spoilt(*arguments: Any) -> Tensor:
        nonlocal steps
        steps += 1
        return Toy.forward(net, *arguments) * (torch.nan if steps > 9 else 1.0)

    net.forward = spoilt  # type: ignore[method-assign]
    with pytest.raises(RunError) as caught:
        _search(replace(darts(), checkpoint_s=0.0), net=net, checkpoint=file, seed=3)
    words = str(caught.value)
    assert words.startswith("DARTS diverged at step 5 (epoch 2) with seed 3: an architecture weight is not a number.")
    assert words.endswith(f"The last checkpoint, {file}, is kept.")
    tensors, _ = load_tensors(file)
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())


def test_memory_that_does_not_suffice_halves_the_batch_and_says_so() -> None:
    net = Toy()

    def small(x: Tensor, *arguments: Any) -> Tensor:
        if len(x) > 8:
            raise torch.OutOfMemoryError("too large")
        return Toy.forward(net, x, *arguments)

    net.forward = small  # type: ignore[method-assign]
    found = _search(darts(), net=net)
    assert found.trace.remarks[0].startswith("Memory: a batch of 16 rows did not fit; from step 1 on it is run in 2")
    plain = _search(darts())
    assert found.trace.epochs[0].validation_loss == pytest.approx(plain.trace.epochs[0].validation_loss, rel=0.05)


class _Clock:
    """Each look takes some time."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 0.01
        return self.now


def test_a_deadline_shortens_the_whole_schedule_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(_bilevel_run.time, "monotonic", clock.monotonic)
    pace = _bilevel_run.Pace
    monkeypatch.setattr(_bilevel_run, "Pace", lambda steps, left_s: pace(steps, left_s, clock=clock.monotonic))
    rates: list[float] = []
    learn = _bilevel_run.Steps.learn

    def noted(self: Any, batch: Any, mix: Any, lr: float, name: str) -> Tensor:
        rates.append(lr)
        return learn(self, batch, mix, lr, name)

    monkeypatch.setattr(_bilevel_run.Steps, "learn", noted)
    found = _search(darts(), epochs=1000, deadline_s=1.0)
    assert found.trace.ended == "deadline"
    assert 20 < len(rates) < 110
    assert rates[-1] < 0.1 * rates[0], "the cosine ended"
    assert found.trace.remarks[0].startswith("Deadline: 1 s allowed")
    assert "of 1000 epochs; the whole schedule was shortened to them." in found.trace.remarks[0]


def test_a_report_can_end_the_search_within_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_shot, "PULSE_S", 0.0)
    found = _search(darts(), epochs=10, report=lambda trace: not trace.epochs)
    assert found.trace.ended == "report"
    assert len(found.trace.epochs) == 1
    assert found.trace.share < 0.1


def test_a_report_can_end_the_search() -> None:
    found = _search(darts(), epochs=10, report=lambda trace: len(trace.epochs) == 2)
    assert len(found.trace.epochs) == 2
    assert found.trace.ended == "report"


LIMITED = Wanted(limits={"macs": 30.0})


@pytest.mark.parametrize("method", [darts(), gdas(), drnas()], ids=lambda method: method.name)
def test_the_multiplier_leads_the_search_below_its_limit(method: Bilevel) -> None:
    """Without the limit the wide layer is learnt (45 and more); with it, what is derived at the end meets it."""
    free = _search(method, epochs=30, settings={"lr": 0.1}, seed=1)
    bound = _search(method, epochs=30, settings={"lr": 0.1}, seed=1, wanted=LIMITED)
    assert 3 in free.architectures[0]  # type: ignore[operator]
    assert bound.trace.epochs[-1].derived_costs["macs"] <= 30
    assert bound.trace.epochs[-1].costs["macs"] < free_cost(free)
    assert not [remark for remark in bound.trace.remarks if remark.startswith("Limits")]


def free_cost(found: Derived) -> float:
    weights = [torch.from_numpy(mixture) for mixture in found.trace.epochs[-1].weights]
    return float(Toy().expected("macs", weights))


def test_costs_are_expected_of_shares_even_where_edges_are_weighed_too() -> None:
    """Beta halves the weights of two edges that meet; what a mixed edge costs does not change."""
    net = Toy()
    net.mixtures = tuple(replace(mixture, node="one") for mixture in net.mixtures)
    found = _search(pc_darts(partial=1), epochs=2, net=net, wanted=Wanted(limits={"macs": 1000.0}))
    assert found.trace.epochs[-1].costs["macs"] == pytest.approx(BASE + 2 * float(COSTS.mean()), rel=0.05)
    edges = [float(mixture.sum()) for mixture in found.trace.epochs[-1].weights]
    assert sum(edges) == pytest.approx(1)
    assert max(edges) < 0.7


def test_a_cost_that_cannot_be_counted_is_fitted_from_architectures() -> None:
    def latency(architecture: Any) -> float:
        return 1.0 + sum((0.0, 0.1, 2.0, 7.0)[option] for option in architecture)

    wanted = Wanted({"latency_ms": 5.0}, {"latency_ms": latency})
    found = _search(darts(), epochs=20, settings={"lr": 0.1}, wanted=wanted)
    assert latency(found.architectures[0]) <= 5
    exact = [1 + a + b for a in (0.0, 0.1, 2.0, 7.0) for b in (0.0, 0.1, 2.0, 7.0)]
    assert min(abs(found.trace.epochs[0].derived_costs["latency_ms"] - cost) for cost in exact) < 1e-6


def test_what_was_learnt_and_breaks_a_limit_is_replaced_by_the_most_probable_that_does_not() -> None:
    forbidden: list[Any] = []
    first = _search(darts(), epochs=6).architectures[0]
    weights = _search(darts(), epochs=6).trace.epochs[-1].weights
    forbidden.append(first)
    found = _search(darts(), epochs=6, wanted=Wanted(feasible=lambda a: a not in forbidden, count=3))
    probable = sorted(
        ((a, b) for a in range(4) for b in range(4) if (a, b) != first),
        key=lambda pair: -weights[0][pair[0]] * weights[1][pair[1]],
    )
    assert found.architectures == tuple(probable[:3])
    assert found.trace.remarks[-1].startswith(
        "Limits: the architecture that was learnt does not meet the limits (it is"
    )


def test_a_limit_that_nothing_meets_is_refused_before_anything_is_trained() -> None:
    net = Toy()
    before = net.head.weight.detach().clone()
    with pytest.raises(
        LimitError, match=r"The cheapest architecture found in the space has macs 5, above the limit 4\."
    ):
        _search(darts(), net=net, wanted=Wanted(limits={"macs": 4.0}))
    assert torch.equal(before, net.head.weight)


def test_limits_that_nothing_near_meets_name_what_came_closest() -> None:
    with pytest.raises(LimitError, match=r"None of 16 architectures .*: the least macs is 5, the limit 30\."):
        _search(darts(), wanted=replace(LIMITED, feasible=lambda architecture: False))


def test_architectures_come_in_the_order_of_their_probability_and_none_twice() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.dirichlet(np.ones(size)) for size in (4, 3, 2, 3)]
    found = [tuple(int(np.argmax(part)) for part in settled) for settled in nearby(weights)]
    assert len(found) == len(set(found)) == 72
    probabilities = [np.prod([w[k] for w, k in zip(weights, ranks, strict=True)]) for ranks in found]
    assert all(a >= b - 1e-15 for a, b in pairwise(probabilities))


def test_pruned_options_are_never_derived() -> None:
    found = list(nearby([np.array([0.6, 0.0, 0.4]), np.array([1.0])]))
    assert [int(np.argmax(settled[0])) for settled in found] == [0, 2]


def test_stages_prune_to_the_strongest_and_freeze_the_architecture_first() -> None:
    stages = (Stage(frozen=0.5), Stage(keep=2, frozen=0.5))
    found = _search(drnas(stages=stages), epochs=8)
    epochs = found.trace.epochs
    moved = [not np.array_equal(a.weights[0], b.weights[0]) for a, b in pairwise(epochs)]
    assert [epoch.validation_loss is None for epoch in epochs] == [True, True, False, False] * 2
    assert moved == [False, True, True, True, False, True, True]
    assert [int((epoch.weights[0] > 0).sum()) for epoch in epochs] == [4] * 4 + [2] * 4
    strongest = set(np.argsort(-epochs[3].weights[0])[:2].tolist())
    assert set(np.flatnonzero(epochs[4].weights[0]).tolist()) == strongest


def test_pc_darts_warms_the_weights_up_for_15_epochs_of_50() -> None:
    found = _search(pc_darts(partial=1), epochs=10, settings={"lr": 0.05})
    assert [epoch.validation_loss is None for epoch in found.trace.epochs] == [True] * 3 + [False] * 7


def test_a_supernet_with_another_share_of_channels_is_refused() -> None:
    with pytest.raises(
        RunError, match=r"PC-DARTS begins with 1/4 .* mixes 1/1\. Build it with Supernet\(space, partial=4"
    ):
        _search(pc_darts())


def test_the_eigenvalue_is_measured_after_every_epoch_and_ends_the_search_where_it_grows() -> None:
    rule = EarlyStop(window=1, lag=1, ratio=0.0, start=2)
    found = _search(darts(early_stop=rule), epochs=6)
    assert found.trace.ended == "eigenvalue"
    assert len(found.trace.epochs) == 4
    kept = found.trace.epochs[2]
    assert found.architectures[0] == tuple(int(np.argmax(mixture)) for mixture in kept.weights)
    assert "the architecture is that of epoch 3 (Zela et al. 2020)" in found.trace.remarks[-1]
    watched = _search(darts(early_stop=replace(rule, stop=False)), epochs=6)
    assert len(watched.trace.epochs) == 6
    assert all(epoch.eigenvalue is not None for epoch in watched.trace.epochs)


def test_the_two_parts_of_the_rows_share_none_and_their_batches_follow_from_the_epoch() -> None:
    rows = _rows(100)
    halves = Halves(rows, 10, 0.5, 0, torch.device("cpu"))
    first, again, other = (list(halves.epoch(number)) for number in (0, 0, 1))
    seen = [{tuple(row.tolist()) for pair in first for row in pair[part][0]} for part in (0, 1)]
    assert not seen[0] & seen[1]
    assert len(seen[0] | seen[1]) == 100
    assert all(torch.equal(a[0][0], b[0][0]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0][0][0], other[0][0][0])
    assert torch.equal(next(iter(halves.epoch(0, skip=3)))[1][0], first[3][1][0])


def test_too_few_rows_are_an_error() -> None:
    with pytest.raises(RunError, match="at least 4 training rows, 2 for each part, and there are 3"):
        Halves(_rows(3), 10, 0.5, 0, torch.device("cpu"))


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("train_share", 1.5), ("lr", -0.1)])
def test_settings_that_make_no_sense_are_named(name: str, value: float) -> None:
    with pytest.raises(RunError, match=f"{name}.*not {value}"):
        darts().with_settings(**{name: value})


def test_the_published_settings_are_the_defaults() -> None:
    nb201 = Settings.nasbench201()
    assert (nb201.epochs, nb201.batch_size, nb201.lr, nb201.lr_min, nb201.weight_decay) == (50, 64, 0.025, 0.001, 5e-4)
    assert (darts().settings.weight_decay, darts().settings.arch_betas) == (3e-4, (0.5, 0.999))
    assert (gdas().settings.epochs, beta_darts().settings.epochs, drnas().settings.epochs) == (250, 100, 100)
    fair = fair_darts().settings
    assert (fair.epochs, fair.batch_size, fair.lr, fair.lr_min, fair.weight_decay) == (50, 128, 5e-3, 1e-3, 3e-4)
    assert (fair.arch_lr, fair.arch_betas, fair.arch_weight_decay) == (3e-3, (0.9, 0.999), 1e-3)
    assert (pc_darts().settings.batch_size, pc_darts().settings.lr, pc_darts().settings.arch_lr) == (256, 0.1, 6e-4)
