"""Merged mixed cells against the plain version, option by option, and both against formulas."""

from collections.abc import Sequence
from functools import partial as bound
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from nasturtium.blocks import NB201_OPERATIONS, Expr, NB201Cell, OpenEdge, OpenGraph, Relaxable, module
from nasturtium.blocks.cells import relu_conv_bn
from nasturtium.blocks.expr import seq
from nasturtium.blocks.primitives import Activation, Identity, Pool, Zero
from nasturtium.errors import SpaceError
from nasturtium.space import Space
from nasturtium.supernet import Supernet, _pointwise
from nasturtium.supernet._fused import Group, Plan, leave, stepwise
from nasturtium.supernet._pooling import pooled
from nasturtium.supernet._sums import _WeightedSum
from nasturtium.supernet.mixed_graph import MixedGraph
from nasturtium.task import Signal, Task
from nasturtium.zoo import darts, nasbench201, nasnet

IMAGE = Signal("image", (4, 8, 8))
TASK = Task("classification", Signal("image", (3, 16, 16)), 3, "accuracy", ("a", "b", "c"))
DRAWS = (
    [[3]] * 6,
    [[0], [1], [2], [3], [4], [1]],
    [[0], [2], [3], [1], [4], [0]],
    [[1, 3], [0], [2], [2, 3], [4], [4]],
)


def nb201_graph(x: Signal = IMAGE) -> OpenGraph:
    return NB201Cell(("none",) * 6).relaxed(x)


def stacked_graph(space: Space) -> tuple[OpenGraph, Signal]:
    """The open cells of a space, and what arrives at them."""
    tree: Any = space.sample(0).tree
    x = TASK.input
    for _, block in tree.links():
        if isinstance(block, Relaxable):
            return block.relaxed(x), x
        x = block.lower(x).out(x)
    raise AssertionError("no open cells")


def pair(
    graph: OpenGraph, x: Signal, dtype: torch.dtype = torch.float64, **options: Any
) -> tuple[MixedGraph, MixedGraph]:
    """The merged and the plain version with equal parameters."""
    torch.manual_seed(0)
    merged = MixedGraph(graph, x, merged=True, **options).to(dtype)
    plain = MixedGraph(graph, x, merged=False, **options).to(dtype)
    plain.load_state_dict(merged.state_dict())
    return merged, plain


def weights_for(graph: OpenGraph, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    torch.manual_seed(1)
    sizes = {edge.mixture: len(edge.options) for edge in graph.edges if edge.mixture is not None}
    return [torch.rand(sizes[k], dtype=dtype).softmax(0).requires_grad_() for k in sorted(sizes)]


def gradients(
    net: nn.Module, x: Tensor, weights: Sequence[Tensor], active: Sequence[Sequence[int] | Tensor] | None = None
) -> list[Tensor]:
    """The result, and gradients in the input, the weights and all parameters; zeros where there are none."""
    x = x.detach().requires_grad_()
    y = net(x, weights, active)
    wanted = [x, *weights, *net.parameters()]
    noise = torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(2))
    slope = (y.detach() + noise) / y.numel()  # in part along the result: a weight's gradient is then no mere residue
    found = torch.autograd.grad(y, wanted, slope, allow_unused=True) if y.requires_grad else [None] * len(wanted)
    return [y.detach(), *(torch.zeros_like(t) if g is None else g for t, g in zip(wanted, found, strict=True))]


def largest_difference(some: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    """Relative to the largest entry of each, so that large gradients hide no small ones."""
    pairs = zip(some, others, strict=True)
    return max(float((a - b).abs().max() / (1e-4 + b.abs().max())) for a, b in pairs)


def test_gradients_of_the_whole_nasbench201_network_are_those_of_the_plain_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_pointwise, "MANY", 1)  # as it is for large batches
    space = nasbench201(TASK)
    nets = [Supernet(space, seed=0, precise=precise).double() for precise in (False, True)]
    x = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = [torch.softmax(torch.randn(5, dtype=torch.float64), 0).requires_grad_() for _ in range(6)]
    merged, plain = (gradients(net, x.to(memory_format=torch.channels_last), weights) for net in nets)
    assert len(merged) > 150  # the result, gradients in the image, 6 mixtures and the parameters
    assert largest_difference(merged, plain) < 1e-10


@pytest.mark.parametrize("many", [1, 10**6], ids=["statistics from the input", "statistics from the result"])
def test_gradients_of_one_cell_in_float32_are_those_of_the_plain_version(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pointwise, "MANY", many)
    graph, x = nb201_graph(Signal("image", (16, 16, 16))), torch.randn(8, 16, 16, 16)
    merged, plain = pair(graph, Signal("image", (16, 16, 16)), torch.float32)
    weights = weights_for(graph, torch.float32)
    assert largest_difference(gradients(merged, x, weights), gradients(plain, x, weights)) < 1e-5


def test_cells_of_sequences_have_the_gradients_of_the_plain_version() -> None:
    x = Signal("sequence", (4, 12))
    options = (
        ("skip", Identity()),
        ("pool", Pool("avg", 3)),
        ("one", relu_conv_bn(4, 1)),
        ("three", relu_conv_bn(4, 3)),
    )
    graph = OpenGraph(tuple(OpenEdge(s, t, options, k) for k, (s, t) in enumerate([(0, 1), (0, 2), (1, 2)])), (2,))
    merged, plain = pair(graph, x)
    rows, weights = torch.randn(5, 4, 12, dtype=torch.float64), weights_for(graph)
    assert largest_difference(gradients(merged, rows, weights), gradients(plain, rows, weights)) < 1e-10


@pytest.mark.parametrize("active", DRAWS)
def test_a_draw_has_the_gradients_of_the_plain_version_with_weights_of_zero_elsewhere(active: list[list[int]]) -> None:
    graph, x = nb201_graph(), torch.randn(4, 4, 8, 8, dtype=torch.float64)
    merged, plain = pair(graph, IMAGE)
    weights = weights_for(graph)
    masks = [torch.zeros(5, dtype=torch.float64).index_fill(0, torch.tensor(places), 1.0) for places in active]
    y, of_x, *rest = gradients(merged, x, weights, active)
    expected = gradients(plain, x, [w * mask for w, mask in zip(weights, masks, strict=True)])
    of_weights = [g * mask for g, mask in zip(expected[2:8], masks, strict=True)]
    assert largest_difference([y, of_x, *rest], [*expected[:2], *of_weights, *expected[8:]]) < 1e-10


@pytest.mark.parametrize("partial", [1, 2])
@pytest.mark.parametrize("active", DRAWS[:3])
def test_gates_select_the_same_as_places(active: list[list[int]], partial: int) -> None:
    graph, x = nb201_graph(), torch.randn(4, 4, 8, 8, dtype=torch.float64)
    net, _ = pair(graph, IMAGE, partial=partial)
    weights = weights_for(graph)
    gates = [torch.eye(5, dtype=torch.float64)[places[0]] for places in active]
    assert largest_difference(gradients(net, x, weights, gates), gradients(net, x, weights, active)) < 1e-10


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("make", [darts, bound(nasnet, join="all")], ids=["darts", "nasnet"])
def test_stacked_cells_have_the_gradients_of_the_plain_version(make: Any, affine: bool) -> None:
    graph, x = stacked_graph(make(TASK, width=4, cells=3, nodes=2))
    merged, plain = pair(graph, x, affine=affine)
    weights = weights_for(graph)
    image = torch.randn(2, *x.shape, dtype=torch.float64)
    assert largest_difference(gradients(merged, image, weights), gradients(plain, image, weights)) < 1e-10
    draw = [[k % len(w)] for k, w in enumerate(weights)]
    assert largest_difference(gradients(merged, image, weights, draw), gradients(plain, image, weights, draw)) < 1e-10


def test_gates_select_the_same_as_places_in_stacked_cells() -> None:
    graph, x = stacked_graph(darts(TASK, width=4, cells=3, nodes=2))
    net, _ = pair(graph, x)
    weights = weights_for(graph)
    image = torch.randn(2, *x.shape, dtype=torch.float64)
    draw = [[k % len(w)] for k, w in enumerate(weights)]
    gates = [torch.eye(len(w), dtype=torch.float64)[places[0]] for w, places in zip(weights, draw, strict=True)]
    assert largest_difference(gradients(net, image, weights, gates), gradients(net, image, weights, draw)) < 1e-10


@pytest.mark.parametrize("merged", [False, True])
def test_an_edge_is_the_weighted_sum_of_its_options(merged: bool) -> None:
    options = (("none", Zero()), ("skip", Identity()), ("pool", Pool("avg", 3)), ("conv", relu_conv_bn(4, 3)))
    net = MixedGraph(OpenGraph((OpenEdge(0, 1, options, 0),), (1,)), IMAGE, merged=merged).double()
    x, w = torch.randn(4, 4, 8, 8, dtype=torch.float64), torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    conv = functional.conv2d(x.relu(), net.get_parameter("edge_0_1.conv.conv.weight"), padding=1)
    variance, mean = torch.var_mean(conv, (0, 2, 3), correction=0, keepdim=True)
    average = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    expected = 0.2 * x + 0.3 * average + 0.4 * (conv - mean) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(net(x, [w]), expected)
    torch.testing.assert_close(net(x), x + average + (conv - mean) / (variance + 1e-5).sqrt())


def test_parameters_are_named_by_edge_and_option() -> None:
    names = {name for name, _ in MixedGraph(nb201_graph(), IMAGE).named_parameters()}
    edges = ("0_1", "0_2", "1_2", "0_3", "1_3", "2_3")
    assert names == {f"edge_{e}.{o}.conv.weight" for e in edges for o in ("nor_conv_1x1", "nor_conv_3x3")}


class Calls(TorchDispatchMode):
    """Counts what reaches the kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def calls(net: MixedGraph, active: Sequence[Sequence[int]] | None = None) -> list[str]:
    with Calls() as seen:
        net(torch.randn(2, 4, 8, 8, dtype=torch.float64), weights_for(net.graph), active)
    return seen.names


def test_equal_work_is_done_once() -> None:
    merged, plain = (calls(net) for net in pair(nb201_graph(), IMAGE))
    names = ("convolution", "native_batch_norm", "relu", "avg_pool2d")
    assert [merged.count(name) for name in names] == [6, 6, 3, 3]
    assert [plain.count(name) for name in names] == [12, 12, 12, 6]


def test_what_cannot_reach_the_output_is_not_computed() -> None:
    net, _ = pair(nb201_graph(), IMAGE)
    none, conv = [NB201_OPERATIONS.index("none")], [NB201_OPERATIONS.index("nor_conv_3x3")]
    assert calls(net, [none, conv, conv, conv, conv, none]).count("convolution") == 1  # the edge 0 -> 3 alone


def test_an_option_that_makes_something_of_nothing_is_computed_without_input() -> None:
    nothing, half = (("a", Zero()),), (("a", seq(("act", Activation("sigmoid")))),)
    graph = OpenGraph((OpenEdge(0, 1, nothing, 0), OpenEdge(1, 2, half, 1)), (2,))
    net = MixedGraph(graph, IMAGE)
    one = torch.ones(1)
    for active in (None, [[0], [0]]):
        assert torch.equal(net(torch.randn(2, 4, 8, 8), [one, one], active), torch.full((2, 4, 8, 8), 0.5))


def published_partial(x: Tensor, weight: Tensor, conv: Tensor, edge: Tensor, stride: int) -> Tensor:
    """The mixed operation of the authors of PC-DARTS (`MixedOp` in model_search.py), for K = 4, times edge weights."""
    mixed, rest = x[:, : x.shape[1] // 4], x[:, x.shape[1] // 4 :]
    y = functional.conv2d(mixed.relu(), conv, stride=stride, padding=1)
    y = weight * functional.batch_norm(y, None, None, training=True)
    y = torch.cat([y, rest if stride == 1 else functional.max_pool2d(rest, 2, 2)], dim=1)
    rows, channels, height, width = y.shape
    y = y.view(rows, 4, channels // 4, height, width)
    return edge * torch.transpose(y, 1, 2).contiguous().view(rows, -1, height, width)


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
def test_partial_channels_are_those_of_the_authors_code(stride: int, merged: bool) -> None:
    x = Signal("image", (8, 6, 6))
    options = (("none", Zero()), ("conv", relu_conv_bn(8, 3, stride)))
    same = (("none", Zero()), ("conv", relu_conv_bn(8, 3)))
    graph = OpenGraph((OpenEdge(0, 1, options, 0), OpenEdge(0, 2, options, 1), OpenEdge(1, 2, same, 2)), (1, 2))
    net = MixedGraph(graph, x, partial=4, merged=merged).double()
    image = torch.randn(3, 8, 6, 6, dtype=torch.float64)
    soft = [torch.tensor(row, dtype=torch.float64) for row in ([0.3, 0.7], [0.6, 0.4], [0.5, 0.5])]
    edges = [torch.tensor(value, dtype=torch.float64) for value in (1.0, 0.8, 0.2)]
    kernels = [net.get_parameter(f"edge_{name}.conv.conv.weight") for name in ("0_1", "0_2", "1_2")]
    first = published_partial(image, soft[0][1], kernels[0], edges[0], stride)
    second = published_partial(image, soft[1][1], kernels[1], edges[1], stride)
    second = second + published_partial(first, soft[2][1], kernels[2], edges[2], 1)
    given = [row * edge for row, edge in zip(soft, edges, strict=True)]
    torch.testing.assert_close(net(image, given), torch.cat([first, second], dim=1))


class Doubled(nn.Module):
    """A module whose width is its own affair."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)  # type: ignore[no-any-return]


def test_partial_channels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(
        SpaceError, match=r"1/3 of 4 channels cannot be mixed, because 3 does not divide 4. Take another"
    ):
        MixedGraph(nb201_graph(), IMAGE, partial=3)
    foreign: Expr = module(Doubled).lower(IMAGE)
    with pytest.raises(SpaceError, match=r"cannot be narrowed to 1/2 of the channels: its width is not that of a conv"):
        MixedGraph(OpenGraph((OpenEdge(0, 1, (("own", foreign),), 0),), (1,)), IMAGE, partial=2)
    fixed = OpenEdge(0, 2, (("input", Identity()),))
    graph = OpenGraph(
        (OpenEdge(0, 1, fixed.options), OpenEdge(0, 2, fixed.options, 0), OpenEdge(1, 2, fixed.options)), (2,)
    )
    with pytest.raises(SpaceError, match="Value 2 of a cell adds open and fixed edges"):
        MixedGraph(graph, IMAGE, partial=2)


def test_places_and_gates_are_not_mixed() -> None:
    net = MixedGraph(nb201_graph(), IMAGE)
    with pytest.raises(SpaceError, match="either by their places or by gates, in all mixtures alike"):
        net(torch.randn(2, 4, 8, 8), None, [torch.eye(5)[0], *[[0]] * 5])


def test_norms_take_the_statistics_of_the_batch_in_either_mode() -> None:
    net, x = MixedGraph(nb201_graph(), IMAGE), torch.randn(4, 4, 8, 8)
    assert torch.equal(net.train()(x), net.eval()(x))
    assert not list(net.buffers())


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_averages_by_convolution_are_those_of_the_pooling(stride: int, kernel: int) -> None:
    pool = nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
    x = torch.randn(2, 3, 9, 7, requires_grad=True)
    some, other = pooled(pool, x), pool(x)
    slope = torch.randn_like(other)
    torch.testing.assert_close(some, other)
    torch.testing.assert_close(*(torch.autograd.grad(y, x, slope)[0] for y in (some, other)))


PLAN = Plan(
    starts=2,
    targets=2,
    groups=(
        Group(0, (0, 1), (1, 1), (1, 1), 1e-5),
        Group(0, (0, 1), (1, 1), (0, 0), 1e-5),
        Group(1, (1,), (1, 1), (0, 0), 1e-5),
    ),
    shared=((0, 0), (1, 0), (1, 1)),
)


def fused_inputs() -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Scales, starts and kernels for `PLAN`."""
    draws = torch.Generator().manual_seed(0)
    shapes = [(8,), (3, 2, 4, 5), (3, 2, 4, 5), (4, 2, 3, 3), (4, 2, 1, 1), (2, 2, 1, 1)]
    scales, *rest = (torch.randn(s, dtype=torch.float64, generator=draws).requires_grad_() for s in shapes)
    return scales, rest[:2], rest[2:]


@pytest.mark.parametrize("many", [1, 10**6], ids=["statistics from the input", "statistics from the result"])
def test_the_fused_function_has_the_first_and_second_derivatives_of_its_steps(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pointwise, "MANY", many)
    scales, starts, kernels = fused_inputs()
    inputs = [scales, *starts, *kernels]
    firsts, seconds = [], []
    for function in (leave, stepwise):
        outputs = function(PLAN, scales, starts, kernels)
        slopes = [torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view(y.shape) for y in outputs]
        firsts.append([*outputs, *torch.autograd.grad(outputs, inputs, slopes)])
        gradients = torch.autograd.grad(function(PLAN, scales, starts, kernels), inputs, slopes, create_graph=True)
        square = torch.stack([gradient.square().sum() for gradient in gradients]).sum()
        seconds.append(list(torch.autograd.grad(square, inputs)))
    torch.testing.assert_close(*firsts, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(*seconds, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("many", [1, 10**6])
def test_the_fused_function_without_scales_weighs_by_one(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pointwise, "MANY", many)
    scales, starts, kernels = fused_inputs()
    found = []
    for given in (None, torch.ones_like(scales)):
        outputs = leave(PLAN, given, starts, kernels)
        slopes = [torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view(y.shape) for y in outputs]
        found.append([*outputs, *torch.autograd.grad(outputs, [*starts, *kernels], slopes)])
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)


def test_statistics_from_the_input_are_as_exact_in_float32_as_from_the_result() -> None:
    """On images in channels-last order with a mean far from zero, where single precision is put to the test."""
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(64, 16, 16, 16, generator=draws).add(3).relu().to(memory_format=torch.channels_last)
    kernel = torch.randn(16, 16, 1, 1, generator=draws) / 4
    group = Group(0, (0,), (1, 1), (0, 0), 1e-5)
    assert _pointwise.applies(group, kernel, x)
    (found,), _ = _pointwise.forward(group, kernel, None, x)
    exact = functional.batch_norm(functional.conv2d(x.double(), kernel.double()), None, None, training=True)
    torch_s = functional.batch_norm(functional.conv2d(x, kernel), None, None, training=True)
    assert (found - exact).abs().max() < max(2 * (torch_s - exact).abs().max(), torch.tensor(1e-5))


@pytest.mark.parametrize("plain", [0, 1, 3])
def test_weighted_sums_have_first_and_second_derivatives(plain: int) -> None:
    tensors = [torch.randn(2, 3, 2, 2, dtype=torch.float64).requires_grad_() for _ in range(2 + plain)]
    weights = torch.randn(2, dtype=torch.float64).requires_grad_()
    expected = weights[0] * tensors[0] + weights[1] * tensors[1] + sum(tensors[2:], torch.zeros(()))
    torch.testing.assert_close(_WeightedSum.apply(weights, *tensors), expected)
    assert torch.autograd.gradcheck(_WeightedSum.apply, (weights, *tensors))
    assert torch.autograd.gradgradcheck(_WeightedSum.apply, (weights, *tensors))


@pytest.mark.parametrize("merged", [True, False], ids=["merged", "plain"])
@pytest.mark.parametrize("gated", [True, False], ids=["gates", "places"])
def test_weights_of_idle_options_have_the_gradient_of_the_broadcast_of_the_authors_of_gdas(
    merged: bool, gated: bool
) -> None:
    """Oracle: AutoDL-Projects' forward_gdas, edge by edge: w[drawn] * option(value) + the other weights as numbers."""
    torch.manual_seed(0)
    graph = nb201_graph()
    net = MixedGraph(graph, IMAGE, merged=merged).double()
    x = torch.randn(3, *IMAGE.shape, dtype=torch.float64)
    drawn = [3, 0, 4, 1, 0, 2]  # two edges are "none"
    hard = [torch.eye(5, dtype=torch.float64)[place].requires_grad_() for place in drawn]
    active: Any = (
        [torch.eye(5, dtype=torch.float64)[place] for place in drawn] if gated else [[place] for place in drawn]
    )
    slope = torch.randn(net(x, hard, active).shape, dtype=torch.float64)
    ours = torch.autograd.grad(net(x, hard, active, True), hard, slope)
    values = {0: x}
    for edge in graph.edges:
        assert edge.mixture is not None
        place = drawn[edge.mixture]
        option = getattr(net, edge.name)[edge.options[place][0]]
        rest = hard[edge.mixture].sum() - hard[edge.mixture][place]
        part = hard[edge.mixture][place] * (option(values[edge.source]) if place else torch.zeros_like(x)) + rest
        values[edge.target] = values[edge.target] + part if edge.target in values else part
    theirs = torch.autograd.grad(values[graph.outputs[0]], hard, slope)
    assert torch.equal(net(x, hard, active, True), net(x, hard, active)), "what is added is 0"
    assert largest_difference(ours, theirs) < 1e-10
    assert all(float(gradient.abs().min()) > 0 for gradient, place in zip(ours, drawn, strict=True) if place)
