"""Trainings of one network for one job: which rows may choose its weights, and what a continued trial says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nasturtium.data import Development, load, prepare, split
from nasturtium.evaluators import Standalone, network
from nasturtium.evaluators import latency as latency_room
from nasturtium.roles import Job, Outcome
from nasturtium.training import Recipe, Trained, default_recipe, train
from nasturtium.trial import Fidelity
from nasturtium.zoo import known_networks


def never(curve: tuple[float, ...]) -> bool:
    return False


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 rows of a table, where the class is the sign of a sum."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    raw = load((x, (x.sum(1) > 0).astype(int)), modality="table")
    return prepare(raw, split(raw, 0))[0].save(tmp_path_factory.mktemp("data")).folder or Path()


def outcome(saved: Path, recipe: Recipe, job: Job, **options: object) -> Outcome:
    return Standalone(str(saved), recipe, **options).open()(job, never)  # type: ignore[arg-type]


def test_patience_never_sees_the_rows_that_score_a_resplit(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []

    def spy(module: object, inputs: object, targets: object, held: object, *rest: object, **options: object) -> Trained:
        sizes.append((len(inputs), len(held)))  # type: ignore[arg-type]
        return train(module, inputs, targets, held, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(network, "train", spy)
    data = Development.open(saved)
    subject = known_networks(data.task)[0].tree
    usual = replace(default_recipe(data.task, 180), epochs=2)
    job = Job("0", subject, Fidelity(2), seed=0)
    for recipe in (usual, replace(usual, patience=1)):
        for fold in ("search", "resplit-0"):
            assert outcome(saved, recipe, replace(job, fold=fold)).failure is None
    train_rows, score_rows = (len(rows) for rows in data.fold("resplit-0"))
    assert sizes[1] == (train_rows, score_rows)
    assert sizes[2] == sizes[0], "in the search it is the same for every network"
    assert sum(sizes[3]) == train_rows
    assert sizes[3][1] == pytest.approx(network.STOPPING_SHARE * train_rows, abs=2)


def test_a_continued_trial_says_its_latency_and_is_not_rejected_for_it(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Development.open(saved).task
    recipe = replace(default_recipe(task, 180), epochs=2)
    timed = iter((1.0, 3.0, 3.0))
    monkeypatch.setattr(latency_room, "latency_of", lambda expr, task: next(timed))
    first = Job("0", known_networks(task)[0].tree, Fidelity(1), seed=0, checkpoint=str(tmp_path / "0.safetensors"))
    options = {"latency_limit_ms": 2.0, "measure_latency": True}
    assert outcome(saved, recipe, first, **options).measures["latency_ms"] == 1.0
    second = replace(first, key="1", fidelity=Fidelity(2), parent=first.checkpoint, checkpoint=None)
    continued = outcome(saved, recipe, second, **options)
    assert continued.failure is None
    assert continued.measures["latency_ms"] == 3.0
    assert outcome(saved, recipe, first, **options).failure == "over the latency limit of 2 ms"


def test_a_training_that_the_clock_cut_goes_on_with_what_is_left(saved: Path, tmp_path: Path) -> None:
    task, recipe = Development.open(saved).task, Recipe(lr=1e-3, epochs=400, batch_size=16)
    first, last = str(tmp_path / "first.safetensors"), str(tmp_path / "last.safetensors")
    subject = known_networks(task)[0].tree
    cut = outcome(saved, recipe, Job("a", subject, Fidelity(400), 0, "resplit-0", checkpoint=first, deadline_s=0.5))
    done = cut.measures["epochs"]
    assert 0 < done < 400
    rest = outcome(saved, recipe, Job("b", subject, Fidelity(round(done) + 7), 0, "all", first, 0.5, last))
    assert rest.failure is None
    assert rest.measures["epochs"] == 7
    assert Path(last).exists()
