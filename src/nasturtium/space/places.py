"""The compiled tree: every node becomes a `Place` that resolves itself from the codes of the decisions below it.

A node *object* that appears several times has one place, so tied parts also resolve to one object. Resolved blocks
are interned per place and local codes: two architectures that agree below a place share the block there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import prod
from operator import itemgetter
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.space.decisions import Choice, Decision

Codes = Sequence[int]
"""One code per decision of the space, -1 where it is dead."""

INTERNED = 4096
"""A place keeps its resolved blocks if there are at most so many; larger ones are rebuilt, so memory stays bounded."""

PAIR = ("", "")
"""Names of the two parts of a (name, part) pair, which add nothing to its path."""


class Place(ABC):
    """A node at the path of its first occurrence.

    decisions: indices of all decisions at or below it, ascending.
    bound: number of ways to resolve it, tied decisions counted as if they were free (an upper bound; 2**62 at most).
    """

    __slots__ = ("bound", "decisions", "path")

    def __init__(self, path: str, decisions: tuple[int, ...], bound: int) -> None:
        self.path, self.decisions, self.bound = path, decisions, min(bound, 2**62)

    @abstractmethod
    def resolve(self, codes: Codes) -> Any:
        """What stands here once the decisions are made."""

    def local(self, codes: Codes) -> tuple[int, ...]:
        """Codes of the decisions at or below this place: equal local codes, equal parts (one object where interned)."""
        return tuple([codes[index] for index in self.decisions])


class Fixed(Place):
    """A part without decisions: the object itself."""

    __slots__ = ("value",)

    def __init__(self, path: str, value: object) -> None:
        super().__init__(path, (), 1)
        self.value = value

    def resolve(self, codes: Codes) -> Any:
        return self.value


class Number(Place):
    """An integer or real decision."""

    __slots__ = ("decision", "index")

    def __init__(self, path: str, index: int, decision: Decision) -> None:
        super().__init__(path, (index,), decision.size)
        self.index, self.decision = index, decision

    def resolve(self, codes: Codes) -> Any:
        return self.decision.value(codes[self.index])


class Fork(Place):
    """A choice: one place per option."""

    __slots__ = ("decision", "index", "options")

    def __init__(self, path: str, index: int, decision: Choice, options: tuple[Place, ...]) -> None:
        super().__init__(path, merged(options, index), sum(option.bound for option in options))
        self.index, self.decision, self.options = index, decision, options

    def resolve(self, codes: Codes) -> Any:
        return self.options[codes[self.index]].resolve(codes)


class Span(Place):
    """A repeat. counts: number of items for each code of the count decision; a fixed count has index None."""

    __slots__ = ("counts", "index", "items")

    def __init__(self, path: str, index: int | None, counts: tuple[int, ...], items: tuple[Place, ...]) -> None:
        bound = sum(prod(item.bound for item in items[:count]) for count in counts)
        super().__init__(path, merged(items, index), bound)
        self.index, self.counts, self.items = index, counts, items

    def resolve(self, codes: Codes) -> Any:
        count = self.counts[0 if self.index is None else codes[self.index]]
        return tuple([item.resolve(codes) for item in self.items[:count]])


class Group(Place):
    """A frozen dataclass or a tuple with decisions below it. make: builds it from its resolved parts."""

    __slots__ = ("_cache", "_key", "kind", "names", "parts")

    def __init__(self, path: str, kind: type, names: tuple[str, ...], parts: tuple[Place, ...]) -> None:
        super().__init__(path, merged(parts, None), prod(part.bound for part in parts))
        self.kind, self.names, self.parts = kind, names, parts
        self._key: Callable[[Codes], Any] = itemgetter(*(self.decisions or (0,)))
        self._cache: dict[Any, Any] | None = {} if self.decisions and self.bound <= INTERNED else None

    def resolve(self, codes: Codes) -> Any:
        if self._cache is None:
            return self._make(codes)
        key = self._key(codes)
        made = self._cache.get(key)
        if made is None:
            made = self._cache[key] = self._make(codes)
        return made

    def _make(self, codes: Codes) -> Any:
        values = [part.resolve(codes) for part in self.parts]
        if self.kind is tuple:
            return tuple(values)
        try:
            return self.kind(**dict(zip(self.names, values, strict=True)))
        except SpaceError as error:
            raise SpaceError(f"{self.path or 'root'}: {error}") from error
        except (TypeError, ValueError) as error:
            given = ", ".join(f"{name}={value!r}" for name, value in zip(self.names, values, strict=True))
            raise SpaceError(f"{self.path or 'root'}: {self.kind.__name__}({given}) is refused: {error}") from error


def merged(places: Sequence[Place], index: int | None) -> tuple[int, ...]:
    """Decisions of the places and `index`, ascending, each once."""
    found = {below for place in places for below in place.decisions}
    return tuple(sorted(found if index is None else found | {index}))
