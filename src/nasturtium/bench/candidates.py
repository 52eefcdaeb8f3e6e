"""What may be proposed on a table: its rows."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from nasturtium.errors import LimitError
from nasturtium.roles import Features
from nasturtium.space import Architecture, Space, encode
from nasturtium.space.architecture import UNRESOLVED
from nasturtium.space.listing import LARGEST
from nasturtium.task import Task

Codes = tuple[int, ...]


class TableSpace(Space):
    """A space for tables, where every search proposes the same few thousand architectures: each is made once a process.

    sameness: text that is equal for codes of the same architecture, hashed to the `arch_id`; by default each row of
    codes is an architecture of its own.
    """

    def __init__(
        self, tree: object, task: Task | None = None, name: str | None = None, sameness: Callable[[Codes], str] = str
    ) -> None:
        super().__init__(tree, task, name)
        self._made: dict[Codes, Architecture] = {}
        self._sameness = sameness

    def from_codes(self, codes: Codes) -> Architecture:
        made = self._made.get(codes)
        if made is None:
            arch_id = hashlib.sha256(self._sameness(codes).encode()).hexdigest()[:16]
            made = Architecture(self.name, None, UNRESOLVED, self.task, space=self, codes=codes, arch_id=arch_id)
            self._made[codes] = made
        return made


class Rows:
    """The rows of a table as candidates; fulfils `roles.Candidates`.

    codes: of the space, one a row, all different. features: of an architecture, asked for once each; by default its
    encoding alone.
    """

    def __init__(
        self,
        space: Space,
        codes: Sequence[Codes],
        features: Callable[[Architecture], Features] | None = None,
    ) -> None:
        self._space, self._codes, self._features = space, codes, features
        self._known: dict[Codes, Features] = {}
        self.row: Mapping[Codes, int] = {key: row for row, key in enumerate(codes)}

    @property
    def space(self) -> Space:
        return self._space

    def feasible(self, architecture: Architecture) -> bool:
        return self._space.codes(architecture) in self.row

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Uniform over the rows, which in a complete table is uniform over the decisions."""
        if not self._codes:
            raise LimitError("The table has no rows.")
        return self._space.from_codes(self._codes[int(rng.integers(len(self._codes)))])

    @cached_property
    def listed(self) -> tuple[Architecture, ...] | None:
        if len(self._codes) > LARGEST:
            return None
        first: dict[str, Architecture] = {}
        for codes in self._codes:
            architecture = self._space.from_codes(codes)
            first.setdefault(architecture.arch_id, architecture)
        return tuple(first.values())

    def features(self, architecture: Architecture) -> Features:
        attached = self._space.attach(architecture)
        codes = self._space.codes(attached)
        if codes not in self._known:
            encoding = {"encoding": np.asarray(encode(attached), dtype=float)}
            self._known[codes] = encoding if self._features is None else self._features(attached)
        return self._known[codes]

    def subset(self, count: int, seed: int) -> "Rows":
        """So many of the rows, drawn without replacement."""
        drawn = np.random.default_rng(seed).permutation(len(self._codes))[:count]
        return Rows(self._space, [self._codes[row] for row in drawn], self._features)
