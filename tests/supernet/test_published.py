"""The published settings of the searches by paths train, and go on from a checkpoint, as the defaults do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nasturtium.roles import SearchBudget
from nasturtium.space import Space
from nasturtium.strategies.enas_controller import EnasController
from nasturtium.supernet import Supernet
from nasturtium.supernet.course import Course, Phase, follow
from nasturtium.supernet.enas import Enas
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.fairnas import FairNas
from nasturtium.supernet.once_for_all import OnceForAll
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.paths import Uniform
from nasturtium.supernet.spos import Spos
from nasturtium.training import Recipe

FEW = Evolution(population=4, generations=2, top=2, crossovers=2, mutations=2)
SGD = Recipe("sgd", 0.05, 4e-5, 0.9, "cosine", 0.0, 3, 16)
PUBLISHED: dict[str, Callable[[], Spos | FairNas | OnceForAll | Enas]] = {
    "spos": lambda: replace(Spos.original(), evolution=FEW),
    "fairnas": lambda: replace(FairNas.original(), evolution=FEW),
    "ofa": lambda: replace(OnceForAll.original(), evolution=FEW),
    "enas": lambda: replace(Enas.original_micro(EnasController.original().policy), steps=2, samples=2, final=3),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_train(name: str, path_space: Space, path_rows: SearchRows) -> None:
    method = PUBLISHED[name]()
    assert method.recipe is not None
    # Batches of which 90 rows give several, and no rate that is for those of 2,048.
    small = replace(method, recipe=replace(method.recipe, batch_size=16, lr=min(0.05, method.recipe.lr)))
    found = small.train(Supernet(path_space), path_rows, SearchBudget(epochs=12), seed=3)
    assert len(found.architectures) == 1
    losses = [epoch.train_loss for epoch in found.trace.epochs[:3]]  # of once-for-all, all by the full network
    assert min(losses[1:]) < losses[0]


def test_a_course_of_sgd_goes_on_bit_for_bit(path_space: Space, path_rows: SearchRows, tmp_path: Path) -> None:
    def walked(file: Path | None, passes: int | None) -> dict[str, torch.Tensor]:
        net = Supernet(path_space, seed=3)
        course = Course("spos", (Phase("paths", Uniform(path_space)),), SGD, seed=5, every_s=0.0)
        report = None if passes is None else lambda progress: len(progress.losses) == passes
        follow(course, net, net, path_rows.inputs, path_rows.targets, path_rows.task, report=report, checkpoint=file)
        return net.state_dict()

    file = tmp_path / "weights.safetensors"
    walked(file, 1)
    resumed, whole = walked(file, None), walked(None, None)
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
