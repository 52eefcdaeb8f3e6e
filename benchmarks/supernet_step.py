"""One weight step and one architecture step of the NAS-Bench-201 supernet, beside the authors' way of computing it.

Figures to reach (C = 16, N = 5, batch 64, images of 32 x 32):
- one CPU thread, CPU seconds: DARTS 1.7, GDAS 0.55, a random path (weights only) 0.22; the reference implementations
  measured before were 4.62 / 1.11 / 0.29 (AutoDL-Projects) and 4.94 / 1.09 (NASLib, the first two).
- H100, milliseconds: 28, 15 and 4; reference 218 / 132 / 19, and 56 for its DARTS step captured in a CUDA graph.
Gradients of the merged network are compared with the plain version's in float64 in the same run: 1e-10 at most.

Settings: a step is loss, gradients, clipping (5) and the optimiser (SGD with Nesterov momentum, Adam), as in the
authors' loops; random images. GDAS and paths: the mean over a fixed list of draws, the same for both sides. On the CPU
each draw counts with the least of its repetitions, because other processes only ever add to CPU seconds; on a GPU
everything is timed as one block. The sides take turns in one process, each with all its steps.

Run: python benchmarks/supernet_step.py (about six minutes of one CPU core)
     python benchmarks/supernet_step.py --device cuda (on an H100 with the package installed: about two minutes; the
     result is benchmarks/results/supernet_step_cuda.json)
"""

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from _plain_supernet import PlainSupernet
from _record import record
from torch import Tensor, nn

from nasturtium.blocks import NB201_OPERATIONS
from nasturtium.supernet import Supernet
from nasturtium.supernet.step import StepRunner
from nasturtium.task import Signal, Task
from nasturtium.zoo import nasbench201

TASK = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")
EDGES, OPTIONS, BATCH, SEED = 6, len(NB201_OPERATIONS), 64, 0
DRAWS, REPETITIONS = 20, 4
MODES = ("darts", "gdas", "path")
TARGETS = {"cpu": {"darts": 1.7, "gdas": 0.55, "path": 0.22}, "cuda": {"darts": 0.028, "gdas": 0.015, "path": 0.004}}
MOST_DIFFERENCE = 1e-10
LOSS = nn.CrossEntropyLoss()
Draw = list[list[int]]


def draws(count: int) -> list[tuple[Draw, Draw]]:
    """For each step, the options of the weight step and of the architecture step."""
    rng = random.Random(SEED)
    return [tuple([[rng.randrange(OPTIONS)] for _ in range(EDGES)] for _ in range(2)) for _ in range(count)]


def batches(device: torch.device, channels_last: bool) -> list[tuple[Tensor, Tensor]]:
    """One for the weights and one for the architecture."""
    rng = torch.Generator().manual_seed(SEED)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return [
        (
            torch.randn(BATCH, 3, 32, 32, generator=rng).to(device).to(memory_format=layout),
            torch.randint(10, (BATCH,), generator=rng).to(device),
        )
        for _ in range(2)
    ]


class Side:
    """A network with its optimisers, and how each mode runs one step of it."""

    def __init__(self, net: nn.Module, device: torch.device) -> None:
        self.net = net
        self.alphas = (1e-3 * torch.randn(EDGES, OPTIONS, generator=torch.Generator().manual_seed(SEED))).to(device)
        self.alphas.requires_grad_()
        self.weights = torch.optim.SGD(net.parameters(), 0.025, momentum=0.9, nesterov=True, weight_decay=5e-4)
        self.architecture = torch.optim.Adam([self.alphas], 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)

    def relaxed(self, draw: Draw | None) -> list[Tensor]:
        """Weights of the mixtures: soft, or those of a draw with a straight-through gradient (GDAS, equation 7)."""
        soft = self.alphas.softmax(1)
        if draw is None:
            return list(soft.unbind())
        hard = torch.zeros(EDGES, OPTIONS)
        hard[range(EDGES), [places[0] for places in draw]] = 1
        return list((hard.to(soft.device) - soft.detach() + soft).unbind())

    def move_weights(self) -> None:
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.weights.step()


class Reference(Side):
    """The authors' way: `backward` computes every gradient in every step."""

    def __init__(self, device: torch.device) -> None:
        torch.manual_seed(SEED)
        super().__init__(PlainSupernet().to(device), device)
        self.batches = batches(device, channels_last=False)

    def step(self, mode: str, draw: tuple[Draw, Draw]) -> None:
        (x, y), (x_valid, y_valid) = self.batches
        drawn = (None, None) if mode == "darts" else draw
        self.weights.zero_grad()
        LOSS(self.net(x, None if mode == "path" else self.relaxed(drawn[0]), drawn[0]), y).backward()
        self.move_weights()
        if mode != "path":
            self.architecture.zero_grad()
            LOSS(self.net(x_valid, self.relaxed(drawn[1]), drawn[1]), y_valid).backward()
            self.architecture.step()


class Ours(Side):
    """Merged, channels-last, only the gradients that are asked for; captured on a GPU."""

    def __init__(self, device: torch.device, bfloat16: bool) -> None:
        super().__init__(Supernet(nasbench201(TASK), seed=SEED).to(device), device)
        self.batches = batches(device, channels_last=True)
        self.runner = StepRunner(self.net, LOSS, bfloat16=bfloat16)

    def step(self, mode: str, draw: tuple[Draw, Draw]) -> None:
        train, valid = self.batches
        drawn = (None, None) if mode == "darts" else draw
        self.runner.weight_step(*train, self.relaxed(drawn[0]), drawn[0])
        self.move_weights()
        if mode != "path":
            weights = self.relaxed(drawn[1])
            _, gradients = self.runner.architecture_step(*valid, weights, drawn[1])
            self.architecture.zero_grad()
            torch.autograd.backward(weights, gradients)
            self.architecture.step()


def seconds_on_cpu(sides: dict[str, Side], mode: str, repetitions: int) -> dict[str, dict[str, Any]]:
    """CPU seconds of a step of each side. Steps of one side follow each other, as in a training."""
    steps = draws(1 if mode == "darts" else DRAWS)
    least = {name: [float("inf")] * len(steps) for name in sides}
    for _ in range(repetitions):
        for name, side in sides.items():
            side.step(mode, steps[-1])  # not counted: it also asks the system for memory that the other side gave back
            for place, draw in enumerate(steps):
                start = time.process_time()
                side.step(mode, draw)
                least[name][place] = min(least[name][place], time.process_time() - start)
    return {name: {"seconds": sum(found) / len(found), "steps": len(found)} for name, found in least.items()}


def seconds_on_gpu(sides: dict[str, Side], mode: str, repetitions: int) -> dict[str, dict[str, Any]]:
    """Wall seconds of a step of each side."""
    steps = draws(DRAWS)
    found: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        for draw in steps:
            side.step(mode, draw)
    for _ in range(repetitions):
        for name, side in sides.items():
            torch.cuda.synchronize()
            start = time.perf_counter()
            for draw in steps:
                side.step(mode, draw)
            torch.cuda.synchronize()
            found[name].append((time.perf_counter() - start) / len(steps))
    return {name: {"seconds": min(times), "all": times, "steps": len(steps)} for name, times in found.items()}


def difference(device: torch.device) -> float:
    """Largest difference between gradients of the merged and the plain network in float64, relative to each tensor."""
    found = []
    x = torch.randn(4, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(SEED)).to(device)
    y = torch.arange(4, device=device)
    for precise in (False, True):
        net = Supernet(nasbench201(TASK), seed=SEED, precise=precise).double().to(device)
        alphas = torch.linspace(-1, 1, EDGES * OPTIONS, dtype=torch.float64, device=device).view(EDGES, OPTIONS)
        alphas.requires_grad_()
        loss = LOSS(net(x.to(memory_format=torch.channels_last), list(alphas.softmax(1).unbind())), y)
        wanted: Sequence[Tensor] = [alphas, *net.parameters()]
        gradients = torch.autograd.grad(loss, wanted, materialize_grads=True, allow_unused=True)
        found.append([loss.detach(), *gradients])
    return max(float((a - b).abs().max() / (1e-4 + b.abs().max())) for a, b in zip(*found, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--dry", action="store_true", help="write no record")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(arguments.device)
    torch.backends.cudnn.benchmark = True
    measure: Callable[..., dict[str, dict[str, Any]]] = seconds_on_cpu if device.type == "cpu" else seconds_on_gpu
    figures: dict[str, Any] = {
        "device": _name(device),
        "load average at the start": os.getloadavg()[0],
        "largest gradient difference in float64": difference(device),
    }
    print(f"largest difference of gradients in float64: {figures['largest gradient difference in float64']:.1e}")
    for mode in arguments.modes:
        sides = {"reference": Reference(device), "ours": Ours(device, False), "ours, bfloat16": Ours(device, True)}
        found = measure(sides, mode, arguments.repetitions)
        target = TARGETS[device.type][mode]
        for name, row in found.items():
            row["times faster than the reference"] = found["reference"]["seconds"] / row["seconds"]
            row["reached"] = name == "reference" or row["seconds"] <= target
            print(
                f"{mode:6} {name:15} {row['seconds']:.4f} s", "" if row["reached"] else f"(wanted {target})", flush=True
            )
        figures[mode] = {"wanted seconds": target, **found}
    if not arguments.dry:
        record("supernet_step" if device.type == "cpu" else "supernet_step_cuda", figures)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "one CPU thread"


if __name__ == "__main__":
    main()
