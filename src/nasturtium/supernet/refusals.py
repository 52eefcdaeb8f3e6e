"""Spaces that weights cannot be shared over, refused before anything is built."""

from collections.abc import Mapping

from nasturtium.blocks import Relaxable
from nasturtium.errors import SpaceError
from nasturtium.hardware.links import is_network
from nasturtium.space import Space
from nasturtium.space.decisions import Real
from nasturtium.space.places import Fork, Group, Number, Place, Span
from nasturtium.supernet.links import cells_of, chain, is_cell, links
from nasturtium.supernet.reachable import opened
from nasturtium.task import Signal

MOST_OPTIONS = 256
"""Of one decision: each option has a weight, and shapes are gone through for each."""
INSTEAD = "use the strategy auto or regularized-evolution, which train every architecture alone"


def refuse(space: Space) -> Signal:
    """The type of the space's input. Raises `SpaceError`, naming decision and alternatives, where nothing is shared."""
    if space.task is None or not is_network(space.root):
        why = "it was made without a task" if space.task is None else "its root is not a block"
        raise SpaceError(f"The space {space.name!r} has no supernet: {why}.")
    for named in space.decisions:
        if isinstance(named.decision, Real):
            raise SpaceError(
                f"Weights cannot be shared over the decision {named.path!r} ({named.decision.describe()}): a "
                f"real has no options to weigh. Write choice(…) with a few values of it, or {INSTEAD}."
            )
        if named.decision.size > MOST_OPTIONS:
            raise SpaceError(
                f"Weights cannot be shared over the decision {named.path!r}: it has {named.decision.size:,} options, "
                f"and {MOST_OPTIONS} is the most. Give integer(…) a larger step, or {INSTEAD}."
            )
    for link in links(chain(space.root)):
        cell = _hidden_cell(link.place, link.width is not None)
        if cell is not None:
            raise SpaceError(
                f"Weights cannot be shared over the cell at {cell.path or 'root'!r}, because it stands inside a "
                f"{'stage' if link.width is not None else 'block'}. Put it into a sequence(…), or {INSTEAD}."
            )
    return space.task.input


def refuse_fixed(space: Space, name: str) -> None:
    """Raises `SpaceError` for a space that leaves nothing to decide, where `name` would have no options to weigh."""
    if not space.decisions:
        raise SpaceError(
            f"{name} weighs options, and the space {space.name!r} leaves nothing to decide: it holds one network. Give "
            f"it a choice(…), or {INSTEAD}."
        )


def refuse_mixing(space: Space, name: str, instead: str) -> None:
    """Raises `SpaceError` for a space without options, and for cells whose options cannot be weighed against each
    other, as `name` does it.

    instead: strategies that train single paths.
    """
    assert space.task is not None
    refuse_fixed(space, name)
    for cell in [cell for link in links(chain(space.root)) for cell in cells_of(link.place)]:
        block = cell.resolve([0] * len(space.decisions))
        assert isinstance(block, Relaxable)
        try:
            block.relaxed(space.task.input)
        except SpaceError as error:
            raise SpaceError(f"{name} cannot search the space {space.name!r}. {error} {instead} do so.") from None


def refuse_cells(space: Space, cells: Mapping[Group, Signal]) -> None:
    """Raises `SpaceError` for a cell whose open edges are not the same whatever is decided, such as one of open width.

    cells: with an input that arrives at each.
    """
    for cell, x in cells.items():
        row = [0] * len(space.decisions)
        graph = opened(cell.resolve(row), x)[0]
        for name, part in zip(cell.names, cell.parts, strict=True):
            if not isinstance(part, Fork | Number):
                continue
            rows = ([*row[: part.index], code, *row[part.index + 1 :]] for code in range(part.decision.size))
            if any(opened(cell.resolve(changed), x)[0] != graph for changed in rows):
                path = space.decisions[part.index].path
                raise SpaceError(
                    f"Weights cannot be shared over the decision {path!r}, because its cell's open edges depend on "
                    f"the {name}. Decide it, or {INSTEAD}."
                )


def _hidden_cell(place: Place, inside: bool) -> Group | None:
    """A cell with open edges that is not a link of its own."""
    if is_cell(place):
        return place if inside else None
    below: tuple[Place, ...] = ()
    if isinstance(place, Fork):
        below = place.options
    elif isinstance(place, Span):
        below, inside = place.items, True
    elif isinstance(place, Group):
        below, inside = place.parts, True
    return next((cell for part in below if (cell := _hidden_cell(part, inside)) is not None), None)
