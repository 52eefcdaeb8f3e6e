"""The inherited evaluator: one supernet on disk scores architectures, with nothing trained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from nasturtium.blocks import ConvBN, Head, sequence, stage
from nasturtium.data import Development, load, prepare, split
from nasturtium.evaluators import Inherited, restore
from nasturtium.roles import Evaluator, Job
from nasturtium.space import Space, choice, integer
from nasturtium.supernet import Supernet, recalibrate, save_supernet
from nasturtium.testing.evaluators import EvaluatorSuite
from nasturtium.training import predict
from nasturtium.trial import Fidelity


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 images, light or dark."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    images = rng.normal(size=(200, 1, 6, 6)).astype(np.float32) + labels[:, None, None, None]
    raw = load((images, labels), modality="image")
    return prepare(raw, split(raw, 0))[0].save(tmp_path_factory.mktemp("data")).folder or Path()


@pytest.fixture(scope="module")
def made(saved: Path) -> Inherited:
    task = Development.open(saved).task
    body = stage(ConvBN(kernel=choice(1, 3)), choice(4, 6), integer(1, 2))
    space = Space(sequence(body=body, head=Head(task)), task, "light")
    save_supernet(Supernet(space), saved / "net.safetensors")
    return Inherited(str(saved), space, str(saved / "net.safetensors"))


class TestInherited(EvaluatorSuite):
    @pytest.fixture(autouse=True)
    def _made(self, made: Inherited) -> None:
        self._spec = made

    def evaluator(self) -> Evaluator:
        return self._spec

    def jobs(self) -> Sequence[Job]:
        return [Job(str(seed), self._spec.space.sample(seed), Fidelity(1), seed=0) for seed in (0, 3)]


def test_the_score_is_that_of_the_recalibrated_network(made: Inherited, tmp_path: Path) -> None:
    architecture = made.space.sample(1)
    job = Job("0", architecture, Fidelity(1), seed=0, checkpoint=str(tmp_path / "best"))
    outcome = made.open()(job, lambda curve: False)
    data = Development.open(made.folder)
    train, held = data.fold("search")
    mean, std = data.inputs[train].mean(), data.inputs[train].std()
    seen, scored = (torch.from_numpy((data.inputs[rows] - mean) / std).float() for rows in (train, held))
    network = Supernet(made.space).extract(architecture)
    recalibrate(network, seen)
    accuracy = float((predict(network, scored).argmax(1) == data.targets[held]).mean())
    assert outcome.measures["accuracy"] == pytest.approx(accuracy, abs=1 / len(held))
    whole = restore(architecture, data.task, outcome.checkpoint or "")
    again = float((predict(whole, torch.from_numpy(data.inputs[held]).float()).argmax(1) == data.targets[held]).mean())
    assert outcome.measures["accuracy"] == again


def test_another_subject_than_an_architecture_is_a_defect(made: Inherited) -> None:
    with pytest.raises(TypeError, match="a supernet scores architectures, not str"):
        made.open()(Job("0", "resnet", Fidelity(1), seed=0), lambda curve: False)
