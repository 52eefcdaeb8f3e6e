"""Limits: hard bounds on costs, as people write them. k = 1,000, KB = 1,000 B, KiB = 1,024 B."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite

from nasturtium.errors import LimitError, hint

Amount = str | int | float | None

COUNT = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
BYTES = {
    "": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip
MILLISECONDS = {"": 1, "ms": 1, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "s": 1e3}

UNITS: dict[str, tuple[Mapping[str, float], str]] = {
    "params": (COUNT, "a count such as 20k or 5M"),
    "macs": (COUNT, "a count such as 500k or 5M"),
    "latency_ms": (MILLISECONDS, "a time such as 2ms or 1500us"),
    "memory": (BYTES, "a size such as 256KB or 64KiB"),
    "size": (BYTES, "a size such as 256KB or 1MB"),
}
NUMBER = re.compile(r"\s*([+-]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµμ]*)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Violation:
    """A cost above its limit."""

    name: str
    limit: float
    value: float

    def __str__(self) -> str:
        return f"{self.name} {shown(self.name, self.value)} is above the limit {shown(self.name, self.limit)}"


@dataclass(frozen=True)
class Limits:
    """Hard bounds on the costs of a network; None bounds nothing.

    params: trainable numbers. macs: multiply-accumulates of one row. latency_ms: p50 of one row, in milliseconds.
    memory: peak bytes of live tensors for one row. size: bytes of the ONNX file.
    """

    params: float | None = None
    macs: float | None = None
    latency_ms: float | None = None
    memory: float | None = None
    size: float | None = None

    @classmethod
    def parse(cls, **amounts: Amount) -> "Limits":
        """From what people write: `Limits.parse(params="20k", latency="2ms", memory="256KB")`.

        Plain numbers are counts, milliseconds or bytes. Raises `LimitError` for an unknown name, a negative or zero
        amount, and for text that is no amount.
        """
        known = [field.name for field in fields(cls)]
        parsed: dict[str, float] = {}
        for given, amount in amounts.items():
            name = "latency_ms" if given == "latency" else given
            if name not in known:
                raise LimitError(f"Unknown limit {given!r}. {hint(given, known)}")
            if amount is not None:
                parsed[name] = parse_amount(name, amount)
        return cls(**parsed)

    def items(self) -> tuple[tuple[str, float], ...]:
        """The limits that are set: name and value."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return tuple((name, value) for name, value in pairs if value is not None)

    def check(self, costs: Mapping[str, float]) -> list[Violation]:
        """What `costs` violate; costs that are not among them (a latency not measured yet) are passed over."""
        return [
            Violation(name, limit, costs[name]) for name, limit in self.items() if name in costs and costs[name] > limit
        ]


def parse_amount(name: str, amount: str | int | float) -> float:
    """A number of units of the limit `name` (counts, milliseconds, bytes). Raises `LimitError`."""
    units, example = UNITS[name]
    found = NUMBER.fullmatch(str(amount)) if not isinstance(amount, bool) else None
    if found is None or found[2].lower() not in units:
        unit = f" {hint(found[2], [key for key in units if key])}" if found and found[2] else ""
        raise LimitError(f"The limit {_option(name)}={amount!r} is not understood; write {example}.{unit}")
    value = float(found[1].replace(",", "").replace("_", "")) * units[found[2].lower()]
    if not isfinite(value) or value <= 0:
        raise LimitError(f"The limit {_option(name)}={amount!r} must be above zero; write {example}.")
    return value


def _option(name: str) -> str:
    """Name of the limit as the command line has it: max-params, max-latency …"""
    return "max-" + name.removesuffix("_ms")


def shown(name: str, value: float) -> str:
    """A cost with its unit, short: `20k`, `1.53M`, `2 ms`, `256 KB`.

    >>> shown("params", 20_000), shown("memory", 65_536), shown("latency_ms", 0.25)
    ('20k', '65.5 KB', '0.25 ms')
    """
    if name == "latency_ms":
        return f"{value:.3g} ms" if value >= 0.01 else f"{value * 1000:.3g} us"
    in_bytes = name in ("memory", "size")
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "K" if in_bytes else "k")):
        if value >= factor:
            return f"{_digits(value / factor)}{' ' if in_bytes else ''}{letter}{'B' if in_bytes else ''}"
    return f"{_digits(value)}{' B' if in_bytes else ''}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
