"""Architectures from what a language model wrote. Nothing of it is trusted."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.space import Architecture, Space

MOST = 64
"""Proposals of one reply that are looked at."""


def proposals(text: str, space: Space, base: Mapping[str, Any]) -> Iterator[Architecture | str]:
    """Each proposal in order: the architecture, or why it is none. base: decisions for those that are left out."""
    listed = _listed(text)
    if listed is None:
        yield "no JSON with a list of architectures"
        return
    for one in listed[:MOST]:
        decisions = one.get("decisions", one) if isinstance(one, dict) else None
        if not isinstance(decisions, dict):
            yield "a proposal without decisions"
            continue
        try:
            yield made(decisions, space, base)
        except SpaceError as error:
            yield str(error)


def made(decisions: Mapping[str, Any], space: Space, base: Mapping[str, Any]) -> Architecture:
    """Raises `SpaceError` for an unknown path or option, and for a live decision without a value."""
    given = {path: _value(value) for path, value in decisions.items() if path != "reason"}
    kept = {path: value for path, value in base.items() if path not in given}
    try:
        return space.architecture({**kept, **given})
    except SpaceError:
        # A number may have been written as text.
        plain = {path: _number(value) for path, value in given.items()}
        if plain == given:
            raise
        return space.architecture({**kept, **plain})


def _value(value: Any) -> Any:
    """Lists and objects are no values of decisions."""
    if isinstance(value, str | int | float | bool):
        return value
    raise SpaceError(f"{json.dumps(value)[:40]} is not a value of a decision")


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _listed(text: str) -> list[Any] | None:
    """The list in the first JSON of the text that holds one, whatever is written around it."""
    reader = json.JSONDecoder()
    at = 0
    while (at := min((place for sign in "{[" if (place := text.find(sign, at)) >= 0), default=-1)) >= 0:
        try:
            found, _ = reader.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if isinstance(found, dict):
            found = found.get("architectures", [found] if "decisions" in found else None)
        if isinstance(found, list) and found:
            return found
        at += 1
    return None
