"""The Python door: `nasturtium.search`."""

from collections.abc import Iterable, Mapping
from typing import Any

from nasturtium.errors import UserError, hint
from nasturtium.space import Space
from nasturtium.trial import Direction
from nasturtium.workflows.options import SearchOptions, parse_duration
from nasturtium.workflows.own import Evaluate, OwnResult, search_own
from nasturtium.workflows.progress import Progress
from nasturtium.workflows.result import Result
from nasturtium.workflows.search import run_search_workflow

OWN_OPTIONS = ("strategy", "seed", "workers", "output")
"""What else `search(space, evaluate=…)` takes."""


def search(
    source: Any,
    y: Any = None,
    *,
    evaluate: Evaluate | None = None,
    direction: Direction | Mapping[str, Direction] = "maximize",
    budget: str | float | None = None,
    trials: int | None = None,
    max_params: str | float | None = None,
    max_macs: str | float | None = None,
    max_latency: str | float | None = None,
    max_memory: str | float | None = None,
    max_size: str | float | None = None,
    objectives: tuple[str, ...] = (),
    progress: Progress | None = None,
    **options: Any,
) -> Result | OwnResult:
    """Find, train, verify and export the best network for a data set; or search a space with an own evaluation.

    source: whatever the command line takes, arrays `X` (with `y`), a pandas or polars frame (with `target=`), a torch
        or Hugging Face data set. Or a `Space`, with `evaluate`.
    evaluate: architecture -> score (or measures by name). Then nothing is trained here and an `OwnResult` comes back.
    direction: of the own score, or of each measure that counts. budget: "3m", or seconds. trials: of the search.
    max_params … max_size: limits, "20k", "2ms", "256KB" or numbers. objectives: see `SearchOptions`.
    options: the other fields of `SearchOptions`: target, task, metric, space, strategy, seed, workers, output …
    """
    seconds = None if budget is None else parse_duration(budget)
    given = {
        "params": max_params,
        "macs": max_macs,
        "latency": max_latency,
        "memory": max_memory,
        "size": max_size,
    }
    limits = {name: amount for name, amount in given.items() if amount is not None}
    if evaluate is not None:
        if not isinstance(source, Space):
            raise UserError(f"search(…, evaluate=…) takes a Space first, not {type(source).__name__}.")
        if limits:
            raise UserError("search(…, evaluate=…) checks no limits: let the function score what is too large.")
        _check_options(options, OWN_OPTIONS)
        renamed = {"strategy_name" if name == "strategy" else name: value for name, value in options.items()}
        return search_own(source, evaluate, objectives=direction, trials=trials, budget_s=seconds, **renamed)
    _check_options(options, SearchOptions.__dataclass_fields__)
    asked = SearchOptions(
        source=source if y is None else (source, y),
        limits=limits,
        budget_s=seconds,
        trials=trials,
        objectives=tuple(objectives),
        **options,
    )
    return run_search_workflow(asked, progress)


def _check_options(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise on the first option that is not known, naming the nearest."""
    names = list(known)
    for name in given:
        if name not in names:
            raise UserError(f"search() has no option {name!r}. {hint(name, names)}")
