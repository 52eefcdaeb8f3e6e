"""What is compared: `regularized-evolution[population=50,sample=10],random` in parts, and settings applied."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from nasturtium.errors import RunError, hint

Spec = TypeVar("Spec")
Other = TypeVar("Other")
BEGINNINGS = ("population", "initial", "startup")
"""Settings that say with how many trials a strategy begins before it chooses."""


@dataclass(frozen=True)
class Contender:
    """A strategy by name, with the settings that were asked for. label: both, as they are shown."""

    name: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        inside = ",".join(f"{name}={value}" for name, value in self.settings)
        return f"{self.name}[{inside}]" if inside else self.name


def contenders(text: str) -> tuple[Contender, ...]:
    """The strategies in `text`. Raises `RunError` where it cannot be read, or names one twice.

    >>> [one.label for one in contenders("random, local_search[initial=1]")]
    ['random', 'local-search[initial=1]']
    """
    found = [_contender(part.strip()) for part in re.split(r",(?![^\[]*\])", text) if part.strip()]
    if not found:
        raise RunError("--strategy names no strategy. Give one or more, such as: random,local-search.")
    labels = [one.label for one in found]
    for place, label in enumerate(labels):
        if label in labels[:place]:
            raise RunError(f"--strategy names {label!r} twice. Name each once.")
    return tuple(found)


def _contender(text: str) -> Contender:
    read = re.fullmatch(r"([\w-]+)(?:\[(.*)\])?", text)
    pairs = [pair.partition("=") for pair in (read[2] or "").split(",") if pair.strip()] if read else []
    if read is None or not all(sign and value.strip() for _, sign, value in pairs):
        raise RunError(f"--strategy cannot be read at {text!r}. Write name or name[setting=value,setting=value].")
    settings = tuple((name.strip().replace("-", "_"), value.strip()) for name, _, value in pairs)
    return Contender(read[1].lower().replace("_", "-"), settings)


def configured(spec: Spec, settings: Mapping[str, Any], label: str) -> Spec:
    """A frozen dataclass with settings, given as values or as text. Raises `RunError` for unknown or wrong ones."""
    known = {field.name: getattr(spec, field.name) for field in fields(spec)} if is_dataclass(spec) else {}
    known.pop("name", None)
    values = {}
    for name, value in settings.items():
        if name not in known:
            raise RunError(f"{label} has no setting {name!r}. {hint(name, known) or 'It has no settings.'}")
        values[name] = _value(value, known[name], name, label) if isinstance(value, str) else value
    return replace(spec, **values) if values else spec  # type: ignore[type-var]


def configured_pair(strategy: Spec, scheduler: Other, settings: Mapping[str, Any], label: str) -> tuple[Spec, Other]:
    """Both with the settings: one that the strategy does not have, and the scheduler has, is the scheduler's."""
    theirs = {name: value for name, value in settings.items() if name in _names(scheduler) - _names(strategy)}
    ours = {name: value for name, value in settings.items() if name not in theirs}
    return configured(strategy, ours, label), configured(scheduler, theirs, label)


def _names(spec: object) -> set[str]:
    return {field.name for field in fields(spec)} - {"name"} if is_dataclass(spec) else set()


def _value(text: str, like: object, name: str, label: str) -> Any:
    """Text as a value of the kind that the setting has now."""
    try:
        if isinstance(like, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(like, int):
            return int(text)
        if isinstance(like, float):
            return float(text)
    except (KeyError, ValueError):
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(like)]
        raise RunError(f"{label}: {name} is {text!r}, and {kind} is needed.") from None
    if text.lower() == "none":
        return None
    # A setting that is None by itself says nothing of its kind: a number where it looks like one.
    return next((made(text) for made in (int, float) if like is None and _reads(made, text)), text)


def _reads(made: type, text: str) -> bool:
    try:
        made(text)
    except ValueError:
        return False
    return True


def beginning(strategy: object) -> tuple[str, int] | None:
    """The setting that says with how many trials a strategy begins, and how many; None where it has none."""
    for name in BEGINNINGS:
        count = getattr(strategy, name, None)
        if isinstance(count, int) and not isinstance(count, bool):
            return name, count
    return None


def check_budget(strategy: object, label: str, trials: int, where: str) -> None:
    """Raises `RunError` where the budget ends before the strategy begins."""
    begins = beginning(strategy)
    if begins is not None and begins[1] > trials:
        name, count = begins
        asked = "1 query" if trials == 1 else f"{trials} queries"
        fewer = max(2, trials // 4)
        fits = f"{name}={fewer}" + (",sample=2" if isinstance(getattr(strategy, "sample", None), int) else "")
        mend = f", or set {label.partition('[')[0]}[{fits}]" if fewer <= trials else ", or leave it out"
        raise RunError(
            f"{label} begins with {count} trials ({name}={count}), and {where} has {asked}: it would never "
            f"choose one. Allow more{mend}."
        )
