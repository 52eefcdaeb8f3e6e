"""Resolved trees as JSON data: frozen dataclasses as {"$block": name, …}, classes as {"$type": "module:Class"}."""

import json
import sys
from dataclasses import MISSING, fields
from typing import Any

from nasturtium.errors import SpaceError, hint
from nasturtium.space.decisions import Decision, Repeat, children, is_frozen
from nasturtium.space.registry import block_name, block_named

Json = dict[str, Any] | list[Any] | str | int | float | bool | None


def canonical(data: Json) -> str:
    """JSON text with sorted keys and no spaces: equal data give equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def parsed(text: str, what: str) -> Any:
    """JSON text as data. Raises `SpaceError` with line and column."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SpaceError(f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None


def tree_to_data(node: object) -> Json:
    """A resolved tree as JSON data."""
    if node is None or type(node) in (str, int, float, bool):
        return node  # type: ignore[return-value]
    if isinstance(node, tuple):
        return [tree_to_data(part) for part in node]
    if isinstance(node, type):
        return {"$type": f"{node.__module__}:{node.__qualname__}"}
    if is_frozen(node) and not isinstance(node, (Decision, Repeat)):
        return {"$block": block_name(type(node))} | {name: tree_to_data(part) for name, part in children(node)}
    raise SpaceError(f"{node!r} is not part of a resolved tree")


def tree_from_data(data: Json, where: str = "tree") -> Any:
    """The tree of JSON data; blocks must be registered, and classes imported already. Nothing is executed but them."""
    if isinstance(data, list):
        return tuple(tree_from_data(part, f"{where}.{at}") for at, part in enumerate(data))
    if not isinstance(data, dict):
        return data
    if set(data) == {"$type"}:
        return _imported(data["$type"], where)
    if "$block" not in data:
        raise SpaceError(f"{where}: an object of a tree needs the key '$block', and has {sorted(data)}")
    block = block_named(data["$block"], where)
    given = {name: value for name, value in data.items() if name != "$block"}
    check_fields(block, given, where)
    return made(block, {name: tree_from_data(value, f"{where}.{name}") for name, value in given.items()}, where)


def check_fields(block: type, given: dict[str, Any], where: str) -> None:
    """Raises `SpaceError` for fields that the block does not have, and for those that it needs."""
    known = {field.name: field for field in fields(block) if field.init}
    for name in given:
        if name not in known:
            raise SpaceError(f"{where}: {block.__name__} has no field {name!r}. {hint(name, known)}")
    needed = [
        name
        for name, field in known.items()
        if field.default is MISSING and field.default_factory is MISSING and name not in given
    ]
    if needed:
        raise SpaceError(f"{where}: {block.__name__} needs the field{'s' * (len(needed) > 1)} {', '.join(needed)}")


def made(block: type, values: dict[str, Any], where: str) -> Any:
    """The block with these fields; what its own checks refuse is told with the place."""
    try:
        return block(**values)
    except (SpaceError, TypeError, ValueError) as error:
        raise SpaceError(f"{where}: {block.__name__} is refused: {error}") from error


def _imported(name: object, where: str) -> type:
    module, _, qualname = str(name).rpartition(":")
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise SpaceError(f"{where}: the class {name!r} is not imported; import its file first, or give the space")
    return found
