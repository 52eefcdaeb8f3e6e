"""From a source to what a search may see: read, profile, split, seal; and the recipe that follows from it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nasturtium.data import Development, Preprocessing, Profile, SealedTest, load, prepare, profile, split
from nasturtium.errors import RunError
from nasturtium.task import Task
from nasturtium.training import Recipe, default_metric, default_recipe, find_metric, flips_survive
from nasturtium.workflows.options import SearchOptions


@dataclass(frozen=True, eq=False)
class Prepared:
    """The data of one run. development: saved in the run's work directory, where workers open it."""

    name: str
    profile: Profile
    development: Development
    sealed: SealedTest
    fingerprints: dict[str, str]
    split_how: str

    @property
    def task(self) -> Task:
        return self.development.task

    @property
    def preprocessing(self) -> Preprocessing:
        return self.development.preprocessing


def prepare_data(options: SearchOptions) -> Prepared:
    """Read, profile and split. Nothing is written. Raises `DataError` and `UserError`."""
    raw = load(
        options.source,
        target=options.target,
        task=options.task,
        modality=options.modality,
        group=options.group,
        time=options.time,
        split=options.split,
        drop=options.drop,
        metric=options.metric,
        image_size=options.image_size,
    )
    metric = find_metric(options.metric, raw.kind).name if options.metric else default_metric(raw.kind)
    raw = replace(raw, metric=metric)
    splits = split(raw, options.seed)
    found = profile(raw, splits)
    development, sealed = prepare(raw, splits)
    fingerprints = {"data": found.fingerprint, "split": splits.fingerprint, "test": sealed.fingerprint}
    return Prepared(raw.name, found, development, sealed, fingerprints, splits.how)


def choose_recipe(options: SearchOptions, prepared: Prepared) -> Recipe:
    """The recipe of every network of the run."""
    data, task = prepared.development, prepared.task
    rows = data.fold("search")[0]
    classes_of_images = task.modality == "image" and task.kind == "classification"
    flip = classes_of_images and flips_survive(
        torch.from_numpy(data.inputs[rows]), torch.from_numpy(data.targets[rows]), options.seed
    )
    return default_recipe(task, len(rows), flip=flip)


def keep(prepared: Prepared, folder: Path) -> Prepared:
    """Write the development rows (never the test rows) where worker processes open them."""
    return replace(prepared, development=prepared.development.save(folder / "data"))


def check_same_data(prepared: Prepared, manifest: dict[str, Any]) -> None:
    """A resumed run must see the rows that it started with."""
    if manifest["fingerprints"] != prepared.fingerprints:
        raise RunError(
            f"The data of {prepared.name!r} has changed since the run began (its fingerprint differs), so resuming "
            "would mix two data sets. Restore the data, or start a new run."
        )
