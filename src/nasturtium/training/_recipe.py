"""The recipe: how a network is trained. The same for all networks that are compared."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from nasturtium.errors import UserError, hint

T = TypeVar("T")

OPTIONAL: Mapping[str, str] = MappingProxyType(
    {"clip": "does not clip", "huber": "is the squared error", "patience": "always trains on"}
)
"""Numbers above 0 of a recipe that may be None, and what None does."""


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the training rows that leave their labels true. Everything is off by default.

    flip: mirror images left to right with probability 1/2. Only where labels survive it: see `flips_survive`.
    shift: largest shift, as a share of the side (images, each axis) or of the length (sequences).
    rotate: largest rotation of an image in degrees. scale: largest relative change of its size, each axis its own;
        for sequences, of the amplitude. shear: largest shear.
    cutout: side of a square (sequences: span) that is blanked, as a share of the side, at a random place
        (DeVries and Taylor 2017, arXiv:1708.04552).
    noise: standard deviation of Gaussian noise, in units of the standardised input; never on categorical codes.
    mixup: alpha of the Beta distribution of the mixing weight (Zhang et al. 2018, arXiv:1710.09412).
    """

    flip: bool = False
    shift: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    cutout: float = 0.0
    noise: float = 0.0
    mixup: float = 0.0

    def __post_init__(self) -> None:
        for name in ("shift", "rotate", "scale", "shear", "cutout", "noise", "mixup"):
            if not getattr(self, name) >= 0:
                raise UserError(f"An augmentation's {name} must be at least 0 (off), not {getattr(self, name)!r}.")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    optimizer: "adamw", or "sgd" with Nesterov momentum. weight_decay: not on norms and biases (parameters of rank < 2).
    momentum: of SGD, and beta1 of AdamW. schedule: "one-cycle" (linear up, cosine down to 0) or "cosine" (the same with
        a short warm-up); warmup: share of the steps spent going up; None is the schedule's own (0.25 and 0.05).
    epochs: passes over the training rows. batch_size: rows a step. label_smoothing: share of the label spread evenly.
    ema: largest decay a step of the averaged weights that are scored and kept; 0 keeps the last weights.
    clip: largest norm of the gradient; None does not clip. huber: Huber's loss with this delta in place of MSE
        (regression only; unit: standard deviations of the target).
    patience: epochs without a better score before training stops and returns to its best; None always trains on.
    precision: "auto" is bfloat16 on a CUDA device that has it, float32 elsewhere.
    """

    optimizer: Literal["adamw", "sgd"] = "adamw"
    lr: float = 1e-2
    weight_decay: float = 0.01
    momentum: float = 0.9
    schedule: Literal["one-cycle", "cosine"] = "one-cycle"
    warmup: float | None = None
    epochs: int = 30
    batch_size: int = 64
    label_smoothing: float = 0.0
    ema: float = 0.0
    clip: float | None = None
    huber: float | None = None
    patience: int | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    augment: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        _one_of("optimizer", self.optimizer, ("adamw", "sgd"))
        _one_of("schedule", self.schedule, ("one-cycle", "cosine"))
        _one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        for name in ("lr", "epochs", "batch_size"):
            if not getattr(self, name) > 0:
                raise UserError(f"A recipe's {name} must be above 0, not {getattr(self, name)!r}.")
        for name, left_out in OPTIONAL.items():
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"A recipe's {name} must be above 0, not {value!r}; None {left_out}.")
        if not self.weight_decay >= 0:
            raise UserError(f"A recipe's weight_decay must be at least 0, not {self.weight_decay!r}.")
        for name in ("momentum", "warmup", "label_smoothing", "ema"):
            value = getattr(self, name)
            if not (name == "warmup" and value is None) and not 0 <= value < 1:
                raise UserError(f"A recipe's {name} must be at least 0 and below 1, not {value!r}.")

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "Recipe":
        """The recipe written by `to_json`; left-out fields take their defaults. Raises `UserError` on unknown ones."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise UserError(f"The recipe is not JSON: {error}.") from error
        if not isinstance(values, dict):
            raise UserError(f"A recipe is a JSON object, not {type(values).__name__}.")
        augment = _known(Augmentation, values.pop("augment", {}))
        return replace(_known(Recipe, values), augment=augment)


def _known(kind: type[T], values: Mapping[str, Any]) -> T:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in names:
            raise UserError(f"{kind.__name__} has no field {name!r}. {hint(name, names)}")
    return kind(**values)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"A recipe's {name} cannot be {value!r}. {hint(value, known)}")
