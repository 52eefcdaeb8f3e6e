"""Trials and a study's identity as JSON, and a trial's decisions as Optuna parameters."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nasturtium.errors import RunError
from nasturtium.space import Space
from nasturtium.trial import Fidelity, Objective, Trial

SCHEMA = 1


@dataclass(frozen=True)
class Identity:
    """What must be the same when a study is resumed, or the replay would not be one.

    seed: of the study. control_share: part of the fresh trials that the random control proposes.
    """

    seed: int
    objectives: tuple[Objective, ...]
    space: str
    strategy: str
    scheduler: str
    control_share: float

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> "Identity":
        """Raises `RunError` for a record of another schema."""
        if record.get("schema") != SCHEMA:
            raise RunError(
                f"The study has schema {record.get('schema')!r} and this version of nasturtium reads schema {SCHEMA}. "
                "Install the version that wrote it."
            )
        objectives = tuple(Objective(**goal) for goal in record["objectives"])
        rest = {field.name: record[field.name] for field in fields(Identity) if field.name != "objectives"}
        return Identity(objectives=objectives, **rest)

    def check(self, stored: "Identity", place: str) -> None:
        """Raises `RunError` naming the first thing that differs from what is `stored` at `place`."""
        for field in fields(Identity):
            ours, theirs = getattr(self, field.name), getattr(stored, field.name)
            if ours != theirs:
                name = field.name.replace("_", " ")
                raise RunError(
                    f"{place} was made with {name} {_shown(theirs)}, and now {name} is {_shown(ours)}. "
                    "Resume with the same settings, or start in a new directory."
                )


def trial_to_json(trial: Trial) -> dict[str, Any]:
    """Everything of a trial but its number, which the store gives. Decisions are stored by path, live ones only."""
    return {
        "decisions": dict(trial.architecture.values),
        "arch_id": trial.architecture.arch_id,
        "epochs": trial.fidelity.epochs,
        "share": trial.fidelity.share,
        "seed": trial.seed,
        "origin": trial.origin,
        "state": trial.state,
        "measures": dict(trial.measures),
        "curve": list(trial.curve),
        "seconds": trial.seconds,
        "parent": trial.parent,
        "checkpoint": trial.checkpoint,
        "failure": trial.failure,
    }


def trial_from_json(record: Mapping[str, Any], number: int, space: Space) -> Trial:
    """The trial of a record. Raises `RunError` if `space` no longer gives the architecture that was recorded."""
    architecture = space.architecture(record["decisions"])
    if architecture.arch_id != record["arch_id"]:
        raise RunError(
            f"Trial {number} was architecture {record['arch_id']} and its decisions now give {architecture.arch_id}: "
            f"the space {space.name!r} has changed since. Restore it, or start in a new directory."
        )
    return Trial(
        number=number,
        architecture=architecture,
        fidelity=Fidelity(record["epochs"], record["share"]),
        seed=record["seed"],
        origin=record["origin"],
        state=record["state"],
        measures=record["measures"],
        curve=tuple(record["curve"]),
        seconds=record["seconds"],
        parent=record["parent"],
        checkpoint=record["checkpoint"],
        failure=record["failure"],
    )


def finite(values: tuple[float, ...]) -> tuple[float, ...]:
    """The curve up to its first value that is not finite."""
    for position, value in enumerate(values):
        if not math.isfinite(value):
            return values[:position]
    return values


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{goal.direction} {goal.name}" for goal in value)
    return repr(value)
