"""What once-for-all does to weights that are to shrink: kernels are transformed, channels are sorted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nasturtium.blocks import ConvBN, DenseResidual, Embed, Head, MBConv, sequence, stage
from nasturtium.space import Architecture, Space, choice, integer
from nasturtium.supernet import Supernet, load_supernet, save_supernet
from nasturtium.supernet.course import Course, follow
from nasturtium.supernet.once_for_all import OnceForAll, Sorted
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.registry import one_shot
from nasturtium.supernet.sizes import extremes
from nasturtium.supernet.sorting import sort_channels
from nasturtium.task import Signal, Task
from nasturtium.training import Recipe
from nasturtium.zoo import conv_macro

IMAGE = Task("classification", Signal("image", (2, 8, 8)), 3, "accuracy")
WAVE = Task("classification", Signal("sequence", (2, 16)), 3, "accuracy")
TABLE = Task("classification", Signal("table", (5,)), 3, "accuracy")
KERNELS = (3, 5, 7)


def kernels(task: Task) -> Space:
    return Space(sequence(stem=ConvBN(4, kernel=choice(*KERNELS)), head=Head(task)), task, "kernels")


def widths(task: Task = IMAGE) -> Space:
    """Inverted residuals of three expansions, with and without squeeze-excitation; the stage has two widths."""
    block = MBConv(kernel=choice(3, 5), expand=choice(2, 4, 6), se=choice(False, True))
    body = stage(block, choice(4, 8), integer(1, 2), 1)
    return Space(sequence(stem=ConvBN(8), body=body, head=Head(task)), task, "widths")


def table() -> Space:
    body = stage(lambda at: DenseResidual(expand=choice(1, 2, 4)), 8, 2)
    return Space(sequence(embed=Embed(), body=body, head=Head(TABLE)), TABLE, "table")


def scrambled(space: Space, seed: int = 0, **made: bool) -> Supernet:
    """A supernet in float64 whose tensors are all random, scales and shifts of norms as well."""
    net, draws = Supernet(space, seed=seed, **made).double(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws, dtype=torch.float64))
    return net


def rows(task: Task) -> Tensor:
    return torch.randn(7, *task.input.tensor_shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("task", [IMAGE, WAVE])
def test_a_smaller_kernel_is_the_transformed_centre_of_the_next_larger_one(task: Task) -> None:
    """Against the formula of the authors' code, tap by tap; the extracted network has the transformed kernel."""
    space, rank = kernels(task), task.input.rank
    net = scrambled(space, transforms=True)
    whole = next(p for name, p in net.named_parameters() if name.endswith("conv.weight"))
    matrices = {name.rsplit(":", 1)[1]: p for name, p in net.named_parameters() if ":" in name}
    assert set(matrices) == {"7to5", "5to3"}
    wanted = {7: whole}
    for large, small in ((7, 5), (5, 3)):
        inner = wanted[large][(..., *[slice(1, -1)] * rank)].flatten(2)
        turned = torch.einsum("oit,st->ois", inner, matrices[f"{large}to{small}"])
        wanted[small] = turned.reshape(*whole.shape[:2], *[small] * rank)
    convolve = functional.conv2d if rank == 2 else functional.conv1d
    x = rows(task)
    for architecture in space.enumerate():
        (size,) = architecture.values.values()
        network = net.extract(architecture)
        (kernel,) = [p for name, p in network.named_parameters() if name.endswith("conv.weight")]
        torch.testing.assert_close(kernel, wanted[int(size)])
        torch.testing.assert_close(network(x), net.path(x, architecture), rtol=0, atol=0)
        assert convolve(x, kernel, padding=int(size) // 2).shape[2:] == x.shape[2:]
    smallest = next(one for one in space.enumerate() if "3" in one.values.values())
    net.path(x, smallest).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in (whole, *matrices.values()))


def test_at_first_a_transformed_kernel_is_the_centre(path_space: Space, path_rows: SearchRows) -> None:
    plain, transformed = Supernet(path_space, seed=2), Supernet(path_space, seed=2, transforms=True)
    added = dict(transformed.named_parameters()).keys() - dict(plain.named_parameters()).keys()
    assert added
    assert all(name.endswith(":5to3") for name in added)
    rng = np.random.default_rng(0)
    for _ in range(10):
        path = path_space.sample(rng)
        both = [net.path(path_rows.inputs[:9], path) for net in (plain, transformed)]
        torch.testing.assert_close(*both)


def test_a_supernet_with_transforms_is_saved_and_read(path_space: Space, path_rows: SearchRows, tmp_path: Path) -> None:
    net = scrambled(path_space, transforms=True).float()
    save_supernet(net, tmp_path / "net.safetensors")
    again, path = load_supernet(tmp_path / "net.safetensors", path_space), path_space.sample(5)
    assert again.transforms
    assert torch.equal(again.path(path_rows.inputs, path), net.path(path_rows.inputs, path))


def test_only_once_for_all_asks_for_transforms() -> None:
    made = {name: one_shot(name, 1000, lambda space, seed: None).transforms for name in ("ofa", "bignas", "spos")}  # type: ignore[arg-type, return-value]
    assert made == {"ofa": True, "bignas": False, "spos": False}


@pytest.mark.parametrize(
    "make",
    [widths, lambda: widths(WAVE), table, lambda: conv_macro(IMAGE, max_params=20_000)],
    ids=["images", "sequences", "table", "conv-macro"],
)
def test_sorting_does_not_change_what_the_widest_networks_do(make: Callable[[], Space]) -> None:
    """Whatever they take where decisions have no order: blocks, squeeze-excitation, skips."""
    space = make()
    net = scrambled(space).eval()
    assert space.task is not None
    x, rng = rows(space.task), np.random.default_rng(0)
    wide = [one for _ in range(25) for one in OnceForAll().phases(space)[0].draw(rng)]
    before = [net.path(x, one) for one in wide]
    kept = {name: p.clone() for name, p in net.named_parameters()}
    greatest = sorting(space).greatest
    assert sort_channels(net, greatest) > 0
    for one, output in zip(wide, before, strict=True):
        torch.testing.assert_close(net.path(x, one), output)
    moved = {name for name, p in net.named_parameters() if not torch.equal(p, kept[name])}
    assert moved
    assert all(
        torch.equal(p.flatten().sort().values, kept[name].flatten().sort().values) for name, p in net.named_parameters()
    )
    once = {name: p.clone() for name, p in net.named_parameters()}
    sort_channels(net, greatest)
    assert all(torch.equal(p, once[name]) for name, p in net.named_parameters()), "what is sorted stays"


def sorting(space: Space, phase: str = "width, first") -> Sorted:
    (found,) = [one.before for one in OnceForAll().phases(space) if one.name == phase]
    assert isinstance(found, Sorted)
    return found


def test_narrow_networks_keep_the_most_important_channels() -> None:
    """Importance by hand: the L1 norm over what the projection, or the second layer of the gate, reads of a channel."""
    space = widths()
    net = scrambled(space)
    read = {
        n: p for n, p in net.named_parameters() if n.endswith(("body.project.conv.weight", "se.body.expand.weight"))
    }
    before = {name: p.abs().sum((0, 2, 3)).sort(descending=True).values for name, p in read.items()}
    sorting(space)(net)
    sorted_ones = [name for name, p in read.items() if torch.allclose(p.abs().sum((0, 2, 3)), before[name])]
    assert sorted_ones == [
        f"bank.body.{place}.branches.body.{name}"
        for place in (0, 1)
        for name in ("project.conv.weight", "se.body.expand.weight")
    ], "those of the widest stage; a narrower one has no residual, and other weights, which are not trained yet"


def test_widths_that_were_trained_keep_their_channels() -> None:
    """After the first stage, in which expansions 4 and 6 were trained: their functions stay, that of 2 does not."""
    space = widths()
    net, x = scrambled(space), rows(IMAGE)
    largest = extremes(space).largest

    def expanded(expand: int, width: int) -> Architecture:
        values = {
            path: str(expand) if path.endswith("expand") else str(width) if path.endswith("width") else value
            for path, value in largest.values.items()
        }
        return space.architecture(values)

    every = [expanded(expand, width) for expand in (6, 4, 2) for width in (8, 4)]
    before = [net.path(x, one) for one in every]
    sorting(space, "width")(net)
    same = [torch.allclose(net.path(x, one), output) for one, output in zip(every, before, strict=True)]
    assert same[:4] == [True] * 4
    assert not all(same[4:])


def test_a_course_that_sorts_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """Stopped in the full network and in the last phase, of 48 steps."""
    space = widths()
    draws = torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(64, 2, 8, 8, generator=draws), torch.randint(3, (64,), generator=draws)
    recipe = Recipe("sgd", 0.05, 1e-4, epochs=12, batch_size=16)
    phases = tuple(OnceForAll().phases(space))

    def walked(file: Path | None, steps: int | None) -> Supernet:
        net = Supernet(space, seed=1, transforms=True)
        course = Course("ofa", phases, recipe, seed=0, every_s=0.0)
        report = None if steps is None else lambda progress: progress.total >= steps
        follow(course, net, net, inputs, targets, IMAGE, report=report, checkpoint=file)
        return net

    whole = walked(None, None)
    for steps in (14, 46):
        file = tmp_path / f"{steps}.safetensors"
        walked(file, steps)
        resumed = walked(file, None)
        for name, tensor in whole.state_dict().items():
            assert torch.equal(tensor, resumed.state_dict()[name]), name
