"""Spaces as JSON, so that an assistant can declare one without running code.

A block is {"$block": "Name", field: …}, a tuple a list. The open places:
{"$choice": [8, 16]} or {"$choice": {"mb": …, "res": …}}, {"$integer": [low, high]} or [low, high, step],
{"$real": [low, high]} or {"$real": {"low": …, "high": …, "log": true}}, {"$optional": …},
{"$repeat": {"count": 4, "of": …}} with "tied": true for the same decisions everywhere, or "items": […] instead of "of".
{"$task": "outputs"} is a value of the task. "$define": "name" beside "$choice" and the like names a node, and
{"$ref": "name"} uses that node again: one decision, tied. A definition inside "of" is made anew at each position.
"""

from collections import ChainMap
from collections.abc import Callable, MutableMapping
from typing import Any

from nasturtium.errors import SpaceError, hint
from nasturtium.space.decisions import Repeat, choice, integer, optional, real, repeat
from nasturtium.space.registry import block_named
from nasturtium.space.space import Space
from nasturtium.space.tree_json import check_fields, made, parsed, tree_from_data
from nasturtium.task import Task

Scope = MutableMapping[str, object]


def space_from_json(source: str | dict[str, Any], task: Task | None = None, name: str | None = None) -> Space:
    """A space from JSON text or data: a node, or {"space": name, "tree": node}. task: where "$task" looks.

    Raises `SpaceError` with the place, and the nearest names for what is unknown.
    """
    data = parsed(source, "the space") if isinstance(source, str) else source
    if isinstance(data, dict) and set(data) == {"space", "tree"}:
        name, data = name or str(data["space"]), data["tree"]
    return Space(Reader(task).node(data, "tree", {}), task, name or "space")


class Reader:
    """Makes nodes of JSON data. where: the place in the JSON, for errors. scope: nodes defined so far, by name."""

    def __init__(self, task: Task | None) -> None:
        self._task = task
        self._readers: dict[str, Callable[[Any, str, Scope], object]] = {
            "$choice": self._choice,
            "$integer": self._integer,
            "$real": self._real,
            "$optional": lambda data, where, scope: optional(self.node(data, where, scope)),
            "$repeat": self._repeat,
            "$ref": self._ref,
            "$task": self._task_value,
            "$type": lambda data, where, scope: tree_from_data({"$type": data}, where),
        }

    def node(self, data: object, where: str, scope: Scope) -> object:
        """The node of a piece of JSON data."""
        if isinstance(data, list):
            return tuple([self.node(part, f"{where}.{at}", scope) for at, part in enumerate(data)])
        if not isinstance(data, dict):
            return data
        body = {key: value for key, value in data.items() if key != "$define"}
        node = self._object(body, where, scope)
        if "$define" in data:
            if data["$define"] in scope:
                raise SpaceError(f"{where}: {data['$define']!r} is defined twice; choose another name")
            scope[str(data["$define"])] = node
        return node

    def _object(self, data: dict[str, Any], where: str, scope: Scope) -> object:
        if "$block" in data:
            return self._block(data, where, scope)
        known = ["$block", *self._readers]
        tags = [key for key in data if key.startswith("$")]
        if len(data) != 1 or not tags:
            raise SpaceError(
                f'{where}: an object needs "$block" or exactly one of {", ".join(known[1:])}; it has {list(data)}'
            )
        if tags[0] not in self._readers:
            raise SpaceError(f"{where}: unknown tag {tags[0]!r}. {hint(tags[0], known)}")
        try:
            return self._readers[tags[0]](data[tags[0]], where, scope)
        except SpaceError as error:
            # What was raised further in says its place already.
            raise error if str(error).startswith("tree") else SpaceError(f"{where}: {error}") from None

    def _block(self, data: dict[str, Any], where: str, scope: Scope) -> object:
        block = block_named(data["$block"], where)
        given = {name: value for name, value in data.items() if name != "$block"}
        check_fields(block, given, where)
        return made(block, {name: self.node(part, f"{where}.{name}", scope) for name, part in given.items()}, where)

    def _choice(self, data: Any, where: str, scope: Scope) -> object:
        if isinstance(data, dict):
            if any(key.startswith("$") for key in data):
                raise SpaceError('"$choice" takes a list of options, or an object from key to option')
            return choice(**{key: self.node(option, f"{where}={key}", scope) for key, option in data.items()})
        if isinstance(data, list):
            return choice(*[self.node(option, f"{where}={at}", scope) for at, option in enumerate(data)])
        raise SpaceError(f'"$choice" takes a list of options, or an object from key to option, not {data!r}')

    def _integer(self, data: Any, where: str, scope: Scope) -> object:
        return integer(**arguments(data, "$integer", ("low", "high", "step")))

    def _real(self, data: Any, where: str, scope: Scope) -> object:
        return real(**arguments(data, "$real", ("low", "high", "log")))

    def _repeat(self, data: Any, where: str, scope: Scope) -> object:
        given = arguments(data, "$repeat", ("count", "of", "items", "tied"), needed=("count",))
        count: Any = self.node(given["count"], f"{where}.count", scope)
        if isinstance(given.get("items"), list) and "of" not in given:
            items = tuple([self.node(part, f"{where}.{at}", scope) for at, part in enumerate(given["items"])])
            most = len(repeat(None, count).items)  # which also checks the count
            if most != len(items):
                raise SpaceError(f'"$repeat" has {len(items)} items for a count of up to {most}')
            return Repeat(items, count)
        if "of" not in given:
            raise SpaceError('"$repeat" needs "of", one node, or "items", a list of as many nodes as the count allows')
        if given.get("tied", False):
            return repeat(lambda at: self.node(given["of"], f"{where}.{at}", scope), count, tied=True)
        return repeat(lambda at: self.node(given["of"], f"{where}.{at}", ChainMap({}, scope)), count)

    def _ref(self, data: Any, where: str, scope: Scope) -> object:
        if not isinstance(data, str) or data not in scope:
            raise SpaceError(f"nothing is defined as {data!r} before this. {hint(data, scope)}".strip())
        return scope[data]

    def _task_value(self, data: Any, where: str, scope: Scope) -> object:
        if self._task is None:
            raise SpaceError(f"the task's {data!r} is asked for, and no task was given")
        value: Any = self._task
        for part in str(data).split("."):
            names = [name for name in dir(value) if not name.startswith("_")]
            if part not in names:
                raise SpaceError(f"the task has no value {data!r}. {hint(part, names)}")
            value = getattr(value, part)
        return value


def arguments(data: Any, tag: str, names: tuple[str, ...], needed: tuple[str, ...] = ("low", "high")) -> dict[str, Any]:
    """Arguments given as a list in order or as an object by name. Raises `SpaceError` for unknown or missing ones."""
    if isinstance(data, list) and tag != "$repeat" and len(data) <= len(names):
        data = dict(zip(names, data, strict=False))
    if not isinstance(data, dict):
        raise SpaceError(f'"{tag}" takes an object with {", ".join(names)}, not {data!r}')
    for name in data:
        if name not in names:
            raise SpaceError(f'"{tag}" has no {name!r}. {hint(name, names)}')
    for name in needed:
        if name not in data:
            raise SpaceError(f'"{tag}" needs {name!r}')
    return data
