"""Optimiser, average, objective, augmentation: each against a formula written out."""

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.errors import UserError
from nasturtium.task import Signal
from nasturtium.training import Augmentation, Recipe, TargetScale, find_device, flips_survive, generator
from nasturtium.training._ema import Average
from nasturtium.training._objective import build_loss, build_step, draw_share
from nasturtium.training._optim import build_optimizer, set_rate
from nasturtium.training.augment import build_augmenter
from nasturtium.training.augment._image import _grid, border_value

CPU = torch.device("cpu")


def test_norms_and_biases_do_not_decay() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    optimizer = build_optimizer(network, Recipe(weight_decay=0.3), CPU)
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert [decay[id(p)] for p in network.parameters()] == [0.3, 0, 0, 0, 0.3, 0]


def test_sgd_is_nesterov_and_obeys_the_rate() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    optimizer = build_optimizer(network, Recipe("sgd", lr=0.1, momentum=0.9, weight_decay=0.0), CPU)
    velocity, weight = 0.0, 1.0
    for lr in (0.1, 0.05):
        set_rate(optimizer, lr)
        optimizer.zero_grad()
        network(torch.ones(1, 1)).sum().backward()  # gradient 1
        optimizer.step()
        velocity = 0.9 * velocity + 1
        weight -= lr * (1 + 0.9 * velocity)
    assert network.weight.item() == pytest.approx(weight)


def test_the_average_follows_its_formula_for_weights_and_statistics() -> None:
    network = nn.BatchNorm1d(1)
    average = Average(network, 0.5)
    expected = {"weight": 1.0, "running_mean": 0.0}
    for update, value in enumerate((3.0, 7.0, -2.0, 4.0, 9.0, 1.0, 0.0, 5.0, 2.0, 8.0), start=1):
        with torch.no_grad():
            network.weight.fill_(value)
            network.running_mean.fill_(value)  # type: ignore[union-attr]
        average.update()
        decay = min(0.5, (1 + update) / (10 + update))
        expected = {name: decay * old + (1 - decay) * value for name, old in expected.items()}
    with average.applied():
        assert network.weight.item() == pytest.approx(expected["weight"])
        assert network.running_mean.item() == pytest.approx(expected["running_mean"])  # type: ignore[union-attr]
    assert network.weight.item() == 8.0


def test_a_decay_of_zero_keeps_the_last_weights() -> None:
    network = nn.Linear(1, 1)
    average = Average(network, 0.0)
    nn.init.constant_(network.weight, 5.0)
    average.update()
    average.swap()
    assert network.weight.item() == 5.0


def test_smoothed_losses_are_the_formulas() -> None:
    recipe = Recipe(label_smoothing=0.2, huber=0.5)
    outputs, labels = torch.tensor([[1.0, 2.0, -1.0]]), torch.tensor([1])
    log = outputs.log_softmax(1)[0]
    assert build_loss("classification", recipe)(outputs, labels) == pytest.approx(
        float(-(0.8 * log[1] + 0.2 * log.mean()))
    )
    many = torch.tensor([[1.0, 0.0, 1.0]])
    soft = torch.tensor([[0.9, 0.1, 0.9]])
    p = outputs.sigmoid()
    expected = -(soft * p.log() + (1 - soft) * (1 - p).log()).mean()
    assert build_loss("multi-label", recipe)(outputs, many) == pytest.approx(float(expected))
    assert build_loss("regression", recipe)(torch.tensor([[2.0]]), torch.zeros(1, 1)) == pytest.approx(0.5 * 1.75)
    assert build_loss("regression", Recipe())(torch.tensor([[2.0]]), torch.zeros(1, 1)) == 4.0


def test_a_mixed_step_is_the_step_on_mixed_rows_and_labels() -> None:
    x, y = torch.randn(4, 3, generator=generator(0, "x")), torch.tensor([0, 1, 2, 0])
    recipe = Recipe("sgd", lr=0.0001, augment=Augmentation(mixup=0.2))
    network = nn.Linear(3, 3)
    mixed = 0.3 * x + 0.7 * x.flip(0)
    soft = 0.3 * nn.functional.one_hot(y, 3) + 0.7 * nn.functional.one_hot(y.flip(0), 3)
    expected = nn.functional.cross_entropy(network(mixed), soft).item()
    step = build_step(
        network, build_optimizer(network, recipe, CPU), build_loss("classification", recipe), recipe, CPU, False
    )
    assert step(x, y, torch.tensor(0.3)).item() == pytest.approx(expected, rel=1e-5)


def test_mixing_shares_have_the_moments_of_the_beta_distribution() -> None:
    draws = generator(0, "mixup")
    shares = np.array([draw_share(0.2, draws) for _ in range(4000)])
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(1 / (4 * (2 * 0.2 + 1)), rel=0.05)
    assert draw_share(0.0, draws) == 1.0


def test_targets_are_standardised_and_restored() -> None:
    targets = np.array([[1.0, 5.0], [3.0, 5.0]])
    scale = TargetScale.fit(targets)
    assert scale == TargetScale((2.0, 5.0), (1.0, 1.0))
    assert np.array_equal(scale.restore(scale.standardise(targets)), targets)


def test_the_background_is_the_common_border_value_or_nothing() -> None:
    images = torch.full((10, 2, 6, 6), -0.5)
    images[:, :, 2:4, 2:4] = 3.0
    background = border_value(images)
    assert background is not None
    assert background.flatten().tolist() == [-0.5, -0.5]
    assert border_value(torch.randn(10, 1, 6, 6)) is None


def test_a_shifted_drawing_keeps_its_background_and_moves_at_most_that_far() -> None:
    images = torch.full((200, 1, 9, 9), -1.0)
    images[:, :, 4, 4] = 1.0
    augmenter = build_augmenter(Augmentation(shift=0.2), Signal("image", (1, 9, 9)), images)
    assert augmenter is not None
    moved = augmenter(images, generator(0, "augment")) + 1
    place = torch.arange(9.0)
    x = (moved.sum((1, 2)) * place).sum(1) / moved.sum((1, 2, 3))
    assert moved.min() >= -1e-6
    assert moved.sum((1, 2, 3)).mean().item() == pytest.approx(2.0, rel=1e-4)
    assert (x - 4).abs().max().item() <= 0.2 * 9 + 1e-4
    assert (x - 4).std().item() == pytest.approx(0.2 * 9 / 3**0.5, rel=0.1)


def test_a_rotation_turns_by_at_most_its_degrees() -> None:
    images = torch.zeros(300, 1, 33, 33)
    images[:, :, 16, 30] = 1.0  # 14 pixels right of the centre
    augmenter = build_augmenter(Augmentation(rotate=30), Signal("image", (1, 33, 33)), images)
    assert augmenter is not None
    turned = augmenter(images, generator(0, "augment"))
    place = torch.arange(33.0) - 16
    mass = turned.sum((1, 2, 3))
    x, y = (turned.sum((1, 2)) * place).sum(1) / mass, (turned.sum((1, 3)) * place).sum(1) / mass
    angle = torch.atan2(y, x).rad2deg()
    assert 27 < angle.abs().max().item() < 32
    assert (x**2 + y**2).sqrt().mean().item() == pytest.approx(14, abs=0.3)


def test_half_of_the_rows_are_mirrored() -> None:
    images = torch.arange(4.0).expand(1000, 1, 4, 4).clone()
    augmenter = build_augmenter(Augmentation(flip=True), Signal("image", (1, 4, 4)), images)
    assert augmenter is not None
    mirrored = augmenter(images, generator(0, "augment"))[:, 0, 0, 0] == 3
    assert 0.45 < mirrored.float().mean() < 0.55


@pytest.mark.parametrize("kind", ["image", "sequence"])
def test_cutout_blanks_its_share(kind: str) -> None:
    shape = (1, 20, 20) if kind == "image" else (1, 400)
    rows = torch.ones(500, *shape)
    augmenter = build_augmenter(Augmentation(cutout=0.2), Signal(kind, shape), torch.randn(9, *shape))  # type: ignore[arg-type]
    assert augmenter is not None
    blank = (augmenter(rows, generator(0, "augment")) == 0).float().mean().item()
    inside = 0.95  # a span of 0.2 placed uniformly is 95 % inside on average
    assert blank == pytest.approx((0.2 * inside) ** (2 if kind == "image" else 1), rel=0.05)


def test_noise_on_tables_leaves_codes_alone() -> None:
    rows = torch.ones(50, 5)
    augmenter = build_augmenter(Augmentation(noise=0.1), Signal("table", (3,), (4, 4)), rows)
    assert augmenter is not None
    noisy = augmenter(rows, generator(0, "augment"))
    assert torch.equal(noisy[:, 3:], rows[:, 3:])
    assert (noisy[:, :3] != 1).all()


def test_no_augmentation_costs_nothing() -> None:
    for signal in (Signal("image", (1, 4, 4)), Signal("sequence", (1, 4)), Signal("table", (4,))):
        assert build_augmenter(Augmentation(mixup=0.2), signal, torch.zeros(2, *signal.tensor_shape)) is None


def test_mirrors_are_refused_where_classes_are_mirror_images() -> None:
    rng = np.random.default_rng(0)
    left = rng.normal(0, 0.1, (300, 1, 6, 6)).astype(np.float32)
    labels = rng.integers(0, 2, 300)
    left[labels == 0, :, :, :2] += 1
    left[labels == 1, :, :, 4:] += 1
    assert not flips_survive(torch.as_tensor(left), torch.as_tensor(labels))
    top = np.ascontiguousarray(left.transpose(0, 1, 3, 2))
    assert flips_survive(torch.as_tensor(top), torch.as_tensor(labels))


def test_an_absent_or_unknown_device_is_refused_in_words() -> None:
    with pytest.raises(UserError, match="Unknown device 'gpu9'"):
        find_device("gpu9")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="'cuda' is not here: torch sees 0 CUDA devices"):
            find_device("cuda")
    assert find_device("cpu") == CPU


def test_the_grid_equals_that_of_torch() -> None:
    affine = torch.randn(5, 2, 3, generator=generator(0, "grid"))
    expected = nn.functional.affine_grid(affine, [5, 1, 6, 9], align_corners=False)
    torch.testing.assert_close(_grid(affine, 6, 9), expected)
