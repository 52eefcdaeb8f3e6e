"""The spaces of DARTS and NASNet: sizes, published cells, costs and identities."""

from math import comb
from pathlib import Path

import numpy as np
import pytest
import torch

from nasturtium.blocks import NASNET_OPERATIONS, CellStack, ConvBN, Head, build, construct, deployed, sequence
from nasturtium.errors import SpaceError
from nasturtium.hardware import CostModel, Limits, block_costs, measure_file, write_onnx
from nasturtium.hardware.latency import open_session
from nasturtium.space import Space, choice, integer
from nasturtium.space.architecture import Architecture
from nasturtium.task import Signal, Task
from nasturtium.zoo import GENOTYPES, darts, genotype, nasnet, published_network, ready_space

CIFAR = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")
DIGITS = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")


def test_the_size_is_that_of_the_paper() -> None:
    cell = np.prod([comb(2 + node, 2) * 7**2 for node in range(4)], dtype=object)
    assert darts(CIFAR).size == cell**2 == 1_037_664_180**2
    nasnet_cell = np.prod([((2 + node) * len(NASNET_OPERATIONS)) ** 2 for node in range(5)], dtype=object)
    assert nasnet(CIFAR).size == nasnet_cell**2


def test_the_second_order_cells_have_exactly_the_parameters_of_the_published_network() -> None:
    costs = block_costs(published_network(CIFAR, genotype("DARTS_V2")), CIFAR.input)
    assert costs["params"] == 3_349_342  # what the authors' script prints, without auxiliary head
    assert round(costs["macs"] / 1e6) == 528  # Liu et al. 2019; counted by others


# ENAS is not compared: its network is not in the form of DARTS. For the first-order cells of DARTS 3.3 M were
# published, but those in the authors' file have 3.17 M.
@pytest.mark.parametrize("name", [name for name in GENOTYPES if name not in ("enas", "darts-v1")])
def test_published_cells_have_the_published_size(name: str) -> None:
    cells = genotype(name)
    params = block_costs(published_network(CIFAR, cells), CIFAR.input)["params"]
    assert params == pytest.approx(cells.params_m * 1e6, rel=0.03)


@pytest.mark.parametrize("name", GENOTYPES)
def test_published_cells_are_built_on_small_images(name: str) -> None:
    tree = published_network(DIGITS, genotype(name), width=4, length=3)
    network = build(tree.lower(DIGITS.input), DIGITS.input, 0).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 1, 8, 8)).shape == (2, 10)
    assert tree.canonical_form(DIGITS)


def test_published_cells_of_darts_are_points_of_the_space() -> None:
    space = darts(CIFAR)
    cells = genotype("darts-v2")
    values: dict[str, object] = {}
    for kind, cell in (("normal", cells.normal), ("reduction", cells.reduction)):
        for at, node in enumerate(cell.nodes):
            (one, first), (two, second) = sorted(zip(node.inputs, node.operations, strict=True))
            where = f"blocks.cells.{kind}.nodes.{at}"
            values |= {f"{where}.inputs": f"{one}x{two}"} if at else {}
            values |= {f"{where}.operations.0": first, f"{where}.operations.1": second}
    found = space.architecture(values)
    same = Space(published_network(CIFAR, cells, width=16, length=8), CIFAR).sample(0)
    assert found.arch_id == same.arch_id  # the order of a node's terms makes no difference
    assert Architecture.from_json(found.to_json(), space).arch_id == found.arch_id


def test_unknown_cells_are_named_with_the_nearest() -> None:
    with pytest.raises(SpaceError, match=r"There are no published cells 'dart-v2'. Did you mean 'darts-v2'"):
        genotype("dart-v2")


@pytest.mark.parametrize("make", [darts, nasnet])
def test_only_images_are_taken(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpaceError, match="needs images, not a vector"):
        make(Task("classification", Signal("vector", (4,)), 3, "accuracy"))


def test_bounds_of_sums_equal_brute_force() -> None:
    space = darts(DIGITS, width=4, cells=3, nodes=1)
    model = CostModel(space)
    names = ("params", "macs", "activations", "size")
    bounds = model.bounds(names=names)
    assert bounds is not None
    assert bounds.exact
    rows = list(space.program.enumerate())
    assert len(rows) == 7**4
    found = [model.of_codes(row) for row in rows]
    for name in names:
        values = [costs[name] for costs in found]
        assert (bounds.low[name], bounds.high[name]) == (min(values), max(values))
        ends = (int(np.argmin(values)), int(np.argmax(values)), 1234)
        assert all(block_costs(space.from_codes(rows[k]).tree, DIGITS.input) == found[k] for k in ends)


@pytest.mark.parametrize("make", [darts, nasnet])
def test_bounds_hold_for_samples_also_where_decisions_are_given(make) -> None:  # type: ignore[no-untyped-def]
    space = make(DIGITS, width=4, cells=4)
    model, rng = CostModel(space), np.random.default_rng(0)
    for row in space.sample_codes(rng, 8):
        costs = model.of_codes(row)
        some = {int(index): row[index] for index in rng.permutation(len(row))[:8]}
        for given in (None, some):
            bounds = model.bounds(given)
            assert bounds is not None
            assert all(bounds.low[name] <= costs[name] <= bounds.high[name] for name in costs)
        alone = model.bounds(dict(enumerate(row)))
        assert alone is not None
        assert alone.low == alone.high == costs


@pytest.mark.parametrize("name", ["darts", "nasnet"])
def test_ready_spaces_have_widths_that_suit_the_limits(name: str) -> None:
    space = ready_space(name, DIGITS, Limits(params=4e4))
    model = CostModel(space)
    params = [model.sums(row)["params"] for row in space.sample_codes(np.random.default_rng(0), 100)]
    assert np.mean(np.array(params) <= 4e4) >= 0.2
    assert ready_space(name, DIGITS).sample(0).tree.links()[1][1].width in (16, 32)


def test_widths_and_lengths_may_be_open_around_published_cells() -> None:
    cells = genotype("darts-v2")
    stack = CellStack(cells.normal, cells.reduction, choice(4, 8), integer(2, 4))
    space = Space(sequence(stem=ConvBN(8), cells=stack, head=Head(DIGITS)), DIGITS)
    model = CostModel(space)
    found = [model.of_codes(row) for row in space.program.enumerate()]
    bounds = model.bounds(names=("params", "macs"))
    assert len(found) == 6
    assert bounds is not None
    assert bounds.exact
    for name in ("params", "macs"):
        values = [costs[name] for costs in found]
        assert (bounds.low[name], bounds.high[name]) == (min(values), max(values))


@pytest.mark.parametrize("make", [darts, nasnet])
def test_the_exported_file_agrees_and_has_the_counted_costs(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    space = make(DIGITS, width=4, cells=3)
    architecture = space.sample(3)
    module = construct(deployed(architecture.tree.lower(DIGITS.input), DIGITS)).eval()
    path = write_onnx(module, DIGITS.input, tmp_path / "model.onnx")
    rows = torch.rand(3, 1, 8, 8)
    found = open_session(path).run(None, {"x": rows.numpy()})[0]
    with torch.no_grad():
        assert np.abs(found - module(rows).numpy()).max() < 1e-4
    counted, measured = CostModel(space)(architecture), measure_file(path, DIGITS.input)
    assert measured["macs"] == counted["macs"]
    assert 0.9 < counted["size"] / measured["size"] < 1.35
