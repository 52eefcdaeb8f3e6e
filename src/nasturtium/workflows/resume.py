"""Continue a run that was interrupted or killed."""

import json
from dataclasses import replace
from typing import Any

from nasturtium.errors import RunError
from nasturtium.training import Recipe
from nasturtium.workflows.checking import check_options
from nasturtium.workflows.clock import Clock
from nasturtium.workflows.folder import open_folder
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.preparation import check_same_data, prepare_data
from nasturtium.workflows.progress import Progress, Silent
from nasturtium.workflows.result import Result
from nasturtium.workflows.search import run


def resume_run(path: str, progress: Progress | None = None) -> Result:
    """Go on where the run stopped: finished trials and trainings are kept, those that were running are run again.

    With one worker and a budget of trials the result is that of an undisturbed run.
    """
    folder, manifest = open_folder(path)
    if folder.result.exists():
        raise RunError(f"The run in {path!r} has ended, so there is nothing to resume; see its report.html.")
    missing = [name for name in ("resumable", "options", "fingerprints", "recipe") if name not in manifest]
    if missing:
        raise RunError(f"The manifest of {path!r} is damaged: it has no {missing[0]!r}. Start a new run.")
    if not manifest["resumable"]:
        raise RunError(
            f"The run in {path!r} was started from data or a space in memory, which cannot be found again. Start a new "
            "run from files."
        )
    options = kept_options(manifest["options"])
    limits = check_options(options)
    shown = progress or Silent()
    shown.phase("Data", "reading again")
    prepared = prepare_data(options)
    check_same_data(prepared, manifest)
    recipe = Recipe.from_json(json.dumps(manifest["recipe"]))
    # The plan follows from the first start: with another one the clock might allow another space.
    clock = Clock(options.clock_s, spent_s=folder.spent_s, start_s=manifest.get("start_s", 0.0))
    return run(options, folder, prepared, limits, recipe, clock, shown)


def kept_options(held: dict[str, Any]) -> SearchOptions:
    """The options that a run was started with, its output aside. held: "options" of its manifest."""
    try:
        options = SearchOptions(**held)
    except TypeError as error:
        raise RunError(f"The manifest's options are not those of this version ({error}). Start a new run.") from None
    size = options.image_size
    return replace(
        options,
        image_size=(size[0], size[1]) if isinstance(size, list) else size,
        output=None,
    )
