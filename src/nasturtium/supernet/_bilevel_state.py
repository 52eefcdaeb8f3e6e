"""A gradient-based search on disk: one safetensors file, its numbers and words as JSON in the header."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from nasturtium.errors import RunError
from nasturtium.roles import TraceEpoch
from nasturtium.training import load_tensors, save_tensors


@dataclass
class Position:
    """How far a search is, apart from its tensors.

    step: of the epoch; total: of all. progress: of the schedule, from 0 to 1. stage: number of the stage. kept: options
    that have not been pruned. train, valid: sums of the losses of this epoch, and of how many steps. parts: pieces of a
    batch. seconds: spent before. shortened: by a deadline.
    """

    epoch: int = 0
    step: int = 0
    total: int = 0
    progress: float = 0.0
    stage: int = 0
    kept: list[list[int]] = field(default_factory=list)
    multipliers: dict[str, float] = field(default_factory=dict)
    train: float | Tensor = 0.0
    valid: float | Tensor = 0.0
    valid_steps: int = 0
    parts: int = 1
    seconds: float = 0.0
    shortened: bool = False


def write(
    path: Path,
    identity: str,
    tensors: Mapping[str, Tensor],
    position: Position,
    epochs: list[TraceEpoch],
    said: list[str],
) -> None:
    """identity: of the search, so that no other one is resumed from this file."""
    trace = [asdict(epoch) | {"weights": [part.tolist() for part in epoch.weights]} for epoch in epochs]
    held = {"identity": identity, "position": asdict(position), "epochs": trace, "remarks": said}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(tensors, path, held)


def read(path: Path, identity: str) -> tuple[dict[str, Tensor], Position, list[TraceEpoch], list[str]]:
    """What `write` wrote. Raises `RunError` for a damaged file and for one of another search."""
    tensors, held = load_tensors(path)
    if held.get("identity") != identity:
        raise RunError(
            f"The checkpoint {path} belongs to another search: {_differences(held.get('identity'), identity)}. "
            "Give it another name, or delete it to start anew."
        )
    known = {field.name for field in fields(TraceEpoch)}
    epochs = [
        TraceEpoch(**{name: value for name, value in epoch.items() if name in known and name != "weights"}
                   | {"weights": tuple(np.asarray(part) for part in epoch["weights"])})
        for epoch in held["epochs"]
    ]  # fmt: skip
    return tensors, Position(**held["position"]), epochs, list(held["remarks"])


def identity(**facts: Any) -> str:
    """What must be equal for a search to go on: method, settings, seed, space, rows."""
    return json.dumps(facts, sort_keys=True, default=str)


def _differences(found: str | None, wanted: str) -> str:
    try:
        theirs, ours = json.loads(found or ""), json.loads(wanted)
    except json.JSONDecodeError:
        return "it is none of a gradient-based search"
    different = [name for name in ours if theirs.get(name) != ours[name]]
    return ", ".join(f"{name} is {theirs.get(name)} there and {ours[name]} here" for name in different)
