"""Steps of mixed networks: gradients against autograd's, and recorded steps against steps as they are."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from nasturtium.blocks import NB201Cell
from nasturtium.supernet.mixed_graph import MixedGraph
from nasturtium.supernet.step import MOST_GRAPHS, Outcome, StepRunner
from nasturtium.task import Signal

IMAGE = Signal("image", (4, 6, 6))
LOSS = nn.CrossEntropyLoss()
DRAWS = ([[3], [0], [2], [4], [3], [1]], [[0], [2], [3], [1], [4], [2]], [[3], [3], [3], [0], [0], [0]])


class Net(nn.Module):
    """Two cells and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        graph = NB201Cell(("none",) * 6).relaxed(IMAGE)
        self.cells = nn.ModuleList(MixedGraph(graph, IMAGE) for _ in range(2))
        self.head = nn.Linear(4, 3)
        self.dtypes: list[torch.dtype] = []

    def forward(
        self, x: Tensor, weights: Sequence[Tensor] | None, active: Sequence[Sequence[int] | Tensor] | None
    ) -> Tensor:
        for cell in self.cells:
            x = cell(x, weights, active)
        y: Tensor = self.head(x.mean((2, 3)))
        self.dtypes.append(y.dtype)
        return y


class Recorder:
    """Stands in for a CUDA graph: a replay does the work anew and leaves the results where the first ones were."""

    def __init__(self) -> None:
        self.recordings = 0

    def __call__(self, work: Callable[[], Outcome]) -> tuple[Outcome, Callable[[], None]]:
        self.recordings += 1
        kept = [None if found is None else found.clone() for found in work()]

        def replay() -> None:
            for place, found in zip(kept, work(), strict=True):
                if place is not None and found is not None:
                    place.copy_(found)

        return kept, replay


def net() -> Net:
    torch.manual_seed(0)
    return Net().double()


def batch(seed: int, rows: int = 8) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Images, labels, and parameters of the architecture."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 4, 6, 6, dtype=torch.float64, generator=draws)
    alphas = [torch.randn(5, dtype=torch.float64, generator=draws).requires_grad_() for _ in range(6)]
    return x, torch.arange(rows) % 3, alphas


def filled(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]


def test_a_weight_step_leaves_the_gradients_of_the_loss() -> None:
    network, (x, y, alphas) = net(), batch(0)
    weights = [alpha.softmax(0) for alpha in alphas]
    loss = StepRunner(network, LOSS).weight_step(x, y, weights)
    found = filled(list(network.parameters()))
    network.zero_grad()
    expected = LOSS(network(x, weights, None), y)
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(found, filled(list(network.parameters())))
    assert all(gradient.abs().max() > 0 for gradient in found)


def test_weights_that_a_draw_does_not_use_have_no_gradient() -> None:
    network, (x, y, alphas) = net(), batch(0)
    StepRunner(network, LOSS).weight_step(x, y, alphas, DRAWS[0])
    used = {name for name, p in network.named_parameters() if p.grad is not None}
    # Edges 0-1 (3x3), 1-2 (1x1) and 1-3 (3x3) are on paths to the output; 0-2 and 2-3 carry nothing and the input.
    edges = ("edge_0_1.nor_conv_3x3", "edge_1_2.nor_conv_1x1", "edge_1_3.nor_conv_3x3")
    assert used == {f"cells.{k}.{e}.conv.weight" for k in (0, 1) for e in edges} | {"head.weight", "head.bias"}


@pytest.mark.parametrize("active", [None, DRAWS[0]])
def test_an_architecture_step_gives_the_gradient_that_reaches_the_architecture(active: list[list[int]] | None) -> None:
    network, (x, y, alphas) = net(), batch(0)
    weights = [alpha.softmax(0) for alpha in alphas]
    loss, gradients = StepRunner(network, LOSS).architecture_step(x, y, weights, active)
    torch.autograd.backward(weights, gradients)
    again = [alpha.softmax(0) for alpha in alphas]
    whole = LOSS(network(x, again, active), y)
    torch.testing.assert_close(loss, whole.detach())
    torch.testing.assert_close(
        [alpha.grad for alpha in alphas], list(torch.autograd.grad(whole, alphas, materialize_grads=True))
    )
    assert all(p.grad is None for p in network.parameters())


def test_recorded_steps_follow_the_batch_the_weights_and_the_network() -> None:
    plain, recorded, recorder = net(), net(), Recorder()
    runners = [StepRunner(plain, LOSS), StepRunner(recorded, LOSS, record=recorder)]
    for seed in range(3):
        x, y, alphas = batch(seed)
        weights = [alpha.softmax(0) for alpha in alphas]
        losses = [runner.weight_step(x, y, weights) for runner in runners]
        torch.testing.assert_close(*losses)
        torch.testing.assert_close(*(filled(list(network.parameters())) for network in (plain, recorded)))
        for network in (plain, recorded):
            torch.optim.SGD(network.parameters(), 0.1).step()
        (loss, some), (other, others) = (runner.architecture_step(x, y, weights) for runner in runners)
        torch.testing.assert_close([loss, *some], [other, *others])
    assert recorder.recordings == 2


def test_draws_share_one_recording_and_have_the_same_gradients() -> None:
    network, recorder = net(), Recorder()
    plain, recorded = StepRunner(network, LOSS), StepRunner(network, LOSS, record=recorder)
    for seed, draw in enumerate(DRAWS):
        x, y, alphas = batch(seed)
        found = []
        for runner in (plain, recorded):
            loss = runner.weight_step(x, y, alphas, draw)
            found.append([loss, *filled(runner.parameters)])
            loss, gradients = runner.architecture_step(x, y, alphas, draw)
            found[-1] += [loss, *gradients]
        torch.testing.assert_close(*found, rtol=1e-10, atol=1e-12)
    assert recorder.recordings == 2


def test_a_draw_of_nothing_leaves_the_architecture_without_gradient() -> None:
    network, (x, y, alphas) = net(), batch(0)
    _, gradients = StepRunner(network, LOSS).architecture_step(x, y, alphas, [[0]] * 6)
    assert all(torch.equal(gradient, torch.zeros(5, dtype=torch.float64)) for gradient in gradients)


def test_results_of_a_recorded_step_outlive_the_next_one() -> None:
    runner = StepRunner(net(), LOSS, record=Recorder())
    x, y, alphas = batch(0)
    loss, gradients = runner.architecture_step(x, y, alphas)
    before = [loss.clone(), *(gradient.clone() for gradient in gradients)]
    runner.architecture_step(batch(1)[0], y, alphas)
    torch.testing.assert_close(before, [loss, *gradients], rtol=0, atol=0)


def test_steps_beyond_the_graphs_that_are_kept_are_not_recorded() -> None:
    recorder = Recorder()
    runner = StepRunner(net(), LOSS, record=recorder)
    for rows in range(4, 6 + MOST_GRAPHS):
        x, y, alphas = batch(0, rows)
        runner.weight_step(x, y, alphas)
    assert recorder.recordings == MOST_GRAPHS


def test_several_open_options_of_a_mixture_are_recorded_for_themselves() -> None:
    network, recorder = net(), Recorder()
    pruned = [[1, 2, 3]] * 6
    x, y, alphas = batch(0)
    (loss, some), (other, others) = (
        StepRunner(network, LOSS, record=record).architecture_step(x, y, alphas, pruned) for record in (None, recorder)
    )
    torch.testing.assert_close([loss, *some], [other, *others])
    assert recorder.recordings == 1


def test_bfloat16_runs_the_network_in_it_with_nearly_the_same_gradients() -> None:
    network, (x, y, alphas) = net().float(), batch(0)
    weights = [alpha.detach().float().softmax(0) for alpha in alphas]
    found = []
    for bfloat16 in (False, True):
        StepRunner(network, LOSS, bfloat16=bfloat16).weight_step(x.float(), y, weights)
        assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in network.parameters())
        found.append(torch.cat([gradient.flatten() for gradient in filled(list(network.parameters()))]))
    assert network.dtypes == [torch.float32, torch.bfloat16]
    assert torch.cosine_similarity(*found, dim=0) > 0.99


@pytest.mark.gpu
def test_captured_steps_have_the_gradients_of_steps_as_they_are() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    plain, captured = StepRunner(net(), LOSS), StepRunner(net().cuda(), LOSS)
    for seed, draw in enumerate((None, None, *DRAWS)):
        x, y, alphas = batch(seed)
        found = []
        for runner, device in ((plain, "cpu"), (captured, "cuda")):
            given = (x.to(device), y.to(device), [alpha.detach().to(device) for alpha in alphas])
            loss = runner.weight_step(*given, draw)
            found.append([loss.cpu(), *(gradient.cpu() for gradient in filled(runner.parameters))])
            loss, gradients = runner.architecture_step(*given, draw)
            found[-1] += [loss.cpu(), *(gradient.cpu() for gradient in gradients)]
        torch.testing.assert_close(*found, rtol=1e-8, atol=1e-10)
