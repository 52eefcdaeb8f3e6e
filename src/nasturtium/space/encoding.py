"""Architectures as vectors of fixed length: one-hot options and scaled numbers, for predictors and distances."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from nasturtium.space.architecture import Architecture
from nasturtium.space.decisions import Choice
from nasturtium.space.variation import opened

if TYPE_CHECKING:
    from nasturtium.space.space import Named


class Encoding:
    """The features of a space.

    A choice has one feature an option (`path=key`), all zero where it is dead. A number has its place in its range, 0
    to 1 (`path`; logarithmic if it is drawn so), and, where it can be dead, whether it is live (`path?`).
    """

    def __init__(self, decisions: "Sequence[Named]", always: frozenset[int]) -> None:
        """always: numbers of the decisions that are never dead."""
        names: list[str] = []
        self._options: list[int] = []
        self._numbers: list[int] = []
        self._starts: list[int] = []
        for named in decisions:
            self._starts.append(len(names))
            if isinstance(named.decision, Choice):
                self._options.append(named.index)
                names += [f"{named.path}={key}" for key in named.decision.keys]
            else:
                self._numbers.append(named.index)
                names += [named.path] if named.index in always else [named.path, f"{named.path}?"]
        self._sometimes = [index for index in self._numbers if index not in always]
        self._tops = np.array([max(named.decision.size - 1, 1) for named in decisions], dtype=float)
        self.names = tuple(names)

    def rows(self, codes: Sequence[Sequence[int]]) -> Float[np.ndarray, "rows features"]:
        """The vectors of rows of codes."""
        table = np.asarray(codes, dtype=np.int64).reshape(len(codes), len(self._starts))
        starts = np.asarray(self._starts, dtype=np.int64)
        vectors = np.zeros((len(table), len(self.names)))
        options = table[:, self._options]
        row, column = np.nonzero(options >= 0)
        vectors[row, starts[self._options][column] + options[row, column]] = 1.0
        numbers = table[:, self._numbers]
        vectors[:, starts[self._numbers]] = np.maximum(numbers, 0) / self._tops[self._numbers]
        vectors[:, starts[self._sometimes] + 1] = table[:, self._sometimes] >= 0
        return vectors


def encode(architecture: Architecture) -> Float[np.ndarray, " features"]:
    """The vector of one architecture; `space.encoding.names` names its features."""
    space, codes = opened(architecture)
    return space.encoding.rows([codes])[0]


def integer_codes(architecture: Architecture) -> Int[np.ndarray, " decisions"]:
    """One integer a decision: the number of its option or value, -1 where dead."""
    return np.asarray(opened(architecture)[1], dtype=np.int64)


def hamming(first: Architecture, second: Architecture) -> int:
    """Number of decisions that differ, live against dead included."""
    space, codes = opened(first)
    return sum(mine != yours for mine, yours in zip(codes, space.codes(second), strict=True))
