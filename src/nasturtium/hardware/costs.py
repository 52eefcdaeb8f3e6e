"""Counted costs of the architectures of a space."""

from collections.abc import Mapping
from functools import cached_property, lru_cache

from nasturtium.blocks import Block, Counts
from nasturtium.blocks.counted import BYTES
from nasturtium.blocks.liveness import peak_numbers
from nasturtium.errors import SpaceError
from nasturtium.hardware.bounds import Bounder, Bounds
from nasturtium.hardware.collector import paused
from nasturtium.hardware.file_size import file_bytes, file_header
from nasturtium.hardware.fold import Fold, Numbers
from nasturtium.hardware.limits import Limits
from nasturtium.hardware.links import costless, is_network
from nasturtium.hardware.sums import sums
from nasturtium.space import Architecture, Space
from nasturtium.space.places import Codes
from nasturtium.task import Signal

COUNTED = ("params", "macs", "activations", "memory", "size")
"""Costs that are counted without building the network; a latency is measured."""


def unbuildable(space: Space, costs: "CostModel") -> str:
    """Says that nothing in the space can be built for its task, and why one architecture cannot."""
    said = f"No architecture of the space {space.name!r} can be built for this task."
    try:
        costs(space.sample(0))
    except SpaceError as error:
        return f"{said} The first one drawn: {error}"
    return said


class CostModel:
    """Counts the costs of the architectures of one space; each block is counted once and remembered.

    Raises `SpaceError` for a space whose root is not a block, or that was made without a task.
    """

    def __init__(self, space: Space) -> None:
        if space.task is None or not is_network(space.root):
            raise SpaceError(
                f"Costs of the space {space.name!r} cannot be counted: "
                + ("it was made without a task." if space.task is None else "its root is not a block.")
            )
        self.space, self.input = space, space.task.input
        free = costless(space.root)
        self._sums = Fold(space.root, self.input, ("params", "macs", "activations"), _additive, sum, free)
        self._peak = Fold(space.root, self.input, ("memory",), _peak, max, free)
        self._file = Fold(space.root, self.input, ("size",), _file, sum, costless(space.root, but=("norm",)))
        self.folds = (self._sums, self._peak, self._file)

    def __call__(self, architecture: Architecture) -> dict[str, int]:
        """Costs `COUNTED` by name. params, macs, activations: counts for one row. memory: peak bytes of live tensors.
        size: estimated bytes of the ONNX file. Raises `SpaceError` for an architecture that cannot be built."""
        return self.of_codes(self.space.codes(architecture))

    def of_codes(self, codes: Codes) -> dict[str, int]:
        """The same for a row of codes of the space."""
        costs = {name: value for fold in self.folds for name, value in zip(fold.names, fold(codes), strict=True)}
        costs["size"] += file_header(self.input)
        return costs

    def sums(self, codes: Codes) -> dict[str, int]:
        """Only the costs that add up and are counted exactly: params, macs, activations. Quicker."""
        return dict(zip(self._sums.names, self._sums(codes), strict=True))

    def meets(self, codes: Codes, limits: Limits) -> bool:
        """Is this row of codes within the limits that can be counted? The fast way: counts only what is limited."""
        try:
            if limits.params is not None or limits.macs is not None:
                params, macs, _ = self._sums(codes)
                if limits.params is not None and params > limits.params:
                    return False
                if limits.macs is not None and macs > limits.macs:
                    return False
            if limits.memory is not None and self._peak(codes)[0] > limits.memory:
                return False
            return limits.size is None or self._file(codes)[0] + file_header(self.input) <= limits.size
        except SpaceError:
            return False

    @cached_property
    def bounders(self) -> tuple[Bounder, ...]:
        return tuple(Bounder(fold, self.space) for fold in self.folds)

    def bounds(self, given: Mapping[int, int] | None = None, names: tuple[str, ...] = COUNTED) -> Bounds | None:
        """Least and greatest of each cost over the space; None where nothing can be built.

        given: codes of decisions that are already made, by their number. names: the costs wanted (fewer are quicker).
        """
        low: dict[str, int] = {}
        high: dict[str, int] = {}
        exact = True
        for bounder in self.bounders:
            if not set(bounder.fold.names) & set(names):
                continue
            with paused():
                found = bounder.bounds(given)
            if found is None:
                return None
            extra = file_header(self.input) if bounder.fold is self._file else 0
            low |= {name: value + extra for name, value in found.low.items()}
            high |= {name: value + extra for name, value in found.high.items()}
            exact = exact and found.exact
        return Bounds(low, high, exact)


@lru_cache(maxsize=200_000)
def _additive(block: Block, x: Signal) -> tuple[Numbers, Signal]:
    return sums(block.lower(x), x)


@lru_cache(maxsize=200_000)
def _peak(block: Block, x: Signal) -> tuple[Numbers, Signal]:
    expr = block.lower(x)
    return (peak_numbers(expr, x) * BYTES,), expr.out(x)


@lru_cache(maxsize=200_000)
def _file(block: Block, x: Signal) -> tuple[Numbers, Signal]:
    size, out = file_bytes(block.lower(x), x)
    return (size,), out


def block_costs(block: Block, x: Signal) -> dict[str, int]:
    """Costs `COUNTED` of a block tree without a space (a known network), for one row of type `x`."""
    from nasturtium.blocks.counted import counted

    expr = block.lower(x)
    counts: Counts = counted(expr, x)
    size = file_bytes(expr, x)[0] + file_header(x)
    return {
        "params": counts.params,
        "macs": counts.macs,
        "activations": counts.activations,
        "memory": counts.memory,
        "size": size,
    }
