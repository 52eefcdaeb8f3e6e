"""What can be refused before anything is trained or written: options, the output, the space, limits out of reach."""

import numpy as np

from nasturtium import training
from nasturtium.errors import LimitError, RunError, UserError, hint
from nasturtium.evaluators import lowered
from nasturtium.evaluators.latency import latency_of
from nasturtium.hardware import CostModel, LimitedCandidates, Limits, shown
from nasturtium.hardware.walk import minimiser
from nasturtium.proxies.registry import members, nearest
from nasturtium.schedulers import scheduler
from nasturtium.space import Space
from nasturtium.strategies import SEVERAL, strategy
from nasturtium.supernet.refusals import refuse, refuse_mixing
from nasturtium.supernet.registry import GRADIENT, ONE_SHOT, PATHS, one_shot_name
from nasturtium.task import Task
from nasturtium.training import METRICS
from nasturtium.workflows.bounding import bounded
from nasturtium.workflows.folder import new_folder
from nasturtium.workflows.options import SearchOptions, known
from nasturtium.workflows.spaces import check_space_name, find_space

OBJECTIVES = ("params", "macs", "activations", "memory", "latency")


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


def check_objectives(options: SearchOptions, task: Task) -> None:
    """A metric among the objectives can only be the run's own, which is one in any case: no other is measured.

    What a one-shot search derives is ranked by the metric alone.
    """
    for name in options.objectives:
        if name not in METRICS and one_shot_name(options.strategy) is not None:
            raise UserError(
                f"The strategy {options.strategy!r} derives by {task.metric} alone, and there is --objective {name}. "
                f"Give a limit instead (--max-params), or use a strategy for several: {', '.join(SEVERAL)}."
            )
        if name in METRICS and name != task.metric:
            raise UserError(
                f"--objective {name} is a metric, and this run's is {task.metric}. Write --metric {name} to optimise "
                f"it, or give a cost: {', '.join(OBJECTIVES)}."
            )


def check_space(options: SearchOptions, task: Task, limits: Limits) -> None:
    """Refuse a space that cannot be made for the task, and limits that nothing in it can meet, before any training.

    Raises `SpaceError`; and `LimitError` with the limit, the least value that can be reached and what to change.
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
    costs = CostModel(space)
    if not limits.items():
        return
    LimitedCandidates(space, costs, limits).sample(np.random.default_rng([options.seed]))
    if limits.latency_ms is not None:
        _check_latency(space, costs, task, limits.latency_ms)


def _check_latency(space: Space, costs: CostModel, task: Task, limit_ms: float) -> None:
    """The network of least MACs is taken for the quickest: latency is measured, so its least value is not known."""
    quickest_ms = latency_of(lowered(minimiser(costs, "macs"), task), task)
    if quickest_ms > limit_ms:
        raise LimitError(
            f"The network of the space {space.name!r} with the fewest MACs takes {shown('latency_ms', quickest_ms)} on "
            f"this machine, above the limit of {shown('latency_ms', limit_ms)} latency. Raise the limit above that, or "
            "give a space with fewer or smaller blocks."
        )
