"""An architecture: one point of a space, with all decisions made."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nasturtium.errors import SpaceError
from nasturtium.space.tree_json import canonical, parsed, tree_from_data, tree_to_data
from nasturtium.task import Task

if TYPE_CHECKING:
    from nasturtium.space.space import Space

FORMAT = 1
"""Version of the JSON of an architecture."""

Value = str | int | float
"""What a decision was decided to: an option's key, or a number."""


class Architecture:
    """Immutable and hashable; two are equal if the space's name and the live decisions are.

    It is made by a space, or by `from_json`. `space` is None once it has travelled through a pickle or was read
    without its space: it can then be built and written, and `Space.attach` makes it variable again.
    """

    __slots__ = ("_codes", "_hash", "_id", "_space", "_space_name", "_task", "_tree", "_values")

    def __init__(
        self,
        space_name: str,
        values: Mapping[str, Value] | None,
        tree: object,
        task: Task | None,
        *,
        space: "Space | None" = None,
        codes: tuple[int, ...] | None = None,
        arch_id: str | None = None,
    ) -> None:
        """values, tree: None and UNRESOLVED where `space` and `codes` are given, to be worked out when asked for."""
        self._space_name, self._task, self._space, self._codes = space_name, task, space, codes
        self._values: Mapping[str, Value] | None = None if values is None else MappingProxyType(dict(values))
        self._tree, self._id = tree, arch_id
        self._hash: int | None = None

    @property
    def space_name(self) -> str:
        return self._space_name

    @property
    def space(self) -> "Space | None":
        return self._space

    @property
    def task(self) -> Task | None:
        return self._task

    @property
    def codes(self) -> tuple[int, ...] | None:
        """One integer per decision of the space, -1 where dead; None without a space."""
        return self._codes

    @property
    def values(self) -> Mapping[str, Value]:
        """Path to option key or number, live decisions only, in the order of the space."""
        if self._values is None:
            assert self._space is not None
            assert self._codes is not None
            self._values = MappingProxyType(self._space.values_of(self._codes))
        return self._values

    @property
    def tree(self) -> Any:
        """The resolved tree: no decisions left. Parts are shared between architectures of a space."""
        if self._tree is UNRESOLVED:
            assert self._space is not None
            assert self._codes is not None
            self._tree = self._space.root.resolve(self._codes)
        return self._tree

    @property
    def arch_id(self) -> str:
        """16 hexadecimal digits: the same for architectures that are the same network.

        The hash of `tree.canonical_form(task)` if the tree has that method (blocks do), else of its canonical JSON.
        """
        if self._id is None:
            form = getattr(self.tree, "canonical_form", None)
            if form is not None and self._task is None:
                raise SpaceError(
                    "the identity of a network depends on its task; read it with its space, or give the task"
                )
            text = canonical(tree_to_data(self.tree)) if form is None else form(self._task)
            self._id = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self._id

    def to_json(self) -> str:
        """Canonical JSON: {"decisions": {path: value}, "format": 1, "space": name, "tree": {"$block": …}}."""
        data = {
            "format": FORMAT,
            "space": self._space_name,
            "decisions": dict(self.values),
            "tree": tree_to_data(self.tree),
        }
        return canonical(data)

    @staticmethod
    def from_json(text: str, space: "Space | None" = None, task: Task | None = None) -> "Architecture":
        """Reads `to_json`. With a space, the decisions are checked against it and give the tree.

        Without one, the tree is rebuilt from registered blocks. task: for `arch_id` and for building. Raises
        `SpaceError`.
        """
        data = parsed(text, "the architecture")
        if not isinstance(data, dict) or not {"format", "space", "decisions", "tree"} <= set(data):
            raise SpaceError("an architecture in JSON needs the keys 'format', 'space', 'decisions' and 'tree'")
        if data["format"] != FORMAT:
            raise SpaceError(
                f"the architecture has format {data['format']!r}, and this version reads {FORMAT}; update nasturtium"
            )
        if space is None:
            return Architecture(data["space"], data["decisions"], tree_from_data(data["tree"]), task)
        if space.name != data["space"]:
            raise SpaceError(f"the architecture is of the space {data['space']!r}, not {space.name!r}")
        return space.architecture(data["decisions"])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture):
            return NotImplemented
        if self._space is not None and self._space is other._space:
            return self._codes == other._codes
        return self._space_name == other._space_name and self.values == other.values

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self._space_name, frozenset(self.values.items())))
        return self._hash

    def __repr__(self) -> str:
        made = ", ".join(f"{path}={value}" for path, value in self.values.items())
        return f"<{self._space_name} {made}>" if made else f"<{self._space_name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Values and tree only: the compiled space would be sent again with every job.
        return _unpickled, (self._space_name, dict(self.values), self.tree, self._task, self._id)


class _Unresolved:
    """The type of `UNRESOLVED`."""


UNRESOLVED = _Unresolved()
"""In place of a tree that has not been asked for."""


def _unpickled(
    space_name: str, values: dict[str, Value], tree: object, task: Task | None, arch_id: str | None
) -> Architecture:
    return Architecture(space_name, values, tree, task, arch_id=arch_id)
