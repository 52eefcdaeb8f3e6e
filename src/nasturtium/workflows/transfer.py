"""Warm starts: architectures of earlier runs, of a plan, and of the knowledge base, brought into the space at hand."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, log
from pathlib import Path
from typing import Any

from nasturtium.blocks import counted
from nasturtium.errors import RunError, SpaceError
from nasturtium.evaluators import lowered
from nasturtium.roles import Candidates, Strategy
from nasturtium.space import Architecture, Space
from nasturtium.space.decisions import Choice
from nasturtium.strategies.warm_start import WarmStart, at_most
from nasturtium.study.store import read_records
from nasturtium.workflows.folder import open_folder
from nasturtium.workflows.known_cells import KNOWN_CELLS, known_cells
from nasturtium.zoo.usual import usual

First = Mapping[str, Any]
"""An architecture to try early: `space`, `decisions`, `origin` in words, and of an earlier run `data`: what its data
were like."""
OF_A_RUN = 3
"""Best architectures that are taken from each earlier run."""
FAR = 6.0
"""Profile distance from which nothing is taken: about a factor of 20 in rows and of 20 in the size of a row."""
LIKE = ("modality", "task", "rows", "shape", "outputs")


def of_runs(paths: Iterable[str]) -> tuple[First, ...]:
    """The best architectures of earlier runs, or of "known-cells". Raises `RunError` for a path that is no run, or one
    without trials."""
    return tuple(one for path in paths for one in (known_cells() if path == KNOWN_CELLS else _of_run(path)))


def _of_run(path: str) -> list[First]:
    folder, manifest = open_folder(path)
    identity, records = read_records(folder.journal)
    goal = identity.objectives[0]
    scored = [one for one in records if one["state"] == "complete" and goal.name in one["measures"]]
    if not scored:
        raise RunError(f"The run in {path!r} has no finished trial, so nothing can be taken from it.")
    top = max(one["epochs"] for one in scored)
    best = sorted(
        (one for one in scored if one["epochs"] == top), key=lambda one: goal.sign * one["measures"][goal.name]
    )
    distinct = list({one["arch_id"]: one for one in reversed(best)}.values())[::-1][:OF_A_RUN]
    data = like(manifest.get("profile", {}))
    origin = f"run {Path(path).name}"
    return [
        {"space": identity.space, "decisions": one["decisions"], "origin": origin, "data": data} for one in distinct
    ]


def like(profile: Mapping[str, Any]) -> dict[str, Any]:
    """What of a profile says how similar two data sets are."""
    held = {**profile, "outputs": len(profile.get("balance", ())) or 1}
    return {name: held.get(name) for name in LIKE}


def distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Between two data sets: sum of the log ratios of rows, of numbers in a row and of outputs; infinite between kinds
    of input or task."""
    if any(one.get(name) != other.get(name) for name in ("modality", "task")):
        return inf

    def size(facts: Mapping[str, Any]) -> float:
        product = 1.0
        for side in facts.get("shape") or (1,):
            product *= max(1, side)
        return product

    pairs = ((one.get("rows"), other.get("rows")), (size(one), size(other)), (one.get("outputs"), other.get("outputs")))
    return sum(abs(log(max(1, first or 1) / max(1, second or 1))) for first, second in pairs)


def warmed(
    inner: Strategy, first: Sequence[First], candidates: Candidates, trials: int, data: Mapping[str, Any]
) -> tuple[Strategy, str | None]:
    """The strategy with what fits of `first` before it, and a sentence on what that is; None where nothing fits.

    Those of the most similar data come first. data: `like` of the present data.
    """
    near = sorted(
        ((_distance(one, data), place, one) for place, one in enumerate(first)), key=lambda held: (held[0], held[1])
    )
    found: dict[str, tuple[Architecture, str]] = {}
    for far, _, one in near:
        made = brought(candidates.space, one) if far < FAR else None
        if made is not None and candidates.feasible(made):
            found.setdefault(made.arch_id, (made, str(one.get("origin", "given"))))
    if not found:
        return inner, (
            "None of the architectures that were to start the search fits its space and limits." if first else None
        )
    most = at_most(trials)
    given = tuple(architecture for architecture, _ in found.values())
    origins = ", ".join(dict.fromkeys(origin for _, origin in list(found.values())[:most]))
    sentence = (
        f"The search begins with up to {min(most, len(given))} architectures from {origins}; they are dropped if they "
        "turn out no better than the others."
    )
    return WarmStart(inner, given, most), sentence


def usual_first(candidates: Candidates) -> tuple[First, ...]:
    """Of each kind of usual network (`zoo.usual`) the one with the most MACs that is within the limits."""
    space, found = candidates.space, dict[str, Architecture]()
    for networks in usual(space).values():
        fitting = [one for one in networks if candidates.feasible(one)]
        if fitting:
            best = max(fitting, key=_macs)
            found.setdefault(best.arch_id, best)
    return tuple(
        {"space": space.name, "decisions": one.values, "origin": "the usual designs"} for one in found.values()
    )


def _macs(architecture: Architecture) -> int:
    task = architecture.task
    assert task is not None, "a usual network has a task"
    return counted(lowered(architecture, task), task.input).macs


def _distance(one: First, data: Mapping[str, Any]) -> float:
    return distance(one["data"], data) if one.get("data") else 0.0


def brought(space: Space, one: First) -> Architecture | None:
    """The architecture in this space: other widths become the nearest ones, decisions it has not take a middle value.

    None for an architecture of another kind of space.
    """
    if one.get("space") != space.name:
        return None
    raw = [-1] * len(space.decisions)
    for path, value in one["decisions"].items():
        if path in space.index:
            index = space.index[path]
            raw[index] = _nearest(space.decisions[index].decision, value)
    while (missing := space.program.undecided(raw)) is not None:
        raw[missing] = space.decisions[missing].decision.size // 2
    return space.from_codes(space.program.mask(raw))


def _nearest(decision: Any, value: Any) -> int:
    """Code of the value, or of the number that is nearest to it; -1 where there is nothing like it."""
    try:
        return int(decision.code(value))
    except SpaceError:
        pass
    keys = decision.keys if isinstance(decision, Choice) else ()
    try:
        wanted, numbers = float(value), [float(key) for key in keys]
    except (TypeError, ValueError):
        return -1
    return min(range(len(numbers)), key=lambda code: abs(numbers[code] - wanted)) if numbers else -1
