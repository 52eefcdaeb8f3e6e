"""A space written as the JSON that `space_from_json` reads."""

import json
from collections import Counter
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.space.decisions import Choice, Decision, Integer, Real, Repeat, children, is_frozen, option_key
from nasturtium.space.registry import block_name
from nasturtium.space.space import Space
from nasturtium.space.tree_json import Json, tree_to_data


def space_to_json(space: Space) -> str:
    """JSON text of the whole tree. Values that came from the task are written as they are; tied decisions are named by
    their paths."""
    names = {named.decision: named.path for named in space.decisions}
    data = {"space": space.name, "tree": Writer(space.tree, names).data(space.tree)}
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)


class Writer:
    """Writes nodes in the order in which they are read, so that a definition stands before what refers to it."""

    def __init__(self, tree: object, names: dict[Decision, str]) -> None:
        self._names = names
        self._times: Counter[Decision] = Counter()
        self._count(tree)
        self._written: set[Decision] = set()

    def data(self, node: object) -> Any:
        """JSON data of a node."""
        if isinstance(node, Decision):
            return self._decision(node)
        if isinstance(node, Repeat):
            return {"$repeat": self._repeat(node)}
        if isinstance(node, tuple):
            return [self.data(part) for part in node]
        if is_frozen(node) and not isinstance(node, type):
            return {"$block": block_name(type(node))} | {name: self.data(part) for name, part in children(node)}
        return tree_to_data(node)

    def _decision(self, node: Decision) -> dict[str, Any]:
        if node in self._written:
            return {"$ref": self._names[node]}
        self._written.add(node)
        define: dict[str, Any] = {"$define": self._names[node]} if self._times[node] > 1 else {}
        return define | self._open(node)

    def _open(self, node: Decision) -> dict[str, Any]:
        if isinstance(node, Integer):
            return {"$integer": [node.low, node.high, node.step] if node.step != 1 else [node.low, node.high]}
        if isinstance(node, Real):
            return {"$real": {"low": node.low, "high": node.high} | ({"log": True} if node.log else {})}
        if not isinstance(node, Choice):
            raise SpaceError(f"a decision of the kind {type(node).__name__} cannot be written as JSON")
        if node.keys == ("off", "on") and node.options[0] is None:
            return {"$optional": self.data(node.options[1])}
        options = [self.data(option) for option in node.options]
        if all(key == option_key(option) for key, option in zip(node.keys, node.options, strict=True)):
            return {"$choice": options}
        return {"$choice": dict(zip(node.keys, options, strict=True))}

    def _repeat(self, node: Repeat) -> dict[str, Json]:
        count = node.count if isinstance(node.count, int) else self.data(node.count)
        if is_tied(node):
            return {"count": count, "of": self.data(node.items[0]), "tied": True}
        items = [self.data(item) for item in node.items]
        # Equal items without definitions are what one node gives when it is made anew at each position.
        if items and all(item == items[0] for item in items) and '"$define"' not in json.dumps(items[0]):
            return {"count": count, "of": items[0]}
        return {"count": count, "items": items}

    def _count(self, node: object) -> None:
        if isinstance(node, Decision):
            self._times[node] += 1
            if self._times[node] == 1 and isinstance(node, Choice):
                for option in node.options:
                    self._count(option)
        elif isinstance(node, Repeat):
            self._count(node.count)
            for item in node.items[:1] if is_tied(node) else node.items:
                self._count(item)
        elif isinstance(node, tuple) or (is_frozen(node) and not isinstance(node, type)):
            for _, part in children(node):
                self._count(part)


def is_tied(node: Repeat) -> bool:
    """Is it one part at every position?"""
    return bool(node.items) and all(item is node.items[0] for item in node.items)
