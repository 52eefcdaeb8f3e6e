"""A fact about a need: a value, and where it came from."""

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from nasturtium.errors import UserError, hint

T = TypeVar("T")
Origin = Literal["given", "measured", "assumed"]
ORIGINS: tuple[Origin, ...] = ("given", "measured", "assumed")


@dataclass(frozen=True)
class Fact(Generic[T]):
    """value: in the unit of its field. origin: given by the user, measured on the data, or assumed by us.
    where: what gave it, in a few words ("--max-params", "the profile of digits", "what most have")."""

    value: T
    origin: Origin
    where: str = ""

    def __post_init__(self) -> None:
        if self.origin not in ORIGINS:
            raise UserError(f"A fact cannot be {self.origin!r}. {hint(self.origin, ORIGINS)}")

    @property
    def known(self) -> bool:
        """Is it more than an assumption of ours?"""
        return self.origin != "assumed"

    def to_json(self) -> dict[str, Any]:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"value": value, "origin": self.origin, "where": self.where}
