"""The training loop on problems of a few hundred rows."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nasturtium.task import Signal, Task
from nasturtium.training import Augmentation, Recipe, Trained, predict, seeded, train
from nasturtium.training._scoring import Scorer

RECIPE = Recipe(lr=1e-2, epochs=4, batch_size=32)
SHAPES = Task("classification", Signal("image", (1, 8, 8)), 2, "accuracy", ("bar", "dash"))
LINE = Task("regression", Signal("vector", (3,)), 1, "rmse")


def _shapes(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Upright bars (0) and lying dashes (1) at random places, in noise."""
    rng = np.random.default_rng(seed)
    images, labels = rng.normal(0, 0.3, (rows, 1, 8, 8)).astype(np.float32), rng.integers(0, 2, rows)
    for image, label in zip(images, labels, strict=True):
        place, start = rng.integers(0, 8), rng.integers(0, 3)
        span = slice(start, start + 5)
        image[(0, span, place) if label == 0 else (0, place, span)] += 2
    return images, labels


def _network(dropout: float = 0.0) -> nn.Module:
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(8, 2),
        )


def _train(network: nn.Module, recipe: Recipe = RECIPE, seed: int = 0, **options: object) -> Trained:
    data = (*_shapes(400, 1), *_shapes(200, 2))
    return train(network, *data, task=SHAPES, recipe=recipe, seed=seed, **options)  # type: ignore[arg-type]


def _same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_small_network_learns(optimizer: str) -> None:
    recipe = replace(RECIPE, optimizer=optimizer, lr={"adamw": 0.02, "sgd": 0.1}[optimizer], epochs=10)
    trained = _train(_network(), recipe)
    assert trained.score > 0.95
    assert trained.curve == (trained.score,)
    assert trained.losses[-1] < trained.losses[0] / 2
    assert (trained.ended, trained.diverged) == ("finished", False)
    assert trained.epochs == trained.kept_epochs == 10.0


def test_the_same_seed_gives_the_same_weights_bit_for_bit() -> None:
    augment = Augmentation(shift=0.1, rotate=10, scale=0.1, shear=0.1, cutout=0.3, noise=0.1, mixup=0.2)
    recipe = replace(RECIPE, ema=0.95, clip=1.0, label_smoothing=0.1, augment=augment)
    networks = [_network(dropout=0.2) for _ in range(3)]
    state = torch.get_rng_state()
    first, second, third = (_train(net, recipe, seed) for net, seed in zip(networks, (5, 5, 6), strict=True))
    assert _same(networks[0], networks[1])
    assert first.losses == second.losses
    assert not _same(networks[0], networks[2])
    assert first.losses != third.losses
    assert torch.equal(torch.get_rng_state(), state)


def test_watching_changes_no_weight() -> None:
    alone, watched = _network(), _network()
    recipe = replace(RECIPE, ema=0.9)
    _train(alone, recipe)
    trained = _train(watched, recipe, report=lambda curve: False, deadline_s=1000.0)
    assert _same(alone, watched)
    assert len(trained.curve) == 4


def test_the_score_is_that_of_the_weights_that_are_left() -> None:
    network = _network()
    trained = _train(network, replace(RECIPE, ema=0.99))
    images, labels = _shapes(200, 2)
    assert (predict(network, torch.as_tensor(images)).argmax(1) == labels).mean() == trained.score


def test_unwatched_trainings_are_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    scored = Scorer.__call__
    monkeypatch.setattr(Scorer, "__call__", lambda self: (calls.append(1), scored(self))[1])
    _train(_network())
    assert len(calls) == 1
    _train(_network(), report=lambda curve: False)
    assert len(calls) == 5


def test_without_rows_to_score_there_is_no_score() -> None:
    trained = train(_network(), *_shapes(100, 0), task=SHAPES, recipe=RECIPE, report=lambda curve: True)
    assert np.isnan(trained.score)
    assert trained.curve == ()
    assert trained.ended == "finished"


def test_report_sees_the_curve_grow_and_can_stop() -> None:
    seen: list[tuple[float, ...]] = []

    def report(curve: tuple[float, ...]) -> bool:
        seen.append(curve)
        return len(curve) == 2

    trained = _train(_network(), report=report)
    assert [len(curve) for curve in seen] == [1, 2]
    assert (trained.ended, trained.stopped, trained.epochs) == ("report", True, 2.0)
    assert trained.curve == seen[-1]


def test_a_deadline_ends_the_training_in_time_and_anneals_the_rate() -> None:
    started = time.monotonic()
    network = _network()
    trained = _train(network, replace(RECIPE, epochs=100_000, lr=0.02), deadline_s=1.5)
    assert time.monotonic() - started < 2.0
    assert trained.ended == "deadline"
    assert trained.score > 0.95


def test_a_deadline_holds_within_an_epoch() -> None:
    class Slow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, 2)

        def forward(self, x: Tensor) -> Tensor:
            time.sleep(0.02)
            return self.linear(x.flatten(1))

    trained = train(Slow(), *_shapes(3200, 0), task=SHAPES, recipe=RECIPE, deadline_s=0.6)
    assert trained.seconds < 0.7
    assert 0 < trained.epochs < 0.5


def test_divergence_is_caught() -> None:
    trained = _train(_network(), replace(RECIPE, optimizer="sgd", lr=1e20, warmup=0.0))
    assert trained.diverged
    assert np.isnan(trained.score)


def test_patience_stops_and_returns_to_the_best_weights() -> None:
    network = _network()
    trained = _train(network, replace(RECIPE, epochs=60, lr=0.02, patience=3))
    assert trained.ended == "patience"
    assert trained.epochs < 60
    assert trained.score == max(trained.curve) == trained.curve[-4]
    assert trained.kept_epochs == trained.epochs - 3
    images, labels = _shapes(200, 2)
    assert (predict(network, torch.as_tensor(images)).argmax(1) == labels).mean() == trained.score


def test_a_continuation_trains_what_is_left() -> None:
    network = _network()
    assert _train(network, epochs=2).epochs == 2
    assert _train(network, epochs=6, start_epoch=2).epochs == 4


def _line(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)).astype(np.float32)
    return x, (50_000 + 2_000 * (x @ [1.0, -2.0, 0.5]) + rng.normal(0, 100, rows)).astype(np.float32)[:, None]


@pytest.mark.parametrize("huber", [None, 1.0])
def test_regression_is_scored_in_the_targets_own_unit(huber: float | None) -> None:
    with seeded(0):
        network = nn.Linear(3, 1)
    recipe = Recipe(lr=0.05, weight_decay=0, epochs=20, batch_size=32, huber=huber)
    trained = train(network, *_line(500, 0), *_line(300, 1), task=LINE, recipe=recipe)
    assert trained.score == pytest.approx(100, rel=0.15)
    x, y = _line(300, 1)
    assert trained.target_scale is not None
    restored = trained.target_scale.restore(predict(network, torch.as_tensor(x)))
    assert float(np.sqrt(((restored - y) ** 2).mean())) == pytest.approx(trained.score, rel=1e-5)


def test_several_labels_are_learnt_together() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 4)).astype(np.float32)
    y = (x[:, :3] > 0).astype(np.float32)
    task = Task("multi-label", Signal("vector", (4,)), 3, "macro-f1")
    with seeded(0):
        network = nn.Linear(4, 3)
    trained = train(network, x[:400], y[:400], x[400:], y[400:], task=task, recipe=replace(RECIPE, lr=0.1, epochs=10))
    assert trained.score > 0.95


class _Hungry(nn.Module):
    """Fails like the CPU allocator on more than `limit` rows in training."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.linear, self.limit = nn.Linear(64, 2), limit

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > self.limit:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return self.linear(x.flatten(1))


def test_the_batch_is_halved_when_memory_runs_out() -> None:
    trained = _train(_Hungry(8))
    assert trained.notes == ("Memory ran out: the batch was halved from 32 to 8 rows.",)
    assert trained.ended == "finished"


def test_memory_that_never_suffices_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        _train(_Hungry(4))


def test_fewer_rows_than_a_batch_make_one_batch() -> None:
    trained = train(_network(), *_shapes(5, 0), task=SHAPES, recipe=RECIPE)
    assert trained.epochs == 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_captured_step_trains_like_an_eager_one(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(RECIPE, precision="float32", ema=0.9, augment=Augmentation(shift=0.1, mixup=0.2))
    captured, eager = _network(), _network()
    trained = _train(captured, recipe, device="cuda")
    monkeypatch.setattr("nasturtium.training._graphs.EAGER_STEPS", 10**9)
    _train(eager, recipe, device="cuda")
    assert trained.notes == ()
    for a, b in zip(captured.state_dict().values(), eager.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
