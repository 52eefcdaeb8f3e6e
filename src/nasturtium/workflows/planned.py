"""A search that starts from a plan of `advise`."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasturtium.advisor import Requirements
from nasturtium.advisor.bounds import bounds_of
from nasturtium.advisor.targets import find_target
from nasturtium.errors import RunError
from nasturtium.hardware.devices import THIS_MACHINE
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.transfer import of_runs

PLAN_SCHEMA = 1
DATA = ("target", "task", "modality", "group", "time", "split", "drop", "metric", "image_size")


def with_plan(options: SearchOptions, path: str) -> SearchOptions:
    """The options with what the plan says of everything that was not asked for otherwise: how the data are read,
    device, limits, metric, space, strategy, scheduler, time, and the architectures of the space to begin with.

    Raises `RunError` for a file that is no plan, or a plan for something that cannot be searched.
    """
    plan = read_plan(path)
    search, data = plan["search"], plan.get("options", {})
    unset = {name: data[name] for name in DATA if getattr(options, name) is None and data.get(name) is not None}
    if options.metric is None and plan["metric"]:
        unset["metric"] = plan["metric"]
    device = _device(plan) if options.device == THIS_MACHINE else options.device
    timed = options.budget_s is not None or options.trials is not None
    return replace(
        options,
        **unset,
        device=device,
        limits={**_limits(plan, device), **options.limits},
        space=options.space or search["space"],
        strategy=search["strategy"] if options.strategy == "auto" else options.strategy,
        scheduler=search["scheduler"] if options.scheduler == "auto" else options.scheduler,
        budget_s=options.budget_s if timed else search["budget_s"],
        first=(*options.first, *_first(plan, path)),
    )


def with_runs(options: SearchOptions, paths: list[str]) -> SearchOptions:
    """The options with the best architectures of earlier runs to begin with."""
    return replace(options, first=(*options.first, *of_runs(paths)))


def read_plan(path: str) -> dict[str, Any]:
    """A plan that `advise -o` wrote."""
    try:
        plan = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"The plan {path!r} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise RunError(f"{path!r} is not a plan: {error}. Write one with: nasturtium advise SOURCE -o FILE") from error
    needed = ("schema", "search", "proposals", "need", "metric", "trains")
    if not isinstance(plan, dict) or any(name not in plan for name in needed):
        raise RunError(f"{path!r} is not a plan of advise. Write one with: nasturtium advise SOURCE -o FILE")
    if plan["schema"] != PLAN_SCHEMA:
        raise RunError(f"The plan {path!r} has schema {plan['schema']!r}, and this version reads {PLAN_SCHEMA}.")
    if not plan["trains"]:
        task, modality = (plan["need"][name]["value"] for name in ("task", "modality"))
        raise RunError(
            f"The plan {path!r} is for {task} on {modality} data, which Nasturtium cannot search or train yet."
        )
    return dict(plan)


def _device(plan: Mapping[str, Any]) -> str:
    """Where the network is to run, if the user said so: what is only assumed bounds nothing."""
    fact = Requirements.from_json(plan["need"]).fact("device")
    return THIS_MACHINE if fact is None or not fact.known else str(fact.value)


def _limits(plan: Mapping[str, Any], device: str) -> dict[str, float]:
    """The plan's limits; worked out anew from its need where another device is asked for than it was made for."""
    if device in (THIS_MACHINE, _device(plan)):
        return dict(plan["search"]["limits"])
    need = Requirements.from_json(plan["need"]).having("device", device)
    limits = bounds_of(need, find_target(device)).limits
    return {name.removesuffix("_ms"): value for name, value in limits.items()}


def _first(plan: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], ...]:
    origin = f"plan {Path(path).name}"
    return tuple(
        {"space": one["space"], "decisions": one["decisions"], "origin": origin}
        for one in plan["proposals"]
        if one.get("decisions") is not None
    )
