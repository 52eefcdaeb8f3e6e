"""Decisions: the open places of a space.

A decision *object* is one decision wherever it appears in a tree, so using one object twice ties the two places.
A tree is made of decisions, `Repeat`s, frozen dataclasses, tuples, classes and plain values (str, int, float, bool,
None).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from math import exp, isfinite, log
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union

import numpy as np

from nasturtium.errors import SpaceError, hint

T = TypeVar("T")

LEVELS = 2**20
"""A `real` is quantised to this many values, both ends included, so that every decision is an integer code."""

MOST_VALUES = 2**31


class Decision(ABC):
    """An open place. Compared by identity. Its values are numbered by codes 0, 1, … `size` - 1."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of values."""

    @abstractmethod
    def value(self, code: int) -> str | int | float:
        """What a code stands for in `Architecture.values`: an option's key, or the number."""

    @abstractmethod
    def code(self, value: object) -> int:
        """The code of an option's key or of a number. Raises `SpaceError` (which does not know the place)."""

    @abstractmethod
    def describe(self) -> str:
        """The values in a few words: `3 | 5 | 7`, `1 … 4`."""


if TYPE_CHECKING:
    Open = Annotated[T, "open"]
else:
    Open = Union[T, Decision]  # noqa: UP007 (a TypeVar on the left needs the old form at run time)
"""Type of a dataclass field that may hold a decision: `kernel: Open[int] = 3`.

At run time it is `int | Decision`. A type checker sees `int`, which is what the field holds once resolved; the
functions below return `Any`, so an open field accepts what they make.
"""


@dataclass(frozen=True, eq=False)
class Choice(Decision):
    """One of several options, each with a key that is unique here."""

    keys: tuple[str, ...]
    options: tuple[object, ...]

    @property
    def size(self) -> int:
        return len(self.keys)

    def value(self, code: int) -> str:
        return self.keys[code]

    def code(self, value: object) -> int:
        key = value if isinstance(value, str) else (option_key(value) if is_plain(value) else None)
        if key in self.keys:
            return self.keys.index(key)
        raise SpaceError(f"no option {value!r}. {hint(value, self.keys)}")

    def describe(self) -> str:
        return " | ".join(self.keys)


@dataclass(frozen=True, eq=False)
class Integer(Decision):
    """One of low, low + step, … up to high."""

    low: int
    high: int
    step: int = 1

    @property
    def size(self) -> int:
        return (self.high - self.low) // self.step + 1

    def value(self, code: int) -> int:
        return self.low + self.step * code

    def code(self, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            code, rest = divmod(value - self.low, self.step)
            if rest == 0 and 0 <= code < self.size:
                return code
        raise SpaceError(f"{value!r} is not one of {self.describe()}")

    def describe(self) -> str:
        return f"{self.low} … {self.value(self.size - 1)}" + (f" step {self.step}" if self.step != 1 else "")


@dataclass(frozen=True, eq=False)
class Real(Decision):
    """A number in [low, high], uniform, or uniform in its logarithm. Quantised to `LEVELS` values."""

    low: float
    high: float
    log: bool = False

    @property
    def size(self) -> int:
        return LEVELS

    def value(self, code: int) -> float:
        if code in (0, LEVELS - 1):
            return self.high if code else self.low
        low, high = self._span
        at = low + (high - low) * (code / (LEVELS - 1))
        return exp(at) if self.log else at

    def code(self, value: object) -> int:
        """Nearest level: a given number is rounded to a millionth of the range."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high:
            low, high = self._span
            return round(((log(value) if self.log else value) - low) / (high - low) * (LEVELS - 1))
        raise SpaceError(f"{value!r} is not a number from {self.low!r} to {self.high!r}")

    def describe(self) -> str:
        return f"{self.low:g} … {self.high:g}" + (" (log)" if self.log else " (real)")

    @property
    def _span(self) -> tuple[float, float]:
        return (log(self.low), log(self.high)) if self.log else (self.low, self.high)


@dataclass(frozen=True, eq=False)
class Repeat:
    """`items[:count]`, a tuple once resolved. It is made by `repeat`."""

    items: tuple[object, ...]
    count: int | Integer


def choice(*options: object, **named: object) -> Any:
    """One of the options. Plain values are their own keys (`choice(8, 16)` has "8" and "16"; True has "true", (3, 5)
    has "3x5"), a positional block has its class's name, and `choice(mb=…, res=…)` has "mb" and "res".

    Raises `SpaceError` where there is no option, a key appears twice, or an option needs a name.
    """
    if not options and not named:
        raise SpaceError("a choice needs at least one option: choice(8, 16), or choice(mb=…, res=…)")
    values = tuple(native(option) for option in (*options, *named.values()))
    keys = [_needed_key(option, place) for place, option in enumerate(values[: len(options)])] + list(named)
    for place, (key, value) in enumerate(zip(keys, values, strict=True)):
        if key in keys[:place]:
            raise SpaceError(
                f"two options of choice({', '.join(keys)}) have the key {key!r}; name them: choice(a=…, b=…)"
            )
        if not is_plain(value) and (not key or "." in key or "=" in key):
            raise SpaceError(f"the option key {key!r} is part of paths, so it may not be empty or hold '.' or '='")
    return Choice(tuple(keys), values)


def integer(low: int, high: int, step: int = 1) -> Any:
    """An integer from low to high, both included, in steps. Raises `SpaceError` where that is empty."""
    low, high, step = native(low), native(high), native(step)
    call = f"integer({low!r}, {high!r}" + (f", step={step!r})" if step != 1 else ")")
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in (low, high, step)):
        raise SpaceError(f"{call}: low, high and step must be whole numbers; for others use real(low, high)")
    if low > high:
        raise SpaceError(f"{call}: low is above high; swap them")
    if step < 1:
        raise SpaceError(f"{call}: the step must be at least 1")
    if (high - low) // step >= MOST_VALUES:
        raise SpaceError(f"{call}: more than {MOST_VALUES:,} values; use a larger step or real(low, high)")
    return Integer(low, high, step)


def real(low: float, high: float, log: bool = False) -> Any:
    """A number from low to high, both included; `log=True` draws it uniformly in its logarithm."""
    low, high = native(low), native(high)
    call = f"real({low!r}, {high!r}{', log=True' if log else ''})"
    for number in (low, high):
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not isfinite(number):
            raise SpaceError(f"{call}: low and high must be finite numbers, and {number!r} is not")
    if low >= high:
        raise SpaceError(f"{call}: low must be below high; for a fixed value write the number itself")
    if log and low <= 0:
        raise SpaceError(f"{call}: a logarithm needs low above 0")
    return Real(float(low), float(high), log)


def optional(node: object) -> Any:
    """The node or None: a choice with the keys "off" (None) and "on"."""
    return Choice(("off", "on"), (None, node))


def repeat(function_or_node: Callable[[int], object] | object, count: int | Integer, tied: bool = False) -> Any:
    """A tuple of `count` nodes, `count` a number or an `integer` decision.

    A function is called with each position 0, 1, … and makes fresh decisions at each; `tied=True` calls it once, with
    0, and uses what it made everywhere. A node is used everywhere as it is, and so is tied too.
    """
    if isinstance(count, bool) or not isinstance(count, (int, Integer)):
        raise SpaceError(f"the count of a repeat must be a whole number or an integer(…) decision, not {count!r}")
    least, most = (count, count) if isinstance(count, int) else (count.low, count.value(count.size - 1))
    if least < 0:
        raise SpaceError(f"a repeat cannot have {least} items; its count must be at least 0")
    if is_node(function_or_node):
        return Repeat((function_or_node,) * most, count)
    if not callable(function_or_node):
        raise SpaceError(f"repeat needs a function of the position or a part of a tree, not {function_or_node!r}")
    if tied:
        return Repeat((function_or_node(0),) * most, count) if most else Repeat((), count)
    return Repeat(tuple(function_or_node(place) for place in range(most)), count)


def native(value: Any) -> Any:
    """A number of NumPy as Python's own, which JSON can hold; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def is_frozen(thing: object) -> bool:
    """Is it a frozen dataclass (the class or an instance)?"""
    return is_dataclass(thing) and bool(getattr(thing, "__dataclass_params__").frozen)  # noqa: B009 (private to mypy)


def is_node(thing: object) -> bool:
    """Can it be a part of a tree as it stands (its own parts aside)?"""
    if isinstance(thing, type):
        return False  # a class is also a function that makes nodes
    return isinstance(thing, (Decision, Repeat, tuple)) or is_plain(thing) or is_frozen(thing)


def is_plain(value: object) -> bool:
    """A value without parts: str, int, float, bool, None, a class, or a tuple of these."""
    if isinstance(value, tuple):
        return all(is_plain(part) for part in value)
    return value is None or type(value) in (str, int, float, bool) or isinstance(value, type)


def children(node: object) -> list[tuple[str, object]]:
    """Named fields of a frozen dataclass, or numbered parts of a tuple."""
    if isinstance(node, tuple):
        return [(str(place), part) for place, part in enumerate(node)]
    return [(field.name, getattr(node, field.name)) for field in fields(node) if field.init]  # type: ignore[arg-type]


def option_key(value: object) -> str | None:
    """The key that a positional option has by itself; None if it needs a name."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and value and is_plain(value):
        return "x".join(str(option_key(part)) for part in value)
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, type):
        return value.__name__
    named = is_frozen(value) and not isinstance(value, (Decision, Repeat))
    return type(value).__name__ if named else None


def _needed_key(option: object, place: int) -> str:
    key = option_key(option)
    if not key:
        raise SpaceError(f"option {place} of a choice, {option!r}, needs a name: choice(some_name=…)")
    return key
