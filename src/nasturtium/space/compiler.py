"""From a tree of nodes to places: numbers the decisions and gives them their paths."""

from dataclasses import is_dataclass
from math import isfinite
from typing import Any, TypeGuard

from nasturtium.errors import SpaceError
from nasturtium.space.decisions import Choice, Decision, Integer, Repeat, children, is_frozen, native
from nasturtium.space.places import PAIR, Fixed, Fork, Group, Number, Place, Span


class Compiler:
    """Walks a tree once, in the order of fields and options.

    decisions: in the order of first occurrence; paths: theirs, such as `body.0=gated.kernel`. A decision at the root
    itself has the path `root`; the count of the repeat at `body` has `body.count`.
    """

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.paths: list[str] = []
        self._index: dict[Decision, int] = {}
        self._places: dict[int, Place] = {}

    def place(self, node: object, path: str = "") -> Place:
        """The place of a node; the same object has the same place. Raises `SpaceError` for what cannot be in a tree."""
        if node is None or type(node) in (str, int, bool) or isinstance(node, type):
            return Fixed(path, node)
        known = self._places.get(id(node))
        if known is None:
            known = self._places[id(node)] = self._new(node, path)
        return known

    def _new(self, node: object, path: str) -> Place:
        if isinstance(node, Choice):
            index = self._number(node, path)
            at = path or "root"
            options = zip(node.keys, node.options, strict=True)
            return Fork(path, index, node, tuple([self.place(option, f"{at}={key}") for key, option in options]))
        if isinstance(node, Decision):
            return Number(path, self._number(node, path), node)
        if isinstance(node, Repeat):
            return self._repeat(node, path)
        if isinstance(node, tuple) or (is_frozen(node) and not isinstance(node, type)):
            return self._group(node, path)
        node = native(node)
        if type(node) in (bool, int) or (isinstance(node, float) and isfinite(node)):
            return Fixed(path, node)
        raise SpaceError(f"{path or 'root'}: {_refusal(node)}")

    def _number(self, decision: Decision, path: str) -> int:
        if decision not in self._index:
            self._index[decision] = len(self.decisions)
            self.decisions.append(decision)
            self.paths.append(path or "root")
        return self._index[decision]

    def _repeat(self, node: Repeat, path: str) -> Place:
        index = None
        counts: tuple[int, ...] = (len(node.items),)
        if isinstance(node.count, Integer):
            index = self._number(node.count, joined(path, "count"))
            counts = tuple(range(node.count.low, len(node.items) + 1, node.count.step))
        items = tuple([self.place(item, joined(path, str(at))) for at, item in enumerate(node.items)])
        place = Span(path, index, counts, items)
        return place if place.decisions else Fixed(path, place.resolve(()))

    def _pairs(self, pairs: tuple[tuple[str, object], ...], path: str) -> Place:
        places: list[Place] = []
        for name, node in pairs:
            part = self.place(node, joined(path, name))
            group = Group(joined(path, name), tuple, PAIR, (Fixed(path, name), part))
            places.append(group if group.decisions else Fixed(group.path, group.resolve(())))
        group = Group(path, tuple, tuple(name for name, _ in pairs), tuple(places))
        return group if group.decisions else Fixed(path, group.resolve(()))

    def _group(self, node: object, path: str) -> Place:
        if isinstance(node, tuple) and is_named(node):
            # (("hidden", choice(…)), …): keyword arguments. The names make better paths than positions.
            return self._pairs(node, path)
        named = children(node)
        parts = tuple([self.place(child, joined(path, name)) for name, child in named])
        if all(isinstance(part, Fixed) and part.value is child for part, (_, child) in zip(parts, named, strict=True)):
            return Fixed(path, node)
        names = tuple(name for name, _ in named)
        group = Group(path, tuple if isinstance(node, tuple) else type(node), names, parts)
        return group if group.decisions else Fixed(path, group.resolve(()))


def is_named(parts: tuple[Any, ...]) -> TypeGuard[tuple[tuple[str, object], ...]]:
    """Is it a tuple of (name, part) pairs, with different names that can be in a path?"""
    if not parts or not all(isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], str) for part in parts):
        return False
    names = [part[0] for part in parts]
    return len(set(names)) == len(names) and all(name.isidentifier() for name in names)


def joined(path: str, name: str) -> str:
    """The path of a child."""
    return f"{path}.{name}" if path else name


def _refusal(node: object) -> str:
    kind = type(node).__name__
    if isinstance(node, list):
        return "a list cannot be part of a space; write a tuple, (a, b), or choice(a, b)"
    if is_dataclass(node):
        return f"the dataclass {kind} must be frozen: @dataclass(frozen=True)"
    if callable(node):
        return f"{node!r} is a function; call it, or give it to repeat(…)"
    parts = "decisions, frozen dataclasses, tuples, str, int, float, bool, None"
    return f"{node!r} ({kind}) cannot be part of a space; parts are {parts}"
