"""A space as text, for people."""

from collections.abc import Iterator
from decimal import Decimal
from textwrap import wrap
from typing import TYPE_CHECKING

from nasturtium.space.decisions import children, is_frozen
from nasturtium.space.places import PAIR, Fixed, Fork, Group, Number, Place, Span

if TYPE_CHECKING:
    from nasturtium.space.space import Space


def lines(space: "Space", width: int = 80) -> list[str]:
    """The tree, indented. The labels on the way to a decision, joined by '.' ('=' before an option), are its path.

    width: columns; longer lists of options are wrapped.
    """
    size = "endless" if space.size is None else f"{space.size:,}" if space.size < 10**9 else scientific(space.size)
    found = [f"{space.name}: {plural(len(space.decisions), 'decision')}, {size} architecture{'s' * (space.size != 1)}"]
    drawing = _Drawing([named.path for named in space.decisions])
    for depth, text in drawing.draw(space.root, "", 0):
        indent = "  " * min(depth, width // 4)
        found += wrap(text, max(width, 20), initial_indent=indent, subsequent_indent=indent + "    ") or [indent]
    return found


def scientific(size: int) -> str:
    """A big integer in scientific notation, without the limits of a float."""
    return f"{Decimal(size):.2e}"


class _Drawing:
    """Remembers which decisions were drawn, so that tied ones are named and not drawn again."""

    def __init__(self, paths: list[str]) -> None:
        self._paths = paths
        self._drawn: set[int] = set()

    def draw(self, place: Place, label: str, depth: int) -> Iterator[tuple[int, str]]:
        """Lines as (depth, text). label: where the place is, below what was drawn around it."""
        if isinstance(place, Fixed):
            yield depth, titled(label, shown(place.value))
        elif isinstance(place, (Fork, Number)):
            yield from self._decision(place, label, depth)
        elif isinstance(place, Span):
            yield from self._span(place, label, depth)
        elif isinstance(place, Group):
            yield from self._group(place, label, depth)

    def _decision(self, place: Fork | Number, label: str, depth: int) -> Iterator[tuple[int, str]]:
        if place.index in self._drawn:
            yield depth, titled(label, f"tied to {self._paths[place.index]}")
            return
        self._drawn.add(place.index)
        yield depth, titled(label or "root", place.decision.describe())
        if isinstance(place, Fork):
            for key, option in zip(place.decision.keys, place.options, strict=True):
                if option.decisions or not isinstance(option, Fixed) or is_frozen(option.value):
                    yield from self.draw(option, f"={key}", depth + 1)

    def _span(self, place: Span, label: str, depth: int) -> Iterator[tuple[int, str]]:
        times = str(place.counts[0])
        if place.index is not None:
            tied = place.index in self._drawn
            self._drawn.add(place.index)
            times = f"{place.counts[0]} … {place.counts[-1]}" + (
                f", tied to {self._paths[place.index]}" if tied else ""
            )
        yield depth, titled(label, f"{times} times")
        at = 0
        while at < len(place.items):
            item = place.items[at]
            first = list(self.draw(item, str(at), depth + 1))
            yield from first
            end = at + 1
            while end < len(place.items) and self._alike(place.items[end], item, str(end), first, depth + 1):
                end += 1
            if end > at + 1:
                where = str(at + 1) if end == at + 2 else f"{at + 1} … {end - 1}"
                own = "the same decisions" if place.items[at + 1] is item else "decisions of its own"
                yield depth + 1, titled(where, f"like {at}" + (f", {own}" if item.decisions else ""))
            at = end

    def _alike(self, place: Place, like: Place, label: str, drawn: list[tuple[int, str]], depth: int) -> bool:
        if place is like:
            return True
        before = set(self._drawn)
        mine = list(self.draw(place, label, depth))
        if [text for _, text in mine[1:]] == [text for _, text in drawn[1:]] and unlabelled(mine) == unlabelled(drawn):
            return True
        self._drawn = before
        return False

    def _group(self, place: Group, label: str, depth: int) -> Iterator[tuple[int, str]]:
        if place.names == PAIR:
            yield from self.draw(place.parts[1], label, depth)
            return
        if place.kind is tuple:
            for name, part in zip(place.names, place.parts, strict=True):
                yield from self.draw(part, f"{label}.{name}" if label else name, depth)
            return
        plain = [
            f"{name}={shown(part.value)}"
            for name, part in zip(place.names, place.parts, strict=True)
            if isinstance(part, Fixed)
        ]
        yield depth, titled(label, " ".join([place.kind.__name__, *plain]))
        for name, part in zip(place.names, place.parts, strict=True):
            if not isinstance(part, Fixed):
                yield from self.draw(part, name, depth + 1)


def plural(count: int, noun: str) -> str:
    """`1 decision`, `2 decisions`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def lasted(passes: float) -> str:
    """How long a training was, in epochs; the last may have been cut."""
    if passes < 0.05:
        return "less than a tenth of an epoch"
    return plural(round(passes), "epoch") if abs(passes - round(passes)) < 0.05 else f"{passes:.1f} epochs"


def titled(label: str, text: str) -> str:
    """`label: text`, or what there is of it."""
    return f"{label}: {text}" if label else text


def unlabelled(drawn: list[tuple[int, str]]) -> str:
    """The first line without its label."""
    return drawn[0][1].partition(": ")[2]


def shown(value: object) -> str:
    """A fixed part in a few words: fields that are plain, blocks by their names."""
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, tuple):
        return f"({', '.join(shown(part) for part in value)})"
    if is_frozen(value):
        return f"{type(value).__name__}({', '.join(f'{name}={shown(part)}' for name, part in children(value))})"
    return str(value)
