"""What may be proposed on a table: its rows."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from nasturtium.errors import LimitError
from nasturtium.roles import Features
from nasturtium.space import Architecture, Space, encode
from nasturtium.space.listing import LARGEST

Codes = tuple[int, ...]


class TableSpace(Space):
    """A space whose architectures are made once a process: their identities are then worked out once, not once a query.

    Made for tables, where the same few thousand architectures are proposed by every search.
    """

    def __init__(self, tree: object, task: object = None, name: str | None = None) -> None:
        super().__init__(tree, task, name)  # type: ignore[arg-type]
        self._made: dict[Codes, Architecture] = {}

    def from_codes(self, codes: Codes) -> Architecture:
        made = self._made.get(codes)
        if made is None:
            made = self._made[codes] = super().from_codes(codes)
        return made


class Rows:
    """The rows of a table as candidates; fulfils `roles.Candidates`.

    codes: of the space, one a row, all different. features: of an architecture; by default its encoding alone.
    """

    def __init__(
        self,
        space: Space,
        codes: Sequence[Codes],
        features: Callable[[Architecture], Features] | None = None,
    ) -> None:
        self._space, self._codes, self._features = space, codes, features
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
        if self._features is not None:
            return self._features(architecture)
        return {"encoding": np.asarray(encode(self._space.attach(architecture)), dtype=float)}

    def subset(self, count: int, seed: int) -> "Rows":
        """So many of the rows, drawn without replacement."""
        drawn = np.random.default_rng(seed).permutation(len(self._codes))[:count]
        return Rows(self._space, [self._codes[row] for row in drawn], self._features)
