"""The need as a typed record: every field is a fact with its origin, or unknown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from nasturtium.advisor.facts import Fact, Origin
from nasturtium.errors import UserError, hint


@dataclass(frozen=True)
class Requirements:
    """What is known of a need. None: not known; `completed` then assumes the default of the field.

    task: one of `words.TASKS`. modality: one of `words.MODALITIES`. rows: examples with targets. input: shape of one
    row without the batch axis; (columns,) for a table. outputs: classes, labels or targets. imbalance: commonest class
    over rarest. noise: share of targets that are wrong, about. device: a class of `words.DEVICES`, or the name of a
    device. max_params, max_macs (of one row), max_latency_ms, max_memory, max_size (bytes), max_energy_mj (of one row),
    min_params: bounds. min_score: wanted of the metric. throughput: rows a second. budget_s: time to search and train.
    hardware: that trains: "cpu" or "gpu". framework: that serves the network. pretrained: may published weights be
    used? interpretable: must a person follow each decision? licence: "any", "permissive". maintained_years: how long.
    """

    task: Fact[str] | None = None
    modality: Fact[str] | None = None
    rows: Fact[int] | None = None
    input: Fact[tuple[int, ...]] | None = None
    outputs: Fact[int] | None = None
    imbalance: Fact[float] | None = None
    noise: Fact[float] | None = None
    device: Fact[str] | None = None
    max_params: Fact[float | None] | None = None
    max_macs: Fact[float | None] | None = None
    max_latency_ms: Fact[float | None] | None = None
    max_memory: Fact[float | None] | None = None
    max_size: Fact[float | None] | None = None
    max_energy_mj: Fact[float | None] | None = None
    min_params: Fact[float | None] | None = None
    min_score: Fact[float | None] | None = None
    throughput: Fact[float | None] | None = None
    budget_s: Fact[float] | None = None
    hardware: Fact[str] | None = None
    framework: Fact[str] | None = None
    pretrained: Fact[bool] | None = None
    interpretable: Fact[bool] | None = None
    licence: Fact[str] | None = None
    maintained_years: Fact[float] | None = None

    def get(self, name: str) -> Any:
        """The value of a field; None where it is unknown."""
        fact = self.fact(name)
        return None if fact is None else fact.value

    def fact(self, name: str) -> Fact[Any] | None:
        """The fact of a field. Raises `UserError` for a field that there is not."""
        check_field(name)
        found: Fact[Any] | None = getattr(self, name)
        return found

    def known(self, name: str) -> bool:
        """Was it given or measured?"""
        fact = self.fact(name)
        return fact is not None and fact.known

    def items(self) -> Iterator[tuple[str, Fact[Any]]]:
        """The fields that hold something, in their order."""
        for name in FIELDS:
            fact = self.fact(name)
            if fact is not None:
                yield name, fact

    def having(self, name: str, value: Any, origin: Origin = "given", where: str = "") -> "Requirements":
        """The same with this field."""
        check_field(name)
        return replace(self, **{name: Fact(value, origin, where)})

    def without(self, name: str) -> "Requirements":
        """The same with this field unknown."""
        check_field(name)
        return replace(self, **{name: None})

    def over(self, other: "Requirements") -> "Requirements":
        """These facts, and those of `other` for what is unknown here."""
        return replace(other, **dict(self.items()))

    def to_json(self) -> dict[str, dict[str, Any]]:
        return {name: fact.to_json() for name, fact in self.items()}

    @staticmethod
    def from_json(record: Mapping[str, Mapping[str, Any]]) -> "Requirements":
        """What `to_json` gave. Raises `UserError` for an unknown field."""
        found = Requirements()
        for name, held in record.items():
            value = tuple(held["value"]) if isinstance(held["value"], list) else held["value"]
            found = found.having(name, value, held["origin"], held.get("where", ""))
        return found


FIELDS = tuple(field.name for field in fields(Requirements))


def check_field(name: str) -> None:
    """Raise `UserError` unless there is such a field."""
    if name not in FIELDS:
        raise UserError(f"Requirements have no field {name!r}. {hint(name, FIELDS)}")
