"""A space: a tree with decisions left open, compiled once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nasturtium.errors import SpaceError, hint
from nasturtium.space.architecture import UNRESOLVED, Architecture, Value
from nasturtium.space.compiler import Compiler
from nasturtium.space.counting import Counter
from nasturtium.space.decisions import Decision, Real, is_node
from nasturtium.space.describe import lines
from nasturtium.space.encoding import Encoding
from nasturtium.space.program import Program
from nasturtium.space.variation import neighbours
from nasturtium.task import Task


@dataclass(frozen=True)
class Named:
    """A decision of a space. index: its place in a row of codes."""

    index: int
    path: str
    decision: Decision


class Space:
    """All architectures that a tree allows.

    root: the compiled tree (`Place`), for those who work on codes; program: its liveness.
    """

    def __init__(
        self, tree: Callable[[Any], object] | object, task: Task | None = None, name: str | None = None
    ) -> None:
        """tree: a tree, or a function of the task that makes one (or a space). name: the function's, or "space".

        Raises `SpaceError` for what cannot be part of a tree, with its place.
        """
        if callable(tree) and not is_node(tree):
            name = name or str(getattr(tree, "__name__", "space")).replace("<lambda>", "space")
            tree = tree(task)
        self.name = name or "space"
        self.task: Task | None = tree.task if isinstance(tree, Space) and task is None else task
        self.tree: Any = tree.tree if isinstance(tree, Space) else tree
        compiler = Compiler()
        try:
            self.root = compiler.place(self.tree)
        except RecursionError:
            raise SpaceError(f"the space {self.name!r} is nested too deeply; keep it within a hundred levels") from None
        self.decisions = tuple(
            Named(index, path, decision)
            for index, (path, decision) in enumerate(zip(compiler.paths, compiler.decisions, strict=True))
        )
        self.program = Program(self.root, [decision.size for decision in compiler.decisions])

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Path to number of the decision."""
        return {named.path: named.index for named in self.decisions}

    @cached_property
    def size(self) -> int | None:
        """Exact number of architectures; None if a `real` makes it endless."""
        if any(isinstance(named.decision, Real) for named in self.decisions):
            return None
        return Counter(self.root, self.program.sizes).count([self.root], {})

    def sample(self, seed: int | np.random.Generator) -> Architecture:
        """A random architecture, uniform over each live decision. seed: a number, or the generator to draw from."""
        rng = np.random.default_rng(seed) if isinstance(seed, int) else seed
        return self.from_codes(self.program.mask(self.program.draw_raw(rng)))

    def sample_codes(self, rng: np.random.Generator, count: int) -> list[tuple[int, ...]]:
        """`count` samples as rows of codes, the fast way. The same samples as `count` calls of `sample(rng)`."""
        return [tuple(row) for chunk in self.program.draw(rng, count) for row in chunk.T.tolist()]

    def enumerate(self) -> Iterator[Architecture]:
        """Every architecture once, in lexicographic order of the live decisions (each real gives `LEVELS` values)."""
        return (self.from_codes(codes) for codes in self.program.enumerate())

    def architecture(self, values: Mapping[str, object]) -> Architecture:
        """The architecture with these decisions: path to option key (or the plain option itself) or number.

        Values of dead decisions are ignored. Raises `SpaceError` for an unknown path or option and for a live decision
        without a value.
        """
        raw = [-1] * len(self.decisions)
        for path, value in values.items():
            if path not in self.index:
                raise SpaceError(f"the space {self.name!r} has no decision {path!r}. {hint(path, self.index)}")
            index = self.index[path]
            try:
                raw[index] = self.decisions[index].decision.code(value)
            except SpaceError as error:
                raise SpaceError(f"decision {path!r} of the space {self.name!r}: {error}") from None
        missing = self.program.undecided(raw)
        if missing is not None:
            named = self.decisions[missing]
            known = named.decision.describe()
            raise SpaceError(f"decision {named.path!r} of the space {self.name!r} has no value; give one of {known}")
        return self.from_codes(self.program.mask(raw))

    def from_codes(self, codes: tuple[int, ...]) -> Architecture:
        """The architecture of a row of codes as `sample_codes` gives them; it is not checked (see `validate`)."""
        return Architecture(self.name, None, UNRESOLVED, self.task, space=self, codes=codes)

    def codes(self, architecture: Architecture) -> tuple[int, ...]:
        """One integer per decision, -1 where dead."""
        codes = self.attach(architecture).codes
        assert codes is not None
        return codes

    def values_of(self, codes: Sequence[int]) -> dict[str, Value]:
        """Live decisions of a row of codes: path to option key or number."""
        return {
            named.path: named.decision.value(code)
            for named, code in zip(self.decisions, codes, strict=True)
            if code >= 0
        }

    def attach(self, architecture: Architecture) -> Architecture:
        """The same architecture with this space in hand (after a pickle, or from another copy of the space)."""
        if architecture.space is self:
            return architecture
        if architecture.space_name != self.name:
            raise SpaceError(f"the architecture is of the space {architecture.space_name!r}, not {self.name!r}")
        return self.architecture(architecture.values)

    def validate(self, architecture: Architecture) -> None:
        """Raises `SpaceError` if it is not one of this space: wrong values, a dead decision decided, another tree."""
        fresh = self.architecture(architecture.values)
        for path in architecture.values:
            if path not in fresh.values:
                raise SpaceError(f"decision {path!r} is dead here: the options taken do not lead to it")
        if architecture.space_name != self.name:
            raise SpaceError(f"the architecture is of the space {architecture.space_name!r}, not {self.name!r}")
        if fresh.tree != architecture.tree:
            raise SpaceError(f"the tree of the architecture is not what its decisions give in the space {self.name!r}")

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Architectures that differ in one decision, see `variation.neighbours`."""
        return neighbours(self.attach(architecture))

    @cached_property
    def encoding(self) -> Encoding:
        """Fixed-length vectors of architectures, and the names of their features."""
        return Encoding(self.decisions, self.program.always)

    def lines(self, width: int = 80) -> list[str]:
        """The tree as readable text with paths and options."""
        return lines(self, width)

    def from_json(self, text: str) -> Architecture:
        """The architecture of `Architecture.to_json`, checked against this space."""
        return Architecture.from_json(text, self)

    def __contains__(self, architecture: object) -> bool:
        if not isinstance(architecture, Architecture):
            return False
        try:
            self.validate(architecture)
        except SpaceError:
            return False
        return True

    def __repr__(self) -> str:
        return f"<Space {self.lines()[0]}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Space, (self.tree, self.task, self.name)
