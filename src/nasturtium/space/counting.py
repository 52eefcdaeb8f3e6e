"""Exact number of architectures: the distinct assignments of live decisions.

A sum over options and a product over parts, except where tied decisions link the parts. There the count branches on a
structural decision (one with decisions beneath it) and multiplies what falls apart; results are kept per sub-problem,
which is variable elimination. Decisions without anything beneath them are a factor, wherever they were met first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nasturtium.space.places import Fork, Group, Number, Place, Span


@dataclass
class Component:
    """Structural decisions that are live and undecided, linked by decisions that several of them reach."""

    places: dict[int, list[Place]]
    reach: set[int] = field(default_factory=set)


class Counter:
    """Counts one compiled tree. sizes: number of values of each decision."""

    def __init__(self, root: Place, sizes: tuple[int, ...]) -> None:
        self._sizes = sizes
        self._structural = structural_decisions(root)
        self._known: dict[tuple[object, ...], int] = {}

    def count(self, pending: Iterable[Place], made: Mapping[int, int]) -> int:
        """Ways to decide what is live in the pending places. made: codes of the decided and the counted."""
        decided = dict(made)
        factor = 1
        waiting: dict[int, list[Place]] = {}
        stack, seen = list(pending), set()
        while stack:
            place = stack.pop()
            if not place.decisions or place in seen:
                continue
            seen.add(place)
            if isinstance(place, Group) or (isinstance(place, Span) and place.index is None):
                stack += place.parts if isinstance(place, Group) else place.items
                continue
            index = decision_at(place)
            if index in decided:
                stack += opened(place, decided[index])
            elif index in self._structural:
                waiting.setdefault(index, []).append(place)
            else:
                factor *= self._sizes[index]
                decided[index] = 0
                stack += opened(place, 0)
        for component in self._components(waiting, decided):
            factor *= self._branch(component, decided)
        return factor

    def _components(self, waiting: dict[int, list[Place]], decided: Mapping[int, int]) -> list[Component]:
        components: list[Component] = []
        for index, places in waiting.items():
            reach = {below for place in places for below in place.decisions if below not in decided} | {index}
            grown = Component({index: places}, reach)
            apart = []
            for other in components:
                if other.reach & grown.reach:
                    grown = Component(other.places | grown.places, other.reach | grown.reach)
                else:
                    apart.append(other)
            components = [*apart, grown]
        return components

    def _branch(self, component: Component, decided: Mapping[int, int]) -> int:
        places = [place for group in component.places.values() for place in group]
        below = {index for place in places for index in place.decisions}
        relevant = {index: code for index, code in decided.items() if index in below}
        key = (frozenset(component.places), frozenset(places), frozenset(relevant.items()))
        if key not in self._known:
            # The decision that most others lead to: deciding it unlinks the most.
            index = min(component.places, key=lambda index: (-self._links(index, places), self._sizes[index], index))
            self._known[key] = sum(self.count(places, {**relevant, index: code}) for code in range(self._sizes[index]))
        return self._known[key]

    @staticmethod
    def _links(index: int, places: list[Place]) -> int:
        return sum(index in place.decisions for place in places)


def structural_decisions(root: Place) -> frozenset[int]:
    """Decisions whose value settles which others are live."""
    found, seen, stack = set(), set(), [root]
    while stack:
        place = stack.pop()
        if place in seen or not place.decisions:
            continue
        seen.add(place)
        below = below_of(place)
        if not isinstance(place, (Group, Number)) and any(part.decisions for part in below):
            index = decision_at(place)
            if index >= 0:
                found.add(index)
        stack += below
    return frozenset(found)


def below_of(place: Place) -> tuple[Place, ...]:
    """Places directly below, live or not."""
    if isinstance(place, Group):
        return place.parts
    if isinstance(place, Fork):
        return place.options
    return place.items if isinstance(place, Span) else ()


def decision_at(place: Place) -> int:
    """Index of the place's own decision, -1 for a repeat of fixed count."""
    if isinstance(place, (Fork, Number)):
        return place.index
    return -1 if not isinstance(place, Span) or place.index is None else place.index


def opened(place: Place, code: int) -> tuple[Place, ...]:
    """Places directly below that are live once the place's own decision has the code."""
    if isinstance(place, Fork):
        return (place.options[code],)
    return place.items[: place.counts[code]] if isinstance(place, Span) else ()
