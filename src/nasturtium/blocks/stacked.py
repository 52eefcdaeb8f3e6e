"""Canonical text of large graphs of operations: refinement of colours, and individualisation where that stops.

In the manner of McKay and Piperno 2014 ("Practical graph isomorphism, II", Journal of Symbolic Computation 60;
arXiv:1301.1493), on a graph of terms and values: a term is an operation applied to a value, a value a sum of terms or
a join of values in their order. Terms with weights are told apart by instance, those without by what they are.

What it guarantees: the text describes the graph completely, so different graphs never share one. Equal graphs, however
their values are numbered, have one text as long as at most `MOST_LEAVES` labellings have to be looked at. One is enough
unless operations with weights look alike and are not simply parallel; beyond the bound, equal graphs may have several.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

MOST_LEAVES = 200

SUM, JOIN, INPUT, IDENTITY = "+", "|", "input", ""
Labelled = tuple[int, int, str, bool]
"""(source, target, text of the operation or `IDENTITY`, does it have weights?)"""
Colours = list[int]


def stacked(edges: Sequence[Labelled], outputs: Sequence[int], joins: Sequence[tuple[int, tuple[int, ...]]]) -> str:
    """The text. edges: in order of target, without dead ones; joins: (value, the earlier values joined to it)."""
    graph = _graph(edges, outputs, dict(joins))
    return _Search(graph).best(graph.refined(graph.parallel_told_apart()))


@dataclass
class _Graph:
    """Nodes, each after its parts; those that are the same are one. weighted: terms with weights, one an instance."""

    labels: list[str] = field(default_factory=list)
    parts: list[tuple[int, ...]] = field(default_factory=list)
    weighted: list[int] = field(default_factory=list)
    known: dict[tuple[str, tuple[int, ...]], int] = field(default_factory=dict)

    def node(self, label: str, parts: tuple[int, ...], weighted: bool = False) -> int:
        key = (label, parts)
        if weighted or key not in self.known:
            self.labels.append(label)
            self.parts.append(parts)
            if weighted:
                self.weighted.append(len(self.labels) - 1)
                return self.weighted[-1]
            self.known[key] = len(self.labels) - 1
        return self.known[key]

    def readers(self) -> list[list[tuple[int, int]]]:
        """Of each node: (node that has it as a part, place where parts are in order)."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.labels]
        for node, parts in enumerate(self.parts):
            for place, part in enumerate(parts):
                found[part].append((node, place if self.labels[node] == JOIN else 0))
        return found

    def parallel_told_apart(self) -> Colours:
        """First colours. Weighted terms with one text, part and readers are interchangeable: any numbering will do."""
        colours, readers = [0] * len(self.labels), self.readers()
        groups: dict[object, int] = {}
        for term in self.weighted:
            key = (self.labels[term], self.parts[term], tuple(sorted(readers[term])))
            colours[term] = groups[key] = groups.get(key, -1) + 1
        return colours

    def refined(self, colours: Colours) -> Colours:
        """Nodes keep one colour only if what they are made of and what reads them have the same colours throughout."""
        readers, classes = self.readers(), 0
        while len(set(colours)) > classes:
            classes, below, above = len(set(colours)), list(colours), list(colours)
            for node, parts in enumerate(self.parts):
                inner = [below[part] for part in parts]
                ordered = inner if self.labels[node] == JOIN else sorted(inner)
                below[node] = _hash(self.labels[node], colours[node], ordered)
            for node in range(len(self.labels) - 1, -1, -1):
                above[node] = _hash("", below[node], sorted(_hash("", above[n], [at]) for n, at in readers[node]))
            colours = above
        return colours


def _hash(label: str, colour: int, others: Iterable[int]) -> int:
    text = f"{label} {colour} {' '.join(map(str, others))}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _graph(edges: Sequence[Labelled], outputs: Sequence[int], joins: dict[int, tuple[int, ...]]) -> _Graph:
    """The part of the graph that the result depends on; the result is the last node."""
    whole = _Graph()
    values = {0: whole.node(INPUT, ())}
    terms: dict[int, list[int]] = {}

    def value(place: int) -> int:
        if place not in values:
            values[place] = joined(joins[place]) if place in joins else summed(terms[place])
        return values[place]

    def joined(places: Sequence[int]) -> int:
        parts = tuple(value(place) for place in places)
        return parts[0] if len(parts) == 1 else whole.node(JOIN, parts)

    def summed(found: list[int]) -> int:
        alone = len(found) == 1 and whole.labels[found[0]] == IDENTITY
        return whole.parts[found[0]][0] if alone else whole.node(SUM, tuple(sorted(found)))

    for source, target, text, weighted in edges:
        at = value(source)
        if text == IDENTITY and whole.labels[at] == SUM:
            terms.setdefault(target, []).extend(whole.parts[at])
        else:
            terms.setdefault(target, []).append(whole.node(text, (at,), weighted))
    return _live(whole, joined(outputs))


def _live(whole: _Graph, root: int) -> _Graph:
    needed = {root}
    for node in range(root, -1, -1):
        if node in needed:
            needed.update(whole.parts[node])
    number: dict[int, int] = {}
    live, weighted = _Graph(), set(whole.weighted)
    for node in sorted(needed):
        parts = tuple(number[part] for part in whole.parts[node])
        ordered = parts if whole.labels[node] == JOIN else tuple(sorted(parts))
        number[node] = live.node(whole.labels[node], ordered, node in weighted)
    return live


class _Search:
    """The least text over the ways to tell apart what refinement leaves alike."""

    def __init__(self, graph: _Graph) -> None:
        self.graph, self.leaves = graph, 0

    def best(self, colours: Colours) -> str:
        alike = self._alike(colours)
        if not alike:
            return self._text(colours)
        found: dict[str, Colours] = {}
        for node in alike:
            if found and self.leaves >= MOST_LEAVES:
                break
            told = self._told_apart(colours, node)
            # Equal leaves show an automorphism that takes one node to the other: the rest would repeat itself.
            found.setdefault(self._leaf(told), told)
        return min(self.best(told) for told in found.values())

    def _leaf(self, colours: Colours) -> str:
        self.leaves += 1
        while alike := self._alike(colours):
            colours = self._told_apart(colours, alike[0])
        return self._text(colours)

    def _alike(self, colours: Colours) -> list[int]:
        """The weighted terms of the first colour that several have."""
        groups: dict[int, list[int]] = {}
        for term in self.graph.weighted:
            groups.setdefault(colours[term], []).append(term)
        several = [colour for colour, group in groups.items() if len(group) > 1]
        return groups[min(several)] if several else []

    def _told_apart(self, colours: Colours, node: int) -> Colours:
        changed = list(colours)
        changed[node] = _hash("chosen", colours[node], ())
        return self.graph.refined(changed)

    def _text(self, colours: Colours) -> str:
        """The nodes in the order of their colours; operations are named once."""
        graph = self.graph
        order = sorted(range(len(graph.labels)), key=colours.__getitem__)
        number = {node: place for place, node in enumerate(order)}
        names = {label: place for place, label in enumerate(sorted(set(graph.labels)))}
        lines = []
        for node in order:
            parts = [number[part] for part in graph.parts[node]]
            ordered = parts if graph.labels[node] == JOIN else sorted(parts)
            lines.append(f"{names[graph.labels[node]]}({','.join(map(str, ordered))})")
        weighted = sorted(number[term] for term in graph.weighted)
        root = number[len(graph.labels) - 1]
        return f"{';'.join(names)}|{' '.join(lines)}|{','.join(map(str, weighted))}|{root}"
