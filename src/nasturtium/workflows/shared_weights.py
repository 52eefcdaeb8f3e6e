"""The shared weights of a finished run, and the rows that belong to them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nasturtium.errors import RunError
from nasturtium.evaluators.network import Rows
from nasturtium.hardware import CostModel, LimitedCandidates, Limits
from nasturtium.roles import Candidates, Wanted
from nasturtium.space import Architecture, Space
from nasturtium.supernet import load_supernet
from nasturtium.supernet.allowed import allowed
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.inherited import Inherited, parted
from nasturtium.supernet.registry import PATHS, one_shot_name
from nasturtium.training import Recipe, find_device
from nasturtium.workflows.folder import RunFolder
from nasturtium.workflows.latency_model import latency_model, refuse_too_slow
from nasturtium.workflows.one_shot import PURPOSE, search_rows
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.preparation import Prepared, check_same_data, prepare_data
from nasturtium.workflows.resume import kept_options
from nasturtium.workflows.runs import open_result
from nasturtium.workflows.session import seed_for
from nasturtium.workflows.spaces import find_space


@dataclass(frozen=True, eq=False)
class SharedWeights:
    """A trained supernet with what it was trained by.

    method: "spos", "fairnas", "ofa" or "bignas". recipe: of the run's networks. score: inherited scores, on the part of
    the search's training rows that trained no weights; its `data` has the rows that did. evolution: of the method.
    rows: of the search, raw: those that trained and the validation rows.
    """

    folder: RunFolder
    method: str
    prepared: Prepared
    recipe: Recipe
    score: Inherited
    evolution: Evolution
    rows: Rows

    @property
    def space(self) -> Space:
        return self.score.net.space

    @cached_property
    def costs(self) -> CostModel:
        """Of the space; one for all limits, as it remembers what it has counted."""
        return CostModel(self.space)

    def within(self, limits: Limits) -> Candidates:
        """What may be taken out under these limits; a latency is predicted. Raises `LimitError` if nothing may be."""
        counted = LimitedCandidates(self.space, self.costs, limits)
        if limits.latency_ms is None:
            return counted
        refuse_too_slow(counted, self.costs, self._latency)
        return allowed(self.space, Wanted(dict(limits.items()), {"latency_ms": self._latency}))

    def foreseen(self, name: str, architecture: Architecture) -> float:
        """A cost before there is a file: counted, or predicted for `latency_ms`."""
        return self._latency(architecture) if name == "latency_ms" else float(self.costs(architecture)[name])

    @cached_property
    def _latency(self) -> Callable[[Architecture], float]:
        """Predicted, after a few networks of the whole space were measured; one model for all limits."""
        return latency_model(LimitedCandidates(self.space, self.costs, Limits()), 0)


def open_shared(run: str) -> SharedWeights:
    """The shared weights of a finished run whose strategy trained them by paths.

    Raises `RunError` for a run of another strategy, for one that was started from data or a space in memory, and for
    one whose data has changed since.
    """
    folder, manifest, _ = open_result(run)
    if not manifest["resumable"]:
        raise RunError(
            f"The run in {run!r} was started from data or a space in memory, which cannot be found again. Run the "
            "search from files."
        )
    options = kept_options(manifest["options"])
    method = _method(run, options)
    facts = _facts(run, folder)
    prepared = prepare_data(options)
    check_same_data(prepared, manifest)
    space = find_space(options.space, prepared.task, Limits(**facts["limits"]))[0]
    recipe = Recipe.from_json(json.dumps(manifest["recipe"]))
    trainer = PATHS[method]()
    device = find_device(options.accelerator)
    some = LimitedCandidates(space, CostModel(space), Limits()).sample(np.random.default_rng(0))
    rows = search_rows(prepared.development, some, recipe.augment)
    data = parted(rows, trainer.held, seed_for(options.seed, PURPOSE), device)
    score = Inherited(load_supernet(folder.supernet, space).to(device), data, rows.task)
    raw = Rows.of(prepared.development, *prepared.development.fold("search"))
    return SharedWeights(folder, method, prepared, recipe, score, trainer.evolution, raw)


def _method(run: str, options: SearchOptions) -> str:
    name = one_shot_name(options.strategy)
    if name in PATHS:
        assert name is not None
        return name
    *first, last = PATHS
    wanted = f"Make one with: nasturtium search SOURCE --strategy {', '.join(first)} or {last}"
    if name is None:
        raise RunError(f"The run in {run!r} has no shared weights: its strategy is {options.strategy!r}. {wanted}")
    raise RunError(
        f"The shared weights of the run in {run!r} serve no family: its strategy is {name!r}, which does not train "
        f"paths evenly. {wanted}"
    )


def _facts(run: str, folder: RunFolder) -> dict[str, Any]:
    if not folder.supernet.is_file() or not folder.one_shot.is_file():
        raise RunError(f"The run in {run!r} has lost {folder.supernet.name} or {folder.one_shot.name}. Search again.")
    facts: dict[str, Any] = json.loads(folder.one_shot.read_text(encoding="utf-8"))
    if "limits" not in facts:
        raise RunError(f"{str(folder.one_shot)!r} does not say for which limits its space was made. Search again.")
    return facts
