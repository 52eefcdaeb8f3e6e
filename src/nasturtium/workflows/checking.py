"""What can be refused before anything is trained or written: options, the output, the space, limits out of reach."""

import numpy as np

from nasturtium import training
from nasturtium.errors import LimitError, RunError, hint
from nasturtium.evaluators import lowered
from nasturtium.evaluators.latency import latency_of
from nasturtium.hardware import CostModel, LimitedCandidates, Limits, shown
from nasturtium.hardware.walk import minimiser
from nasturtium.proxies.registry import PROXIES, members, nearest, unsuited
from nasturtium.schedulers import scheduler
from nasturtium.space import Space
from nasturtium.strategies import Auto, Llm, strategy
from nasturtium.supernet.refusals import refuse, refuse_mixing
from nasturtium.supernet.registry import GRADIENT, ONE_SHOT, PATHS, one_shot_name
from nasturtium.task import Task
from nasturtium.training import METRICS
from nasturtium.trial import History
from nasturtium.workflows.bounding import bounded
from nasturtium.workflows.folder import new_folder
from nasturtium.workflows.objectives import OBJECTIVES, objectives_of
from nasturtium.workflows.options import SearchOptions, known
from nasturtium.workflows.spaces import check_space_name, find_space


def check_options(options: SearchOptions) -> Limits:
    """Everything that can be refused before the data is read. Returns the limits, those of the device included."""
    limits = bounded(options).limits
    training.find_device(options.accelerator)
    _check_strategy(options.strategy)
    _check_proxies(options)
    if options.scheduler.lower() != "auto":
        scheduler(options.scheduler, max_epochs=1)
    for name in options.objectives:
        if name not in METRICS:
            known("objective", name, OBJECTIVES)
    if isinstance(options.space, str):
        check_space_name(options.space)
    if options.output is not None:
        new_folder(options.output, "")
    return limits


def _check_strategy(name: str) -> None:
    """Raise unless it is a strategy or a one-shot search, with the nearest of both."""
    if one_shot_name(name) is not None:
        return
    try:
        strategy(name)
    except RunError:
        key = name.lower().replace("_", "-")
        if key == "bohb" or not hint(key, ONE_SHOT).startswith("Did you mean"):
            raise
        raise RunError(f"There is no strategy {name!r}. {hint(key, ONE_SHOT)}") from None


def _check_proxies(options: SearchOptions) -> None:
    """Known names, and a strategy that looks at them."""
    for name in options.proxies:
        if not members(name):
            raise RunError(f"--proxies names {name!r}, which there is not. {nearest(name)}")
    if options.proxies and options.strategy.lower() != "auto":
        raise RunError(
            f"--proxies is for the strategy auto, and --strategy is {options.strategy}, which does not look at them. "
            "Leave one of the two out."
        )


def check_proxies(options: SearchOptions, task: Task) -> None:
    """Refuse a proxy that does not suit the task."""
    for name in options.proxies:
        for one in members(name):
            if (obstacle := unsuited(PROXIES[one], task)) is not None:
                raise RunError(obstacle)


def check_space(options: SearchOptions, task: Task, limits: Limits) -> None:
    """Refuse a space that cannot be made for the task, limits that nothing in it can meet, and a strategy or scheduler
    that cannot search it for these objectives, before any training.

    Raises `SpaceError`; `LimitError` with the limit, the least value that can be reached and what to change; and
    `RunError` as the strategy does.
    """
    try:
        _check_space(options, task, limits)
    except LimitError as error:
        raise LimitError(f"{error}{bounded(options).because()}") from None


def _check_space(options: SearchOptions, task: Task, limits: Limits) -> None:
    space, _ = find_space(options.space, task, limits)
    if (name := one_shot_name(options.strategy)) is not None:
        refuse(space)
        if name in GRADIENT:
            refuse_mixing(space, name, f"{', '.join(PATHS)} and enas")
    candidates = LimitedCandidates(space, costs := CostModel(space), limits)
    if limits.items():
        candidates.sample(np.random.default_rng([options.seed]))
    _ask_once(options, task, candidates)
    if limits.latency_ms is not None:
        _check_latency(space, costs, task, limits.latency_ms)


def _ask_once(options: SearchOptions, task: Task, candidates: LimitedCandidates) -> None:
    """A strategy that cannot take the objectives or the space says so when it is asked, as does a scheduler."""
    nothing = History(objectives_of(options, task))
    if options.scheduler.lower() != "auto":
        scheduler(options.scheduler, max_epochs=1).next(nothing)
    if one_shot_name(options.strategy) is not None:
        return
    chosen = strategy(options.strategy)
    if not isinstance(chosen, Auto | Llm):  # these take everything, and a language model is not asked in vain
        chosen.ask(nothing, 1, options.seed, candidates)


def _check_latency(space: Space, costs: CostModel, task: Task, limit_ms: float) -> None:
    """The network of least MACs is taken for the quickest: latency is measured, so its least value is not known."""
    quickest_ms = latency_of(lowered(minimiser(costs, "macs"), task), task)
    if quickest_ms > limit_ms:
        raise LimitError(
            f"The network of the space {space.name!r} with the fewest MACs takes {shown('latency_ms', quickest_ms)} on "
            f"this machine, above the limit of {shown('latency_ms', limit_ms)} latency. Raise the limit above that, or "
            "give a space with fewer or smaller blocks."
        )
