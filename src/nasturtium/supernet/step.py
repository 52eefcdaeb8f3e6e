"""Losses and gradients of one step of a network of mixed cells; on a GPU each kind of step is one captured CUDA graph.

A mixed network is hundreds of small kernels, which a GPU finishes faster than Python can launch them; a graph launches
them at once. A graph is of fixed shape, so a step copies its batch, the weights of the mixtures and, where one option
of each mixture is open, the gates that open it into the graph's own tensors: a new draw needs no new capture.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from nasturtium.training import Loss

Active = Sequence[Sequence[int]]
Outcome = list[Tensor | None]
Record = Callable[[Callable[[], Outcome]], tuple[Outcome, Callable[[], None]]]
"""Runs work and gives its results, with a function that does the work anew and leaves the results in the same place."""

MOST_GRAPHS = 8
"""Graphs that are kept: each holds the memory of a whole step. Further kinds of steps run without one."""
WARM_UPS = 3
"""Runs before a capture, in which libraries choose their kernels (as torch's documentation of graphs asks for)."""


@dataclass(frozen=True)
class _Graph:
    """A recorded step. Its inputs are overwritten before, its outcome after each replay."""

    inputs: tuple[Tensor, ...]
    outcome: Outcome
    replay: Callable[[], None]

    def __call__(self, *values: Tensor) -> Outcome:
        for buffer, value in zip(self.inputs, values, strict=True):
            buffer.copy_(value, non_blocking=True)
        self.replay()
        return self.outcome


class StepRunner:
    """Steps of `net(x, weights, active)`, which gives the outputs that `loss(outputs, targets)` judges.

    net: its parameters may be changed in place, but not replaced or moved. bfloat16: run the network under autocast.
    record: how a step is captured; None captures CUDA graphs on a GPU, and elsewhere runs each step as it is.
    """

    def __init__(self, net: nn.Module, loss: Loss, *, bfloat16: bool = False, record: Record | None = None) -> None:
        self.net, self.loss, self.bfloat16 = net, loss, bfloat16
        self.parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
        device = self.parameters[0].device
        self._record = record_cuda if record is None and device.type == "cuda" else record
        self._graphs: dict[object, _Graph] = {}

    def weight_step(
        self,
        x: Float[Tensor, "batch ..."],
        y: Shaped[Tensor, "batch ..."],
        weights: Sequence[Float[Tensor, " options"]],
        active: Active | None = None,
    ) -> Float[Tensor, ""]:
        """Mean loss; the gradients are then the `grad` of the network's parameters, until the next step.

        A parameter that no active option uses has None, except in a captured step whose draw is made by gates: there
        it has zeros, so that momentum and decay of an optimiser still move it.
        """
        loss, *gradients = self._run("weights", x, y, weights, active)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        assert loss is not None  # the first of an outcome
        return loss.clone()

    def architecture_step(
        self,
        x: Float[Tensor, "batch ..."],
        y: Shaped[Tensor, "batch ..."],
        weights: Sequence[Float[Tensor, " options"]],
        active: Active | None = None,
    ) -> tuple[Float[Tensor, ""], list[Float[Tensor, " options"]]]:
        """Mean loss and its gradients in the weights of the mixtures, 0 for what is not active.

        Carry them on to the parameters of the architecture by `torch.autograd.backward(weights, gradients)`. No
        gradient of the network's own parameters is computed.
        """
        loss, gradient = self._run("architecture", x, y, weights, active)
        assert loss is not None
        if gradient is None:
            return loss.clone(), [torch.zeros_like(part) for part in weights]
        return loss.clone(), list(gradient.clone().split([len(part) for part in weights]))

    def _run(
        self,
        kind: Literal["weights", "architecture"],
        x: Tensor,
        y: Tensor,
        weights: Sequence[Tensor],
        active: Active | None,
    ) -> Outcome:
        flat = torch.cat([part.detach() for part in weights]).to(x.device)
        sizes = [len(part) for part in weights]
        if self._record is None:
            return self._gradients(kind, x, y, flat, sizes, active)
        gates = None if active is None or any(len(places) > 1 for places in active) else _gates(active, sizes, flat)
        given = (x, y, flat) if gates is None else (x, y, flat, gates)
        draw = None if gates is not None or active is None else tuple(tuple(places) for places in active)
        key = (kind, draw, tuple((tuple(value.shape), value.dtype, value.stride()) for value in given))
        if key not in self._graphs:
            if len(self._graphs) >= MOST_GRAPHS:
                return self._gradients(kind, x, y, flat, sizes, active)
            self._graphs[key] = self._recorded(self._record, kind, given, sizes, draw)
        return self._graphs[key](*given)

    def _recorded(
        self,
        record: Record,
        kind: Literal["weights", "architecture"],
        given: tuple[Tensor, ...],
        sizes: list[int],
        draw: Active | None,
    ) -> _Graph:
        inputs = tuple(value.detach().clone() for value in given)
        x, y, flat, *gates = inputs

        def work() -> Outcome:
            return self._gradients(kind, x, y, flat, sizes, gates[0].split(sizes) if gates else draw)

        outcome, replay = record(work)
        return _Graph(inputs, outcome, replay)

    def _gradients(
        self,
        kind: Literal["weights", "architecture"],
        x: Tensor,
        y: Tensor,
        flat: Tensor,
        sizes: list[int],
        active: Active | Sequence[Tensor] | None,
    ) -> Outcome:
        """The loss and what it is differentiated in: all parameters, or all weights of mixtures as one vector."""
        mixed = flat.detach().requires_grad_(kind == "architecture")
        wanted = self.parameters if kind == "weights" else [mixed]
        cache = x.device.type != "cuda"  # a graph would not cast anew what an earlier replay has cast
        with frozen(() if kind == "weights" else self.parameters):
            with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bfloat16, cache_enabled=cache):
                outputs = self.net(x, mixed.split(sizes), active)
            loss = self.loss(outputs if outputs.dtype == torch.float64 else outputs.float(), y)
            if not loss.requires_grad:  # nothing that was computed depends on what is asked for
                return [loss.detach(), *(None for _ in wanted)]
            return [loss.detach(), *torch.autograd.grad(loss, wanted, allow_unused=True)]


@contextmanager
def frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Parameters of which no gradient is wanted, inside.

    To ask `autograd.grad` for other gradients only is not enough: a function written in Python cannot see what it was
    asked for, and computes the gradient of everything that requires one.
    """
    held = [parameter for parameter in parameters if parameter.requires_grad]
    try:
        for parameter in held:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in held:
            parameter.requires_grad_(True)


def record_cuda(work: Callable[[], Outcome]) -> tuple[Outcome, Callable[[], None]]:
    """Capture work on the current GPU in a graph, after runs that are thrown away."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outcome = work()
    return outcome, graph.replay


def _gates(active: Active, sizes: Sequence[int], like: Tensor) -> Tensor:
    """1 for the open option of each mixture (none, if nothing is), else 0; all mixtures in one vector."""
    gates = torch.zeros(sum(sizes), dtype=like.dtype)
    start = 0
    for places, size in zip(active, sizes, strict=True):
        for place in places:
            gates[start + place] = 1
        start += size
    return gates.to(like.device, non_blocking=True)
