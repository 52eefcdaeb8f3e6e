"""The Python door: `nasturtium.search` and `nasturtium.family`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from nasturtium.errors import UserError, hint
from nasturtium.space import Space
from nasturtium.trial import Direction
from nasturtium.workflows.family import TUNE_RATE, FamilyOptions, FamilyResult, make_family
from nasturtium.workflows.options import SearchOptions, given_limits, parse_duration
from nasturtium.workflows.own import Evaluate, OwnResult, search_own
from nasturtium.workflows.progress import Progress
from nasturtium.workflows.result import Result
from nasturtium.workflows.search import run_search_workflow

Amount = str | float
OWN_OPTIONS = ("strategy", "seed", "workers", "output")
"""What else `search(space, evaluate=…)` takes."""
OPTION = re.compile(r"nasturtium [a-z]+ [^.]*|(?:--|\b(?=max-))([a-z][a-z-]*)\b(?! \(`)(?: (\d\w*(?:[.,]\d\w*)*))?")
"""A command, which stays as it is; or an option of the command line and its amount, unless its name here follows."""
CALLED = {"objective": "objectives"}
"""Options whose name in Python is another."""

Given = ParamSpec("Given")
Found = TypeVar("Found")


def _spoken(door: Callable[Given, Found]) -> Callable[Given, Found]:
    """The same, whose errors call options by their names here: the text is made for all doors, in the words of the
    command line."""

    @wraps(door)
    def opened(*given: Given.args, **options: Given.kwargs) -> Found:
        try:
            return door(*given, **options)
        except UserError as error:
            error.args = (in_python(str(error)),)
            raise

    return opened


def in_python(text: str) -> str:
    """
    >>> in_python("--max-params is 0. Write --budget 3m, or continue with: nasturtium resume runs/x --quiet")
    '`max_params` is 0. Write `budget="3m"`, or continue with: nasturtium resume runs/x --quiet'
    """
    known = {*SearchOptions.__dataclass_fields__, *signature(search).parameters, *signature(family).parameters}

    def named(found: re.Match[str]) -> str:
        option, amount = found[1], found[2]
        name = "" if option is None else CALLED.get(option, option.replace("-", "_"))
        if name not in known:
            return found[0]
        return f"`{name}`" if amount is None else f'`{name}="{amount}"`'

    return OPTION.sub(named, text)


@_spoken
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
    limits: dict[str, Amount] = given_limits(
        params=max_params, macs=max_macs, latency=max_latency, memory=max_memory, size=max_size
    )
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


Amounts = Amount | Sequence[Amount] | None
"""One limit, or one for each member of a family: "5k,10k", 5000, ("5k", 10_000)."""


@_spoken
def family(
    run: str | Path | Result,
    *,
    max_params: Amounts = None,
    max_macs: Amounts = None,
    max_latency: Amounts = None,
    max_memory: Amounts = None,
    max_size: Amounts = None,
    fine_tune: int | None = None,
    tune_rate: float = TUNE_RATE,
    budget: str | float | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> FamilyResult:
    """The best network for each of several limits, from the shared weights of one run; see `FamilyOptions`.

    run: a finished run of the strategy spos, fairnas, ofa or bignas, or what `search` returned. max_params … max_size:
        at least one of them, with an amount for each member. fine_tune: epochs. tune_rate: of the recipe's learning
        rate. budget: "3m" or seconds.
    """
    limits: dict[str, Amount | Sequence[Amount]] = given_limits(
        params=max_params, macs=max_macs, latency=max_latency, memory=max_memory, size=max_size
    )
    options = FamilyOptions(
        run=str(run.folder if isinstance(run, Result) else run),
        limits={name: _listed(amounts) for name, amounts in limits.items()},
        fine_tune=fine_tune,
        tune_rate=tune_rate,
        budget_s=None if budget is None else parse_duration(budget),
        seed=seed,
        output=None if output is None else str(output),
    )
    return make_family(options, progress)


def _listed(amounts: str | float | Sequence[str | float]) -> str:
    """Amounts as the command line has them."""
    return ",".join(map(str, [amounts] if isinstance(amounts, str | int | float) else amounts))


def _check_options(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise on the first option that is not known, naming the nearest."""
    names = list(known)
    for name in given:
        if name not in names:
            raise UserError(f"search() has no option {name!r}. {hint(name, names)}")
