"""Ready spaces: every sample is a network that can be built, and widths suit the limits."""

import numpy as np
import pytest
import torch

from nasturtium.blocks import build
from nasturtium.errors import SpaceError
from nasturtium.hardware import CostModel, Limits
from nasturtium.task import Signal, Task
from nasturtium.zoo import (
    conv_macro,
    darts,
    default_space,
    ft_transformer,
    hybrid,
    mlp,
    nasbench201,
    nasnet,
    ready_space,
    tabular,
    vit,
)


def task(kind: str, *shape: int, cardinalities: tuple[int, ...] = (), outputs: int = 3) -> Task:
    return Task("classification", Signal(kind, shape, cardinalities), outputs, "accuracy")  # type: ignore[arg-type]


CASES = {
    "conv-macro 1x8x8": lambda: conv_macro(task("image", 1, 8, 8), max_params=5e3),
    "conv-macro 3x32x32": lambda: conv_macro(task("image", 3, 32, 32), max_params=2e4),
    "conv-macro 2x30x50": lambda: conv_macro(task("image", 2, 30, 50)),
    "conv-macro 3x96x96": lambda: conv_macro(task("image", 3, 96, 96), max_params=5e3),
    "conv-macro 1x20": lambda: conv_macro(task("sequence", 1, 20)),
    "conv-macro 3x300": lambda: conv_macro(task("sequence", 3, 300), max_params=1e4),
    "nasbench201": lambda: nasbench201(task("image", 3, 16, 16), width=4, cells=1),
    "darts 1x8x8": lambda: darts(task("image", 1, 8, 8), width=4, cells=4),
    "darts 3x15x11": lambda: darts(task("image", 3, 15, 11), width=4, cells=8),
    "nasnet 1x8x8": lambda: nasnet(task("image", 1, 8, 8), width=4, cells=4),
    "nasnet 3x3x9": lambda: nasnet(task("image", 3, 3, 9), width=4, cells=4, join="all"),
    "vit 1x8x8": lambda: vit(task("image", 1, 8, 8), max_params=5e3),
    "vit 3x15x11": lambda: vit(task("image", 3, 15, 11), max_params=2e4),
    "vit 2x300": lambda: vit(task("sequence", 2, 300), max_params=2e4),
    "hybrid 1x8x8": lambda: hybrid(task("image", 1, 8, 8), max_params=1e4),
    "hybrid 3x30x50": lambda: hybrid(task("image", 3, 30, 50), max_params=3e4),
    "hybrid 1x20": lambda: hybrid(task("sequence", 1, 20)),
    "ft-transformer": lambda: ft_transformer(task("table", 4, cardinalities=(3, 9)), max_params=3e3),
    "ft-transformer categories": lambda: ft_transformer(task("table", 0, cardinalities=(3, 30))),
    "tabular": lambda: tabular(task("table", 4, cardinalities=(3, 9)), max_params=3e3),
    "tabular numbers": lambda: tabular(task("table", 4)),
    "tabular categories": lambda: tabular(task("table", 0, cardinalities=(3, 30))),
    "mlp": lambda: mlp(task("vector", 12)),
}


@pytest.mark.parametrize("name", CASES)
def test_samples_can_be_built_and_give_the_outputs_of_the_task(name: str) -> None:
    space = CASES[name]()
    x = space.task.input
    for seed in range(6):
        tree = space.sample(seed).tree
        network = build(tree.lower(x), x, seed).eval()
        with torch.no_grad():
            scores = network(torch.zeros(2, *x.tensor_shape))
        assert scores.shape == (2, space.task.outputs)
        assert bool(scores.isfinite().all())


@pytest.mark.parametrize(
    ("shape", "most"),
    [((1, 8, 8), n) for n in (2e3, 5e3, 2e4)]
    + [((1, 28, 28), n) for n in (1e4, 1e5)]
    + [((3, 32, 32), n) for n in (5e4, 1e5)],
)
def test_limits_are_met_by_a_good_share_of_samples_and_can_be_used_up(shape: tuple[int, ...], most: float) -> None:
    space = conv_macro(task("image", *shape, outputs=10), max_params=most)
    model = CostModel(space)
    params = np.array([model.of_codes(row)["params"] for row in space.sample_codes(np.random.default_rng(0), 800)])
    within = params[params <= most]
    assert 0.1 <= len(within) / len(params) <= 0.7
    assert within.max() > 0.95 * most


def test_a_limit_on_macs_narrows_the_widths_too() -> None:
    image = task("image", 3, 32, 32)
    free, bound = CostModel(conv_macro(image)), CostModel(conv_macro(image, max_macs=2e5))
    assert bound.bounds(names=("macs",)).high["macs"] < free.bounds(names=("macs",)).high["macs"] / 4  # type: ignore[union-attr]


def test_all_activations_and_norms_of_a_network_are_one_decision_each() -> None:
    paths = [named.path for named in conv_macro(task("image", 1, 28, 28)).decisions]
    assert sum(path.endswith("activation") for path in paths) == 1
    assert sum(path.endswith("norm") for path in paths) == 1


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (task("image", 1, 8, 8), "conv-macro"),
        (task("sequence", 1, 50), "conv-macro"),
        (task("table", 3, cardinalities=(4,)), "tabular"),
        (task("vector", 5), "mlp"),
    ],
)
def test_the_default_space_follows_the_kind_of_input_and_says_so(made: Task, name: str) -> None:
    space, why = default_space(made, Limits.parse(params="20k"))
    assert space.name == name
    assert name in why
    assert "limits" in why


def test_a_limit_on_the_file_bounds_the_widths() -> None:
    image = task("image", 1, 28, 28)
    narrow, _ = default_space(image, Limits.parse(size="64KB"))
    wide, _ = default_space(image, Limits())
    assert (
        CostModel(narrow).bounds(names=("params",)).high["params"]
        < CostModel(wide).bounds(names=("params",)).high["params"]
    )  # type: ignore[union-attr]


def test_names_accept_underscores_and_unknown_ones_get_the_nearest() -> None:
    assert ready_space("conv_macro", task("image", 1, 8, 8)).name == "conv-macro"
    with pytest.raises(SpaceError, match=r"no ready space 'conv-makro'. Did you mean 'conv-macro'\?"):
        ready_space("conv-makro", task("image", 1, 8, 8))


def test_spaces_refuse_what_they_are_not_for() -> None:
    with pytest.raises(SpaceError, match="conv-macro needs images or sequences, not a table; use tabular or mlp"):
        conv_macro(task("table", 3))
    with pytest.raises(SpaceError, match="tabular needs a table; for input of the kind 'image' use conv-macro"):
        tabular(task("image", 1, 8, 8))
    with pytest.raises(SpaceError, match="nasbench201 needs images"):
        nasbench201(task("vector", 4))
